/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The table of verbs: what main() dispatches on, and what help, completion
 * and the tests of the man page read. One file per verb. */
#include "cli/args.h"
#include "cli/settings.h"
#include <gio/gio.h>

/* What a verb is given; borrowed. */
typedef struct
{
  LmArgs *args;
  const LmSettings *settings;
  GCancellable *cancellable; /* cancelled by SIGINT, SIGTERM and SIGHUP */
} LmInvocation;

typedef struct
{
  const char *name;     /* "launch", "catalog add" */
  const char *synopsis; /* of its words: "NAME SELECTION..." */
  const char *summary;
  const char *page;     /* the manual page that describes it, of section 1 */
  guint min_words;
  guint max_words;       /* G_MAXUINT: any number */
  const LmOption *options;
  LmCompleteKind first;  /* completion of the first word */
  LmCompleteKind others; /* and of the rest */
  gboolean (*run) (const LmInvocation *invocation, GError **error);
} LmVerb;

/* Every verb, ended by one whose name is NULL. */
extern const LmVerb *const lm_verbs[];
/* Options that every verb takes. */
extern const LmOption lm_global_options[];

extern const LmVerb lm_verb_launch, lm_verb_define, lm_verb_plan, lm_verb_pull, lm_verb_list, lm_verb_ps, lm_verb_show,
  lm_verb_rm, lm_verb_cache_list, lm_verb_catalog_add, lm_verb_catalog_list, lm_verb_catalog_update,
  lm_verb_catalog_remove, lm_verb_help, lm_verb_complete;

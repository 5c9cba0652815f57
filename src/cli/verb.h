/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The table of verbs, used by main(), help, completion and the tests of the manual
 * pages. There is one file per verb. */
#include "cli/args.h"
#include "cli/settings.h"
#include <gio/gio.h>

/* What a verb receives; owned by the caller. */
typedef struct
{
  LmArgs *args;
  const LmSettings *settings;
  GCancellable *cancellable; /* cancelled by SIGINT, SIGTERM and SIGHUP */
  /* char *: about the configuration; for a verb that reports them itself, else NULL */
  const GPtrArray *problems;
  const GPtrArray *warnings;
} LmInvocation;

typedef struct
{
  const char *name;     /* "launch", "catalog add" */
  const char *synopsis; /* its words: "NAME SELECTION..." */
  const char *summary;
  const char *page;     /* the manual page in section 1 that describes it */
  guint min_words;
  guint max_words;       /* G_MAXUINT for any number */
  const LmOption *options;
  LmCompleteKind first;  /* completion of the first word */
  LmCompleteKind others; /* completion of the others */
  gboolean reports_settings; /* what is wrong with the configuration is no error, but handed to the verb */
  gboolean (*run) (const LmInvocation *invocation, GError **error);
} LmVerb;

/* All verbs; the last pointer is NULL. */
extern const LmVerb *const lm_verbs[];
/* Options of all verbs. */
extern const LmOption lm_global_options[];

extern const LmVerb lm_verb_launch, lm_verb_define, lm_verb_plan, lm_verb_pull, lm_verb_list, lm_verb_outdated, lm_verb_ps,
  lm_verb_show, lm_verb_wait, lm_verb_rm, lm_verb_import, lm_verb_build, lm_verb_capture, lm_verb_diff, lm_verb_flatten,
  lm_verb_publish, lm_verb_cache_export, lm_verb_cache_import,
  lm_verb_cache_list, lm_verb_cache_show, lm_verb_cache_du, lm_verb_cache_gc, lm_verb_cache_pin,
  lm_verb_cache_unpin, lm_verb_cache_verify, lm_verb_cache_clear, lm_verb_catalog_add, lm_verb_catalog_list, lm_verb_catalog_check,
  lm_verb_catalog_update, lm_verb_catalog_remove, lm_verb_doctor, lm_verb_graph, lm_verb_group, lm_verb_hook_install,
  lm_verb_hook_remove, lm_verb_hook_status, lm_verb_help, lm_verb_complete, lm_verb_xml, lm_verb_hook_note, lm_verb_hook_prepare;

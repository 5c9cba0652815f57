/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Command-line words as data: one table of options serves parsing, help and
 * completion. Parsing is getopt_long's; values stay text until a verb asks. */
#include <glib.h>

typedef enum
{
  LM_OPTION_FLAG = 0,          /* takes no value */
  LM_OPTION_VALUE = 1 << 0,    /* takes a value */
  LM_OPTION_OPTIONAL = 1 << 1, /* --name[=VALUE] */
  LM_OPTION_MULTIPLE = 1 << 2, /* may be given again; values add up */
  LM_OPTION_SPEC = 1 << 3,     /* may stand in a spec file too */
} LmOptionFlags;

/* What completion offers for a word. */
typedef enum
{
  LM_COMPLETE_NONE,
  LM_COMPLETE_FILE,
  LM_COMPLETE_DIRECTORY,
  LM_COMPLETE_SELECTION, /* layers of the catalogs */
  LM_COMPLETE_MACHINE,  /* machines that lamina made */
  LM_COMPLETE_SOURCE,    /* catalog sources */
  LM_COMPLETE_TEMPLATE,
  LM_COMPLETE_PROGRESS,  /* values of an option, from here on */
  LM_COMPLETE_VIRT_TYPE,
  LM_COMPLETE_NETWORK,
  LM_COMPLETE_GRAPHICS,
  LM_COMPLETE_SEED_FILE, /* KEY=FILE of --cloud-init */
} LmCompleteKind;

typedef struct
{
  const char *name; /* NULL ends a table */
  char short_name;  /* 0: none */
  guint flags;      /* LmOptionFlags */
  const char *metavar;
  const char *help;
  LmCompleteKind complete;
} LmOption;

typedef enum
{
  LM_CLI_ERROR_USAGE,
  LM_CLI_ERROR_OUTPUT, /* standard output takes no more */
} LmCliError;

#define LM_CLI_ERROR lm_cli_error_quark ()
GQuark lm_cli_error_quark (void);

typedef struct _LmArgs LmArgs;

/** lm_args_new: no options, no words. @tables: NULL-terminated list of option
 * tables that must outlive the result; a name stands in one of them only. */
LmArgs *lm_args_new (const LmOption *const *tables);
void lm_args_free (LmArgs *args);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmArgs, lm_args_free)

/** lm_args_parse: reads @argv (argv[0] is skipped) into @args, which may hold
 * values already. @first_word_ends: stop at the first word that is no option.
 * *out_used (may be NULL): how many of @argv were consumed.
 * Errors: LM_CLI_ERROR_USAGE. Not thread safe (getopt). */
gboolean lm_args_parse (LmArgs *args, int argc, char **argv, gboolean first_word_ends, int *out_used, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_args_add_word: adds a word that is no option. */
void lm_args_add_word (LmArgs *args, const char *word);

/** lm_args_option: the table entry of @name; NULL if there is none. */
const LmOption *lm_args_option (LmArgs *args, const char *name);

gboolean lm_args_has (LmArgs *args, const char *name);
/** lm_args_get: the last value; NULL if not given or given without one. */
const char *lm_args_get (LmArgs *args, const char *name);
/** lm_args_get_all: every value, NULL-terminated; owned by @args; never NULL. */
const char *const *lm_args_get_all (LmArgs *args, const char *name);
/** lm_args_words: the words that are no options; NULL-terminated, owned by @args. */
const char *const *lm_args_words (LmArgs *args);
guint lm_args_n_words (LmArgs *args);

/** lm_args_get_uint: the value as a number within @min and @max, or @fallback
 * if not given. Errors: LM_CLI_ERROR_USAGE. */
gboolean lm_args_get_uint (LmArgs *args, const char *name, guint64 min, guint64 max, guint64 fallback,
                           guint64 *out_value, GError **error) G_GNUC_WARN_UNUSED_RESULT;

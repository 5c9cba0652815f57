/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The command line as data: the same tables of options serve parsing, help and
 * completion. getopt_long() does the parsing; values are kept as text until a verb
 * needs them. */
#include <glib.h>

typedef enum
{
  LM_OPTION_FLAG = 0,          /* takes no value */
  LM_OPTION_VALUE = 1 << 0,    /* takes a value */
  LM_OPTION_OPTIONAL = 1 << 1, /* --name[=VALUE] */
  LM_OPTION_MULTIPLE = 1 << 2, /* may be given several times; all values count */
  LM_OPTION_SPEC = 1 << 3,     /* may also be given in a spec file */
} LmOptionFlags;

/* What completion offers for a word. */
typedef enum
{
  LM_COMPLETE_NONE,
  LM_COMPLETE_FILE,
  LM_COMPLETE_DIRECTORY,
  LM_COMPLETE_SELECTION, /* layers in the catalogs */
  LM_COMPLETE_MACHINE,  /* machines that lamina made */
  LM_COMPLETE_SOURCE,    /* catalog sources */
  LM_COMPLETE_TEMPLATE,
  LM_COMPLETE_PROGRESS,  /* this and the following: values of an option */
  LM_COMPLETE_VIRT_TYPE,
  LM_COMPLETE_NETWORK,
  LM_COMPLETE_GRAPHICS,
  LM_COMPLETE_IMAGE_FORMAT,
  LM_COMPLETE_READINESS,
  LM_COMPLETE_SEED_FILE, /* KEY=FILE of --cloud-init */
} LmCompleteKind;

typedef struct
{
  const char *name; /* NULL at the end of a table */
  char short_name;  /* 0 if none */
  guint flags;      /* LmOptionFlags */
  const char *metavar;
  const char *help;
  LmCompleteKind complete;
} LmOption;

typedef enum
{
  LM_CLI_ERROR_USAGE,
  LM_CLI_ERROR_OUTPUT, /* standard output cannot be written */
} LmCliError;

#define LM_CLI_ERROR lm_cli_error_quark ()
GQuark lm_cli_error_quark (void);

typedef struct _LmArgs LmArgs;

/** lm_args_new: returns a set without options and words; never NULL. @tables is a
 * NULL-terminated list of option tables, which must outlive the result; a name may
 * occur in one of them only. */
LmArgs *lm_args_new (const LmOption *const *tables);
/** lm_args_free: frees @args; NULL is ignored. */
void lm_args_free (LmArgs *args);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmArgs, lm_args_free)

/** lm_args_parse: parses @argv (argv[0] is skipped) into @args, which may contain
 * values already. If @first_word_ends is set, stops at the first word that is not
 * an option. *out_used (which may be NULL) is the number of elements of @argv that
 * were used. Errors: LM_CLI_ERROR_USAGE. Not thread-safe (getopt). */
gboolean lm_args_parse (LmArgs *args, int argc, char **argv, gboolean first_word_ends, int *out_used, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_args_add_word: adds a word that is not an option. */
void lm_args_add_word (LmArgs *args, const char *word);

/** lm_args_option: returns the table entry of the option @name; NULL if there is none. */
const LmOption *lm_args_option (LmArgs *args, const char *name);

/** lm_args_find_similar: returns the name of the option that is most similar to @name, of those that have all @flags;
 * NULL if none is. */
const char *lm_args_find_similar (LmArgs *args, guint flags, const char *name);

/** lm_args_has: whether the option @name was given. */
gboolean lm_args_has (LmArgs *args, const char *name);
/** lm_args_get: returns the last value of the option; NULL if it was not given or
 * has no value. Owned by @args. */
const char *lm_args_get (LmArgs *args, const char *name);
/** lm_args_get_all: returns all values of the option, NULL-terminated; never NULL. Owned by @args. */
const char *const *lm_args_get_all (LmArgs *args, const char *name);
/** lm_args_words: returns the words that are not options, NULL-terminated. Owned by @args. */
const char *const *lm_args_words (LmArgs *args);
/** lm_args_unique_words: returns the words without duplicates, in their order;
 * newly allocated. */
char **lm_args_unique_words (LmArgs *args);
/** lm_args_n_words: returns the number of these words. */
guint lm_args_n_words (LmArgs *args);

/** lm_args_get_uint: gets the value as a number from @min to @max, or @fallback if
 * it was not given. Errors: LM_CLI_ERROR_USAGE. */
gboolean lm_args_get_uint (LmArgs *args, const char *name, guint64 min, guint64 max, guint64 fallback,
                           guint64 *out_value, GError **error) G_GNUC_WARN_UNUSED_RESULT;

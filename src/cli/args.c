/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cli/args.h"
#include "base/error.h"
#include "base/suggestion.h"

#include <getopt.h>
#include <string.h>

G_DEFINE_QUARK (lm-cli-error-quark, lm_cli_error)

/* Values of struct option.val from here on cannot be those of short options. */
#define LONG_BASE 256

struct _LmArgs
{
  const LmOption *const *tables;
  GHashTable *values; /* name -> GPtrArray of text, NULL-terminated */
  GPtrArray *words;   /* NULL-terminated */
};

static GPtrArray *
list_new (void)
{
  GPtrArray *list = g_ptr_array_new_with_free_func (g_free);
  g_ptr_array_add (list, NULL);
  return list;
}

/* Lists always end with NULL, so that they can be returned as char **. */
static void
list_append (GPtrArray *list, const char *text)
{
  g_ptr_array_insert (list, (int) list->len - 1, g_strdup (text));
}

LmArgs *
lm_args_new (const LmOption *const *tables)
{
  LmArgs *args = g_new0 (LmArgs, 1);
  args->tables = tables;
  args->values = g_hash_table_new_full (g_str_hash, g_str_equal, NULL, (GDestroyNotify) g_ptr_array_unref);
  args->words = list_new ();
  return args;
}

void
lm_args_free (LmArgs *args)
{
  if (args == NULL)
    return;
  g_hash_table_unref (args->values);
  g_ptr_array_unref (args->words);
  g_free (args);
}

const LmOption *
lm_args_option (LmArgs *args, const char *name)
{
  for (const LmOption *const *table = args->tables; *table; table++)
    for (const LmOption *option = *table; option->name; option++)
      if (strcmp (option->name, name) == 0)
        return option;
  return NULL;
}

static void
add_option_value (LmArgs *args, const LmOption *option, const char *value)
{
  GPtrArray *list = g_hash_table_lookup (args->values, option->name);
  if (list == NULL)
    {
      list = list_new ();
      g_hash_table_insert (args->values, (char *) option->name, list);
    }
  if (value != NULL)
    list_append (list, value);
}

void
lm_args_add_word (LmArgs *args, const char *word)
{
  list_append (args->words, word);
}

/* Converts the tables to getopt's form: @out_short and @out_long are for
 * getopt_long(), @out_index maps (val - LONG_BASE) to the option. */
static void
build_getopt (LmArgs *args, gboolean first_word_ends, GString *out_short, GArray *out_long, GPtrArray *out_index)
{
  g_string_append (out_short, first_word_ends ? "+:" : ":");
  for (const LmOption *const *table = args->tables; *table; table++)
    for (const LmOption *option = *table; option->name; option++)
      {
        int has_arg = (option->flags & LM_OPTION_OPTIONAL) ? optional_argument
                      : (option->flags & LM_OPTION_VALUE)  ? required_argument
                                                           : no_argument;
        struct option entry = { option->name, has_arg, NULL, LONG_BASE + (int) out_index->len };
        g_array_append_val (out_long, entry);
        g_ptr_array_add (out_index, (gpointer) option);
        if (option->short_name)
          {
            g_string_append_c (out_short, option->short_name);
            if (has_arg == required_argument)
              g_string_append_c (out_short, ':');
          }
      }
}

static const LmOption *
find_short (GPtrArray *index, int c)
{
  for (guint i = 0; i < index->len; i++)
    {
      const LmOption *option = g_ptr_array_index (index, i);
      if (option->short_name == c)
        return option;
    }
  return NULL;
}

const char *
lm_args_find_similar (LmArgs *args, guint flags, const char *name)
{
  LmSuggestion suggestion;
  lm_suggestion_init (&suggestion, name);
  for (const LmOption *const *table = args->tables; *name != '\0' && *table != NULL; table++)
    for (const LmOption *option = *table; option->name; option++)
      if ((option->flags & flags) == flags)
        lm_suggestion_consider (&suggestion, option->name);
  return suggestion.best;
}

/* @word is an option that there is not. */
static gboolean
throw_unknown (LmArgs *args, const char *word, GError **error)
{
  g_autofree char *name = g_str_has_prefix (word, "--") ? g_strndup (word + 2, strcspn (word + 2, "=")) : g_strdup ("");
  const char *similar = lm_args_find_similar (args, 0, name);
  if (similar == NULL)
    return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "%s: unknown option", word);
  return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "%s: unknown option; did you mean \"--%s\"?", word, similar);
}

gboolean
lm_args_parse (LmArgs *args, int argc, char **argv, gboolean first_word_ends, int *out_used, GError **error)
{
  g_autoptr (GString) shorts = g_string_new (NULL);
  g_autoptr (GArray) longs = g_array_new (TRUE, TRUE, sizeof (struct option));
  g_autoptr (GPtrArray) index = g_ptr_array_new ();
  build_getopt (args, first_word_ends, shorts, longs, index);

  opterr = 0;
  optind = 0; /* makes glibc start again */
  for (;;)
    {
      int c = getopt_long (argc, argv, shorts->str, (const struct option *) (void *) longs->data, NULL);
      if (c == -1)
        break;
      if (c == '?' && optopt < LONG_BASE)
        return throw_unknown (args, argv[optind - 1], error);
      if (c == '?' || c == ':')
        return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "%s: %s", argv[optind - 1],
                         c == ':' ? "this option requires a value" : "this option takes no value");
      const LmOption *option = c >= LONG_BASE ? g_ptr_array_index (index, (guint) (c - LONG_BASE)) : find_short (index, c);
      if (option == NULL)
        return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "unknown option: -%c", c);
      if (lm_args_has (args, option->name) && (option->flags & LM_OPTION_VALUE) && !(option->flags & LM_OPTION_MULTIPLE)
          && lm_args_get (args, option->name) != NULL && g_strcmp0 (lm_args_get (args, option->name), optarg) != 0)
        return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "option --%s is given twice", option->name);
      add_option_value (args, option, optarg);
    }
  if (out_used)
    *out_used = optind;
  if (!first_word_ends)
    for (int i = optind; i < argc; i++)
      lm_args_add_word (args, argv[i]);
  return TRUE;
}

gboolean
lm_args_has (LmArgs *args, const char *name)
{
  g_return_val_if_fail (lm_args_option (args, name) != NULL, FALSE);
  return g_hash_table_contains (args->values, name);
}

const char *const *
lm_args_get_all (LmArgs *args, const char *name)
{
  static const char *const none[] = { NULL };
  g_return_val_if_fail (lm_args_option (args, name) != NULL, none);
  GPtrArray *list = g_hash_table_lookup (args->values, name);
  return list ? (const char *const *) list->pdata : none;
}

const char *
lm_args_get (LmArgs *args, const char *name)
{
  const char *last = NULL;
  for (const char *const *value = lm_args_get_all (args, name); *value; value++)
    last = *value;
  return last;
}

const char *const *
lm_args_words (LmArgs *args)
{
  return (const char *const *) args->words->pdata;
}

char **
lm_args_unique_words (LmArgs *args)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  g_autoptr (GHashTable) seen = g_hash_table_new (g_str_hash, g_str_equal);
  for (const char *const *word = lm_args_words (args); *word; word++)
    if (g_hash_table_add (seen, (gpointer) *word))
      g_strv_builder_add (builder, *word);
  return g_strv_builder_end (builder);
}

guint
lm_args_n_words (LmArgs *args)
{
  return args->words->len - 1;
}

gboolean
lm_args_get_uint (LmArgs *args, const char *name, guint64 min, guint64 max, guint64 fallback, guint64 *out_value, GError **error)
{
  const char *text = lm_args_get (args, name);
  if (text == NULL)
    {
      *out_value = fallback;
      return TRUE;
    }
  g_autoptr (GError) ignored = NULL;
  if (!g_ascii_string_to_unsigned (text, 10, min, max, out_value, &ignored))
    return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE,
                     "--%s=%s: expected a number from %" G_GUINT64_FORMAT " to %" G_GUINT64_FORMAT, name, text, min,
                     max);
  return TRUE;
}

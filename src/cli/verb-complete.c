/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cli/help.h"
#include "catalog/catalog-set.h"
#include "machine/machine.h"
#include "source/source.h"

#include <stdio.h>
#include <string.h>

/* The shell calls "lamina complete WORD..." with the words after "lamina" on its
 * command line; the last one is the word under the cursor and may be empty.
 * Candidates are printed one per line; if the first line is ":file" or
 * ":directory", the shell completes file names itself. There are no errors, because
 * a shell has no use for them. */

static void
offer_candidate (const char *candidate, const char *prefix)
{
  if (g_str_has_prefix (candidate, prefix))
    puts (candidate);
}

static void
offer_options (const LmOption *options, const char *prefix)
{
  for (const LmOption *option = options; option && option->name; option++)
    {
      g_autofree char *text = g_strconcat ("--", option->name, NULL);
      offer_candidate (text, prefix);
    }
}

/* Offers the words of verbs: "catalog" first, then the second words. */
static void
offer_verbs (const char *first, const char *prefix)
{
  const char *last = "";
  g_autofree char *kept = NULL;
  for (const LmVerb *const *verb = lm_verbs; *verb; verb++)
    {
      if ((*verb)->summary == NULL)
        continue;
      g_auto (GStrv) words = g_strsplit ((*verb)->name, " ", 2);
      if (first != NULL && strcmp (words[0], first) == 0 && words[1] != NULL)
        offer_candidate (words[1], prefix);
      if (first == NULL && strcmp (words[0], last) != 0)
        offer_candidate (words[0], prefix);
      g_free (kept);
      last = kept = g_strdup (words[0]);
    }
}

static void
offer_selections (const LmInvocation *invocation, const char *prefix)
{
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (LmCatalogSet) set = lm_source_load_all (invocation->settings->state_dir, NULL, warnings, NULL, NULL);
  g_autoptr (GPtrArray) layers = set ? lm_catalog_set_load_layers (set) : NULL;
  for (guint i = 0; layers && i < layers->len; i++)
    {
      const LmLayer *layer = g_ptr_array_index (layers, i);
      g_autofree char *grouped = g_strdup_printf ("%s=%s", layer->group, layer->name);
      offer_candidate (layer->name, prefix);
      offer_candidate (grouped, prefix);
    }
}

static void
offer_machines (const char *state_dir, const char *prefix)
{
  g_autoptr (GPtrArray) list = lm_machine_list (state_dir, NULL, NULL);
  for (guint i = 0; list && i < list->len; i++)
    offer_candidate (((LmMachine *) g_ptr_array_index (list, i))->name, prefix);
}

static void
offer_sources (const char *state_dir, const char *prefix)
{
  g_autoptr (GPtrArray) list = lm_source_list (state_dir, NULL, NULL);
  for (guint i = 0; list && i < list->len; i++)
    offer_candidate (((LmSource *) g_ptr_array_index (list, i))->name, prefix);
}

static void
offer_templates (char **dirs, const char *prefix)
{
  for (char **path = dirs; *path; path++)
    {
      g_autoptr (GDir) dir = g_dir_open (*path, 0, NULL);
      const char *file;
      while (dir && (file = g_dir_read_name (dir)) != NULL)
        if (g_str_has_suffix (file, ".xml"))
          {
            g_autofree char *name = g_strndup (file, strlen (file) - strlen (".xml"));
            offer_candidate (name, prefix);
          }
    }
}

static void
offer_words (const char *const *words, const char *prefix)
{
  for (; *words; words++)
    offer_candidate (*words, prefix);
}

static void
offer_seed_file (const char *prefix)
{
  static const char *const keys[] = { "user-data=", "meta-data=", "network-config=", "ssh-key=", NULL };
  if (strchr (prefix, '=') != NULL)
    puts (":file");
  else
    offer_words (keys, prefix);
}

static void
offer_kind (const LmInvocation *invocation, LmCompleteKind kind, const char *prefix)
{
  const LmSettings *settings = invocation->settings;
  switch (kind)
    {
    case LM_COMPLETE_NONE:
      break;
    case LM_COMPLETE_FILE:
      puts (":file");
      break;
    case LM_COMPLETE_DIRECTORY:
      puts (":directory");
      break;
    case LM_COMPLETE_SELECTION:
      offer_selections (invocation, prefix);
      break;
    case LM_COMPLETE_MACHINE:
      offer_machines (settings->state_dir, prefix);
      break;
    case LM_COMPLETE_SOURCE:
      offer_sources (settings->state_dir, prefix);
      break;
    case LM_COMPLETE_TEMPLATE:
      offer_templates (settings->template_dirs, prefix);
      break;
    case LM_COMPLETE_PROGRESS:
      offer_words ((const char *const[]){ "auto", "json", "lines", "none", NULL }, prefix);
      break;
    case LM_COMPLETE_VIRT_TYPE:
      offer_words ((const char *const[]){ "kvm", "qemu", NULL }, prefix);
      break;
    case LM_COMPLETE_NETWORK:
      offer_words ((const char *const[]){ "user", "default", "network=", "bridge=", "none", NULL }, prefix);
      break;
    case LM_COMPLETE_GRAPHICS:
      offer_words ((const char *const[]){ "none", "vnc", "spice", NULL }, prefix);
      break;
    case LM_COMPLETE_IMAGE_FORMAT:
      offer_words ((const char *const[]){ "qcow2", "raw", NULL }, prefix);
      break;
    case LM_COMPLETE_READINESS:
      offer_words ((const char *const[]){ "ready", "stopped", NULL }, prefix);
      break;
    case LM_COMPLETE_SEED_FILE:
      offer_seed_file (prefix);
      break;
    }
}

static const LmOption *
find_option (const LmOption *options, const char *word)
{
  for (const LmOption *option = options; option && option->name; option++)
    if ((g_str_has_prefix (word, "--") && strcmp (word + 2, option->name) == 0)
        || (word[0] == '-' && option->short_name && word[1] == option->short_name && word[2] == '\0'))
      return option;
  return NULL;
}

static gboolean
takes_next_word (const LmOption *option)
{
  return option && (option->flags & LM_OPTION_VALUE) && !(option->flags & LM_OPTION_OPTIONAL);
}

/* For --option=VALUE under the cursor; sets *prefix to the beginning of the value. */
static const LmOption *
find_joined (const LmVerb *verb, const char **prefix)
{
  const char *equals = g_str_has_prefix (*prefix, "--") ? strchr (*prefix, '=') : NULL;
  if (equals == NULL)
    return NULL;
  g_autofree char *word = g_strndup (*prefix, (gsize) (equals - *prefix));
  const LmOption *option = find_option (lm_global_options, word);
  if (option == NULL && verb != NULL)
    option = find_option (verb->options, word);
  if (option == NULL || !(option->flags & LM_OPTION_VALUE))
    return NULL;
  *prefix = equals + 1;
  return option;
}

static gboolean
run_complete (const LmInvocation *invocation, GError **error)
{
  guint n = lm_args_n_words (invocation->args);
  const char *const *words = lm_args_words (invocation->args);
  const char *prefix = n ? words[n - 1] : "";

  /* The words before the cursor, without options and their values. */
  g_autoptr (GPtrArray) plain = g_ptr_array_new ();
  const LmVerb *verb = NULL;
  const LmOption *pending = NULL;
  guint used = 0;
  for (guint i = 0; i + 1 < n; i++)
    {
      if (takes_next_word (pending))
        {
          pending = NULL;
          continue;
        }
      pending = find_option (lm_global_options, words[i]);
      if (pending == NULL && verb)
        pending = find_option (verb->options, words[i]);
      if (words[i][0] == '-')
        continue;
      g_ptr_array_add (plain, (gpointer) words[i]);
      const char *const name[] = { plain->pdata[0], plain->len > 1 ? plain->pdata[1] : NULL, NULL };
      verb = lm_verb_find (name, &used);
    }

  const LmOption *joined = find_joined (verb, &prefix);
  if (joined)
    offer_kind (invocation, joined->complete, prefix);
  else if (takes_next_word (pending))
    offer_kind (invocation, pending->complete, prefix);
  else if (prefix[0] == '-')
    {
      offer_options (lm_global_options, prefix);
      if (verb)
        offer_options (verb->options, prefix);
    }
  else if (verb == NULL)
    offer_verbs (plain->len ? plain->pdata[0] : NULL, prefix);
  else if (verb == &lm_verb_help)
    offer_verbs (plain->len > 1 ? plain->pdata[1] : NULL, prefix);
  else
    offer_kind (invocation, plain->len == used ? verb->first : verb->others, prefix);
  return TRUE;
}

const LmVerb lm_verb_complete = {
  .name = "complete",
  .synopsis = "WORD...",
  .max_words = G_MAXUINT,
  .run = run_complete,
};

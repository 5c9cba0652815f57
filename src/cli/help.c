/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cli/help.h"

#include <stdio.h>
#include <string.h>

#define OPTION_WIDTH 36

const LmVerb *const lm_verbs[] = {
  &lm_verb_launch,      &lm_verb_define,       &lm_verb_xml,          &lm_verb_ps,
  &lm_verb_show,        &lm_verb_wait,
  &lm_verb_rm,          &lm_verb_outdated,     &lm_verb_plan,         &lm_verb_pull,
  &lm_verb_list,        &lm_verb_import,      &lm_verb_build,       &lm_verb_capture,
  &lm_verb_diff,        &lm_verb_flatten,     &lm_verb_publish,
  &lm_verb_cache_show,  &lm_verb_cache_du,     &lm_verb_cache_gc,     &lm_verb_cache_pin,
  &lm_verb_cache_unpin, &lm_verb_cache_verify, &lm_verb_cache_clear,
  &lm_verb_cache_list,  &lm_verb_cache_export, &lm_verb_cache_import,
  &lm_verb_catalog_add,  &lm_verb_catalog_list, &lm_verb_catalog_update,
  &lm_verb_catalog_remove, &lm_verb_catalog_check, &lm_verb_graph, &lm_verb_group, &lm_verb_doctor,
  &lm_verb_hook_install, &lm_verb_hook_status, &lm_verb_hook_remove,
  &lm_verb_help,      &lm_verb_complete,     &lm_verb_hook_note,   &lm_verb_hook_prepare, NULL,
};

const LmOption lm_global_options[] = {
  { "connect", 'c', LM_OPTION_VALUE, "URI", "libvirt connection, as for virsh", LM_COMPLETE_NONE },
  { "catalog", 0, LM_OPTION_VALUE | LM_OPTION_MULTIPLE, "URL|FILE",
   "also use this catalog, before the added ones", LM_COMPLETE_FILE },
  { "state-dir", 0, LM_OPTION_VALUE, "DIR", "directory for layers and machines", LM_COMPLETE_DIRECTORY },
  { "config", 0, LM_OPTION_VALUE, "FILE", "use this file instead of lamina.conf", LM_COMPLETE_FILE },
  { "json", 0, LM_OPTION_FLAG, NULL, "print one JSON document", LM_COMPLETE_NONE },
  { "progress", 0, LM_OPTION_VALUE, "KIND", "auto, json, lines or none (on stderr)", LM_COMPLETE_PROGRESS },
  { "verbose", 'v', LM_OPTION_FLAG, NULL, "show the commands that are run", LM_COMPLETE_NONE },
  { "help", 'h', LM_OPTION_FLAG, NULL, "show this help", LM_COMPLETE_NONE },
  { "version", 0, LM_OPTION_FLAG, NULL, "show the version and build options", LM_COMPLETE_NONE },
  { NULL },
};

/* Short names that other programs have for the same. */
static const struct
{
  const char *name;
  const LmVerb *verb;
} aliases[] = {
  { "delete", &lm_verb_rm }, { "images", &lm_verb_cache_list }, { "info", &lm_verb_show }, { "ls", &lm_verb_ps },
};

const LmVerb *
lm_verb_find (const char *const *words, guint *out_used)
{
  if (words[0] == NULL)
    return NULL;
  g_autofree char *two = words[1] ? g_strdup_printf ("%s %s", words[0], words[1]) : NULL;
  for (const LmVerb *const *verb = lm_verbs; *verb; verb++)
    {
      gboolean first = strcmp ((*verb)->name, words[0]) == 0;
      if (first || g_strcmp0 ((*verb)->name, two) == 0)
        {
          *out_used = first ? 1 : 2;
          return *verb;
        }
    }
  *out_used = 1;
  for (gsize i = 0; i < G_N_ELEMENTS (aliases); i++)
    if (strcmp (aliases[i].name, words[0]) == 0)
      return aliases[i].verb;
  return NULL;
}

static void
print_options (const char *title, const LmOption *options)
{
  if (options == NULL || options->name == NULL)
    return;
  printf ("\n%s:\n", title);
  for (const LmOption *option = options; option->name; option++)
    {
      g_autoptr (GString) left = g_string_new (NULL);
      if (option->short_name)
        g_string_append_printf (left, "  -%c, --%s", option->short_name, option->name);
      else
        g_string_append_printf (left, "      --%s", option->name);
      if (option->flags & LM_OPTION_OPTIONAL)
        g_string_append_printf (left, "[=%s]", option->metavar);
      else if (option->metavar)
        g_string_append_printf (left, " %s", option->metavar);
      if (left->len < OPTION_WIDTH)
        printf ("%-*s  %s\n", OPTION_WIDTH, left->str, option->help);
      else
        printf ("%s\n%*s  %s\n", left->str, OPTION_WIDTH, "", option->help);
    }
}

void
lm_help_print_all (void)
{
  puts ("Usage: lamina VERB [OPTIONS] [ARGS]\n\n"
        "Creates virtual machines from shared layers: the selected layers become a chain\n"
        "of cached, read-only images with a writable overlay on top.\n\nVerbs:");
  for (const LmVerb *const *verb = lm_verbs; *verb; verb++)
    if ((*verb)->summary != NULL)
      printf ("  %-16s  %s\n", (*verb)->name, (*verb)->summary);
  print_options ("Global options", lm_global_options);
  puts ("\nExit status: 0 done, 1 failed, 2 usage, 3 no such layer or selection, 4 busy or\n"
        "timed out, 5 network or source, 6 refused (digest, image), 7 libvirt, 8 no space,\n"
        "9 there already, but different, 10 damage that was not repaired.\n\n"
        "\"lamina VERB --help\" describes a verb and names its manual page; see also lamina(1).");
}

void
lm_help_print_verb (const LmVerb *verb)
{
  printf ("Usage: lamina %s [OPTIONS]%s%s\n\n", verb->name, verb->synopsis ? " " : "", verb->synopsis ? verb->synopsis : "");
  if (verb->summary)
    {
      g_autofree char *summary = g_strdup (verb->summary);
      summary[0] = g_ascii_toupper (summary[0]);
      printf ("%s.\n", summary);
    }
  print_options ("Options", verb->options);
  print_options ("Global options", lm_global_options);
  if (verb->page)
    printf ("\nSee %s(1).\n", verb->page);
}

gboolean
lm_help_print_group (const char *word)
{
  g_autofree char *prefix = g_strconcat (word, " ", NULL);
  guint found = 0;
  for (const LmVerb *const *verb = lm_verbs; *verb; verb++)
    {
      if (!g_str_has_prefix ((*verb)->name, prefix))
        continue;
      if (found++ == 0)
        printf ("Usage: lamina %s VERB [OPTIONS] [ARGS]\n\nVerbs:\n", word);
      printf ("  %-16s  %s\n", (*verb)->name, (*verb)->summary);
    }
  return found > 0;
}

void
lm_help_print_version (void)
{
  puts (PACKAGE_NAME " " PACKAGE_VERSION "\n"
        "built with " LM_BUILT_WITH "\n"
        "features: " LM_FEATURES);
}

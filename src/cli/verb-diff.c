/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "author/difference.h"
#include "base/error.h"
#include "base/json.h"
#include "cli/host.h"
#include "cli/output.h"

#include <stdio.h>

static const struct
{
  guint what;
  const char *word;
} kinds[] = {
  { LM_FILE_CHANGE_TYPE, "type" },       { LM_FILE_CHANGE_MODE, "mode" }, { LM_FILE_CHANGE_OWNER, "owner" },
  { LM_FILE_CHANGE_CONTENT, "content" }, { LM_FILE_CHANGE_TIME, "time" },
};

static char
get_letter (gboolean before, gboolean after)
{
  return before && after ? 'C' : before ? 'D' : 'A';
}

static const char *
get_word (gboolean before, gboolean after)
{
  return before && after ? "changed" : before ? "removed" : "added";
}

static const LmFileEntry *
get_entry (const LmFileChange *change)
{
  return change->after != NULL ? change->after : change->before;
}

static void
add_file (JsonBuilder *builder, const LmFileChange *change)
{
  const char type[] = { get_entry (change)->type, '\0' };
  g_autofree char *path = g_utf8_make_valid (get_entry (change)->path, -1);
  json_builder_begin_object (builder);
  lm_json_add_string (builder, "path", path);
  lm_json_add_string (builder, "change", get_word (change->before != NULL, change->after != NULL));
  lm_json_add_string (builder, "type", type);
  json_builder_set_member_name (builder, "what");
  json_builder_begin_array (builder);
  for (gsize i = 0; i < G_N_ELEMENTS (kinds); i++)
    if ((change->what & kinds[i].what) != 0)
      json_builder_add_string_value (builder, kinds[i].word);
  json_builder_end_array (builder);
  json_builder_end_object (builder);
}

static void
add_package (JsonBuilder *builder, const LmPackageChange *change)
{
  json_builder_begin_object (builder);
  lm_json_add_string (builder, "name", change->name);
  lm_json_add_string (builder, "change", get_word (change->before != NULL, change->after != NULL));
  lm_json_add_string (builder, "before", change->before);
  lm_json_add_string (builder, "after", change->after);
  json_builder_end_object (builder);
}

static void
print_json (const LmDifference *difference)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  lm_json_add_string (builder, "name", difference->name);
  lm_json_add_string (builder, "parent", difference->parent);
  json_builder_set_member_name (builder, "packages");
  json_builder_begin_array (builder);
  for (guint i = 0; i < difference->packages->len; i++)
    add_package (builder, g_ptr_array_index (difference->packages, i));
  json_builder_end_array (builder);
  json_builder_set_member_name (builder, "files");
  json_builder_begin_array (builder);
  for (guint i = 0; difference->files != NULL && i < difference->files->len; i++)
    add_file (builder, &g_array_index (difference->files, LmFileChange, i));
  json_builder_end_array (builder);
  lm_output_json (builder);
}

static void
print_lines (const LmDifference *difference)
{
  for (guint i = 0; i < difference->packages->len; i++)
    {
      const LmPackageChange *change = g_ptr_array_index (difference->packages, i);
      const char letter = get_letter (change->before != NULL, change->after != NULL);
      const char *version = change->after != NULL ? change->after : change->before;
      printf ("%c %s=%s", letter, change->name, version);
      if (letter == 'C')
        printf (" (before: %s)", change->before);
      putchar ('\n');
    }
  for (guint i = 0; difference->files != NULL && i < difference->files->len; i++)
    {
      const LmFileChange *change = &g_array_index (difference->files, LmFileChange, i);
      g_autofree char *path = lm_output_safe (get_entry (change)->path);
      printf ("%c %s\n", get_letter (change->before != NULL, change->after != NULL), path);
    }
}

static gboolean
run_diff (const LmInvocation *invocation, GError **error)
{
  LmArgs *args = invocation->args;
  const gboolean packages = lm_args_has (args, "packages"), files = lm_args_has (args, "files");
  const LmDifferenceRequest request = {
    .selections = lm_args_words (args),
    .machine = lm_args_get (args, "machine"),
    .packages = packages || !files,
    .files = files || !packages,
    .content = lm_args_has (args, "content"),
    .appliance = { .program = invocation->settings->appliance_program, .virt_type = invocation->settings->virt_type },
  };
  if ((*request.selections == NULL) == (request.machine == NULL))
    return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "give either selections or --machine");
  g_autoptr (LmCliHost) host = lm_cli_host_new (invocation, error);
  g_autoptr (LmVirt) virt = host != NULL && request.machine != NULL ? lm_cli_connect (host, error) : NULL;
  if (host == NULL || (request.machine != NULL && virt == NULL))
    return FALSE;
  g_autoptr (LmDifference) difference = lm_difference_find (&host->host, virt, &request, invocation->cancellable, error);
  if (difference == NULL)
    return FALSE;
  if (lm_args_has (args, "json"))
    print_json (difference);
  else
    print_lines (difference);
  return TRUE;
}

static const LmOption options[] = {
  { "machine", 0, LM_OPTION_VALUE, "NAME", "what this machine, which is shut off, changes relative to its layers", LM_COMPLETE_MACHINE },
  { "packages", 0, LM_OPTION_FLAG, NULL, "compare packages only", LM_COMPLETE_NONE },
  { "files", 0, LM_OPTION_FLAG, NULL, "compare files only", LM_COMPLETE_NONE },
  { "content", 0, LM_OPTION_FLAG, NULL, "read all files, so that one with the same content does not count as changed", LM_COMPLETE_NONE },
  { NULL },
};

const LmVerb lm_verb_diff = {
  .name = "diff",
  .page = "lamina-layers",
  .synopsis = "[SELECTION...]",
  .summary = "list the packages and files that a layer changes",
  .min_words = 0,
  .max_words = G_MAXUINT,
  .options = options,
  .first = LM_COMPLETE_SELECTION,
  .others = LM_COMPLETE_SELECTION,
  .run = run_diff,
};

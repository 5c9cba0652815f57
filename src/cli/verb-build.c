/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "author/builder.h"
#include "base/error.h"
#include "base/json.h"
#include "build/recipe-dir.h"
#include "catalog/selection.h"
#include "cli/host.h"
#include "cli/layer-result.h"
#include "cli/output.h"

#define MADE "built"

static void
print_json (const LmCliHost *host, const GPtrArray *results)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "layers");
  json_builder_begin_array (builder);
  for (guint i = 0; i < results->len; i++)
    {
      const LmLayerResult *result = g_ptr_array_index (results, i);
      json_builder_begin_object (builder);
      lm_layer_result_to_json (result, MADE, builder);
      lm_json_add_bool (builder, "locked", result->locked);
      lm_json_add_string (builder, "lock_file", result->lock_path);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  lm_cli_host_built_to_json (host, builder);
  lm_output_json (builder);
}

/* The words of --on may also be given as one, separated by commas. */
static char **
split_chain (const LmInvocation *invocation)
{
  g_autoptr (GStrvBuilder) builder = g_strv_builder_new ();
  for (const char *const *text = lm_args_get_all (invocation->args, "on"); *text != NULL; text++)
    {
      g_auto (GStrv) words = g_strsplit (*text, ",", -1);
      g_strv_builder_addv (builder, (const char **) words);
    }
  return g_strv_builder_end (builder);
}

/* A recipe is given by its path, but layers are selected by their names elsewhere. */
static gboolean
check_word (const LmHost *host, const char *word, GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) unused = g_ptr_array_new_with_free_func (g_free);
  if (!lm_name_is_valid (word) || g_file_test (word, G_FILE_TEST_EXISTS))
    return TRUE;
  g_autoptr (GPtrArray) recipes = lm_recipe_dir_load (host->recipe_dirs, unused, cancellable, error);
  if (recipes == NULL)
    return FALSE;
  const LmRecipe *recipe = lm_recipe_dir_find (recipes, word);
  return recipe == NULL
         || lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE,
                      "there is no file %s; give the path of a recipe, such as %s, or build the layer by \"lamina pull --build %s\"",
                      word, recipe->path, word);
}

static gboolean
run_build (const LmInvocation *invocation, GError **error)
{
  LmArgs *args = invocation->args;
  g_autoptr (GPtrArray) results = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_layer_result_free);
  g_autoptr (LmCliHost) host = lm_cli_host_new (invocation, error);
  g_auto (GStrv) on = split_chain (invocation);
  if (host == NULL)
    return FALSE;
  for (guint i = 0; i < lm_args_n_words (args); i++)
    {
      const LmBuilderRequest request = {
        .recipe = lm_args_words (args)[i],
        .on = (const char *const *) on,
        .packages = lm_args_get_all (args, "packages"),
        .anew = lm_args_has (args, "update"),
        .appliance = { .program = invocation->settings->appliance_program, .virt_type = invocation->settings->virt_type },
      };
      if (!check_word (&host->host, request.recipe, invocation->cancellable, error))
        return FALSE;
      LmLayerResult *result = lm_builder_run (&host->host, &request, invocation->cancellable, error);
      if (result == NULL)
        return FALSE;
      g_ptr_array_add (results, result);
      if (!lm_args_has (args, "json"))
        lm_layer_result_print (result, MADE);
    }
  if (lm_args_has (args, "json"))
    print_json (host, results);
  else
    lm_cli_host_print_built (host);
  return TRUE;
}

static const LmOption options[] = {
  { "on", 0, LM_OPTION_VALUE | LM_OPTION_MULTIPLE, "SELECTION[,...]", "the chain on which to build; default: what the recipe stands on",
    LM_COMPLETE_SELECTION },
  { "packages", 0, LM_OPTION_VALUE | LM_OPTION_MULTIPLE, "FILE|DIR|URL",
    "read this package index instead of the recipe's or apt's", LM_COMPLETE_FILE },
  { "update", 0, LM_OPTION_FLAG, NULL, "choose the versions of packages anew, whatever the lock file says", LM_COMPLETE_NONE },
  { NULL },
};

const LmVerb lm_verb_build = {
  .name = "build",
  .page = "lamina-layers",
  .synopsis = "RECIPE...",
  .summary = "make layers of packages and files, by recipes",
  .min_words = 1,
  .max_words = G_MAXUINT,
  .options = options,
  .first = LM_COMPLETE_FILE,
  .others = LM_COMPLETE_FILE,
  .run = run_build,
};

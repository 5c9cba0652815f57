/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "author/check.h"
#include "base/error.h"
#include "base/json.h"
#include "base/url.h"
#include "catalog/catalog.h"
#include "cli/host.h"
#include "cli/output.h"

#include <stdio.h>

static void
print_check_json (const char *shown, const LmCatalogReport *report, guint errors)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  lm_json_add_string (builder, "catalog", shown);
  lm_json_add_uint (builder, "layers", report->layers);
  lm_json_add_uint (builder, "builds", report->builds);
  lm_json_add_uint (builder, "errors", errors);
  json_builder_set_member_name (builder, "problems");
  json_builder_begin_array (builder);
  for (guint i = 0; i < report->problems->len; i++)
    {
      const LmCatalogProblem *problem = g_ptr_array_index (report->problems, i);
      json_builder_begin_object (builder);
      lm_json_add_uint (builder, "line", problem->line);
      lm_json_add_string (builder, "severity", problem->warning ? "warning" : "error");
      lm_json_add_string (builder, "text", problem->text);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  lm_output_json (builder);
}

static void
print_check (const char *shown, const LmCatalogReport *report, guint errors)
{
  for (guint i = 0; i < report->problems->len; i++)
    {
      const LmCatalogProblem *problem = g_ptr_array_index (report->problems, i);
      g_autofree char *line = problem->line > 0 ? g_strdup_printf (":%u", problem->line) : g_strdup ("");
      g_autofree char *text = lm_output_safe (problem->text);
      printf ("%s%s: %s%s\n", shown, line, problem->warning ? "warning: " : "", text);
    }
  if (errors == 0)
    printf ("%s: %u %s, %u %s, no errors\n", shown, report->layers, report->layers == 1 ? "layer" : "layers", report->builds,
            report->builds == 1 ? "build" : "builds");
}

static gboolean
run_catalog_check (const LmInvocation *invocation, GError **error)
{
  const char *word = lm_args_words (invocation->args)[0];
  g_autoptr (LmCliHost) host = lm_cli_host_new (invocation, error);
  g_autoptr (LmCatalogReport) report
    = host != NULL ? lm_check_catalog (&host->host, word, lm_args_has (invocation->args, "online"), invocation->cancellable, error) : NULL;
  if (report == NULL)
    return FALSE;
  g_autofree char *public = lm_url_redact (word);
  g_autofree char *shown = lm_output_safe (public);
  guint errors = 0;
  for (guint i = 0; i < report->problems->len; i++)
    errors += ((LmCatalogProblem *) g_ptr_array_index (report->problems, i))->warning ? 0 : 1;
  if (lm_args_has (invocation->args, "json"))
    print_check_json (shown, report, errors);
  else
    print_check (shown, report, errors);
  return errors == 0
         || lm_throw (error, LM_CATALOG_ERROR, LM_CATALOG_ERROR_INVALID, "%s has %u %s", shown, errors, errors == 1 ? "error" : "errors");
}

static const LmOption options[] = {
  { "online", 0, LM_OPTION_FLAG, NULL, "also ask the servers for every file, and compare its size", LM_COMPLETE_NONE },
  { NULL },
};

const LmVerb lm_verb_catalog_check = {
  .name = "catalog check",
  .page = "lamina-catalog",
  .synopsis = "URL|FILE",
  .summary = "tell everything that is wrong with a catalog",
  .min_words = 1,
  .max_words = 1,
  .options = options,
  .first = LM_COMPLETE_FILE,
  .run = run_catalog_check,
};

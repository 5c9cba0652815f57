/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cli/host.h"
#include "base/error.h"
#include "base/json.h"
#include "base/size.h"
#include "cli/output.h"

#include <stdio.h>

static void
on_warning (gpointer user_data, const char *text)
{
  lm_output_warning ("%s", text);
}

static void
on_status (gpointer user_data, const char *text)
{
  lm_progress_status (user_data, text);
}

static void
on_progress (const LmFetchProgress *fetch, gpointer user_data)
{
  lm_progress_update (user_data, fetch);
}

LmCliHost *
lm_cli_host_new (const LmInvocation *invocation, GError **error)
{
  const LmSettings *settings = invocation->settings;
  const char *text = lm_args_get (invocation->args, "progress");
  LmProgressKind kind;
  if (!lm_progress_kind (text, &kind))
    return lm_throw_null (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE,
                          "--progress=%s is not valid; use auto, json, lines or none", text);
  LmCliHost *host = g_new0 (LmCliHost, 1);
  host->progress = lm_progress_new (kind);
  host->builder = (LmChainBuilder){
    .appliance = { .program = settings->appliance_program, .virt_type = settings->virt_type },
    .results = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_layer_result_free),
    .leases = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_lock_release),
  };
  gboolean build = settings->build || (lm_args_option (invocation->args, "build") != NULL && lm_args_has (invocation->args, "build"));
  host->host = (LmHost){
    .state_dir = settings->state_dir,
    .uri = settings->connect,
    .cache = { lm_findings_new (), settings->without_flag },
    .libvirt = { settings->libvirt_timeout, invocation->cancellable },
    .catalogs = lm_args_get_all (invocation->args, "catalog"),
    .template_dirs = (const char *const *) settings->template_dirs,
    .osinfo_dirs = (const char *const *) settings->osinfo_dirs,
    .connections = (const char *const *) settings->connections,
    .recipe_dirs = (const char *const *) settings->recipe_dirs,
    .build = build ? lm_chain_builder_run : NULL,
    .build_data = &host->builder,
    .history = settings->history,
    .max_size = settings->max_size,
    .min_free = settings->min_free,
    .transfers = settings->transfers,
    .warning = on_warning,
    .status = on_status,
    .progress = on_progress,
    .user_data = host->progress,
  };
  return host;
}

void
lm_cli_host_free (LmCliHost *host)
{
  if (host == NULL)
    return;
  g_ptr_array_unref (host->builder.results);
  g_ptr_array_unref (host->builder.leases);
  lm_findings_unref (host->host.cache.findings);
  lm_progress_free (host->progress);
  g_free (host);
}

void
lm_cli_host_print_built (const LmCliHost *host)
{
  for (guint i = 0; i < host->builder.results->len; i++)
    {
      const LmLayerResult *result = g_ptr_array_index (host->builder.results, i);
      if (result->action != LM_LAYER_MADE) /* another process was faster */
        continue;
      g_autofree char *size = lm_size_format (result->blob.size);
      printf ("built %s@%s, %s\n", result->name, result->version, size);
    }
}

void
lm_cli_host_built_to_json (const LmCliHost *host, JsonBuilder *builder)
{
  json_builder_set_member_name (builder, "built");
  json_builder_begin_array (builder);
  for (guint i = 0; i < host->builder.results->len; i++)
    {
      const LmLayerResult *result = g_ptr_array_index (host->builder.results, i);
      if (result->action != LM_LAYER_MADE)
        continue;
      json_builder_begin_object (builder);
      lm_json_add_string (builder, "name", result->name);
      lm_json_add_string (builder, "version", result->version);
      lm_json_add_digest (builder, "digest", &result->blob.digest);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
}

LmVirt *
lm_cli_connect (const LmCliHost *host, GError **error)
{
  return lm_virt_connect (host->host.uri, &host->host.libvirt, error);
}

LmHookPlaces
lm_cli_hook_places (const LmSettings *settings)
{
  return (LmHookPlaces){
    .dir = LM_LIBVIRT_HOOKS_DIR,
    .program = settings->hook_program,
    .run_dir = "/run",
    .user_run_dir = g_get_user_runtime_dir (),
  };
}

void
lm_cli_warnings (GPtrArray *warnings)
{
  for (guint i = 0; i < warnings->len; i++)
    lm_output_warning ("%s", (const char *) g_ptr_array_index (warnings, i));
  g_ptr_array_set_size (warnings, 0);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cli/host.h"
#include "base/error.h"
#include "cli/output.h"

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
  host->host = (LmHost){
    .state_dir = settings->state_dir,
    .uri = settings->connect,
    .cache = { lm_findings_new (), settings->without_flag },
    .libvirt = { settings->libvirt_timeout, invocation->cancellable },
    .catalogs = lm_args_get_all (invocation->args, "catalog"),
    .template_dirs = (const char *const *) settings->template_dirs,
    .osinfo_dirs = (const char *const *) settings->osinfo_dirs,
    .connections = (const char *const *) settings->connections,
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
  lm_findings_unref (host->host.cache.findings);
  lm_progress_free (host->progress);
  g_free (host);
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

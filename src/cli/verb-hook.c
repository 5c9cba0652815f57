/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/error.h"
#include "base/json.h"
#include "cli/host.h"
#include "cli/output.h"
#include "ops/hook.h"

#include <stdio.h>
#include <unistd.h>

/* If libvirt cannot be reached, its usual choice of a connection counts. */
static LmVirtScope
find_scope (const LmInvocation *invocation)
{
  const LmSettings *settings = invocation->settings;
  const LmVirtLimits limits = { settings->libvirt_timeout, invocation->cancellable };
  /* A connection starts a daemon that systemd starts on demand. */
  g_autoptr (LmVirt) virt = lm_virt_connect (settings->connect, &limits, NULL);
  if (virt != NULL)
    return lm_virt_scope_of_uri (lm_virt_uri (virt));
  if (settings->connect != NULL)
    return lm_virt_scope_of_uri (settings->connect);
  return geteuid () == 0 ? LM_VIRT_SCOPE_SYSTEM : LM_VIRT_SCOPE_SESSION;
}

static LmHookStatus *
examine_hook (const LmInvocation *invocation, GError **error)
{
  const LmVirtScope scope = find_scope (invocation);
  const LmHookPlaces places = lm_cli_hook_places (invocation->settings);
  return lm_hook_examine (&places, scope, error);
}

static void
print_status_json (const LmHookStatus *status)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  lm_json_add_string (builder, "state", lm_hook_state_name (status->state));
  lm_json_add_string (builder, "path", status->path);
  lm_json_add_string (builder, "daemon", status->daemon.name);
  lm_json_add_uint (builder, "pid", (guint64) status->daemon.pid);
  lm_json_add_string (builder, "what", status->text);
  lm_json_add_string (builder, "command", status->command);
  lm_output_json (builder);
}

static void
print_status (const LmHookStatus *status)
{
  printf ("%-8s %s\n%-8s %s\n", "state", lm_hook_state_name (status->state), "file", status->path);
  if (status->daemon.running)
    printf ("%-8s %s, process %d\n", "daemon", status->daemon.name, status->daemon.pid);
  else if (status->daemon.name != NULL)
    printf ("%-8s %s, not running\n", "daemon", status->daemon.name);
}

static gboolean
run_hook_status (const LmInvocation *invocation, GError **error)
{
  g_autoptr (LmHookStatus) status = examine_hook (invocation, error);
  if (status == NULL)
    return FALSE;
  if (lm_args_has (invocation->args, "json"))
    print_status_json (status);
  else
    print_status (status);
  if (status->state == LM_HOOK_ACTIVE)
    return TRUE;
  return lm_throw (error, LM_HOOK_ERROR, LM_HOOK_ERROR_INACTIVE, "the hook is not %s: %s%s%s%s",
                   status->state <= LM_HOOK_BROKEN ? "active" : "known to be active", status->text,
                   status->command != NULL ? "; run \"" : "", status->command != NULL ? status->command : "",
                   status->command != NULL ? "\"" : "");
}

/* Returns FALSE. */
static gboolean
explain_failure (GError **error)
{
  if (geteuid () != 0 && g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED))
    g_prefix_error (error, "only root can do this: ");
  return FALSE;
}

static gboolean
run_hook_install (const LmInvocation *invocation, GError **error)
{
  const LmHookPlaces places = lm_cli_hook_places (invocation->settings);
  gboolean changed;
  if (!lm_hook_install (&places, &changed, error))
    return explain_failure (error);
  g_autoptr (LmHookStatus) status = examine_hook (invocation, error);
  if (status == NULL)
    return FALSE;
  if (lm_args_has (invocation->args, "json"))
    {
      print_status_json (status);
      return TRUE;
    }
  printf ("%s: %s\n", status->path, changed ? "installed" : "already installed");
  if (status->command != NULL)
    printf ("%s; run \"%s\" (guests keep running)\n", status->text, status->command);
  else
    printf ("%s: %s\n", lm_hook_state_name (status->state), status->text);
  return TRUE;
}

static gboolean
run_hook_remove (const LmInvocation *invocation, GError **error)
{
  const LmHookPlaces places = lm_cli_hook_places (invocation->settings);
  gboolean removed;
  if (!lm_hook_remove (&places, &removed, error))
    return explain_failure (error);
  if (lm_args_has (invocation->args, "json"))
    {
      g_autoptr (JsonBuilder) builder = json_builder_new ();
      json_builder_begin_object (builder);
      lm_json_add_bool (builder, "removed", removed);
      lm_output_json (builder);
    }
  else
    puts (removed ? "the hook was removed" : "the hook was not installed");
  return TRUE;
}

const LmVerb lm_verb_hook_install = {
  .name = "hook install",
  .page = "lamina-doctor",
  .summary = "let libvirt run lamina's hook when a machine starts",
  .run = run_hook_install,
};

const LmVerb lm_verb_hook_remove = {
  .name = "hook remove",
  .page = "lamina-doctor",
  .summary = "undo \"hook install\"",
  .run = run_hook_remove,
};

const LmVerb lm_verb_hook_status = {
  .name = "hook status",
  .page = "lamina-doctor",
  .summary = "tell whether libvirt runs the hook",
  .run = run_hook_status,
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/error.h"
#include "base/json.h"
#include "cli/host.h"
#include "cli/output.h"
#include "ops/inventory.h"
#include "ops/readiness.h"

#include <stdio.h>
#include <string.h>

#define TIMEOUT_DEFAULT 300
#define TIMEOUT_MAX (7 * 24 * 3600)

/* What each machine is waited for. */
typedef struct
{
  LmCliHost *host;
  LmVirt *virt;
  gboolean stopped; /* otherwise ready */
  gint64 end;       /* in monotonic time; 0 for no limit */
  GCancellable *cancellable;
} Wait;

typedef struct
{
  char *name;
  GError *failure; /* NULL if it is as it should be */
  double seconds;
  char **addresses;
} Outcome;

static void
outcome_free (Outcome *outcome)
{
  g_free (outcome->name);
  g_clear_error (&outcome->failure);
  g_strfreev (outcome->addresses);
  g_free (outcome);
}

/* A machine without a domain is stopped. */
static gboolean
wait_for (const Wait *wait, Outcome *outcome, GError **error)
{
  const gint64 now = g_get_monotonic_time ();
  const LmReadinessLimits limits
    = { .seconds = wait->end == 0 ? 0 : (guint) MAX ((wait->end - now + G_USEC_PER_SEC - 1) / G_USEC_PER_SEC, 1) };
  const LmHost *host = &wait->host->host;
  g_autoptr (GError) failure = NULL;
  g_autoptr (LmInventoryEntry) entry = lm_inventory_find (host, wait->virt, outcome->name, error);
  if (entry == NULL)
    return FALSE;
  g_autoptr (LmVirtDomain) domain = lm_virt_find_uuid (wait->virt, entry->machine->uuid, &failure);
  if (domain == NULL && wait->stopped && g_error_matches (failure, LM_VIRT_ERROR, LM_VIRT_ERROR_NOT_FOUND))
    return TRUE;
  if (domain == NULL)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  return wait->stopped
           ? lm_readiness_wait_stopped (host, entry->machine, domain, &limits, wait->cancellable, error)
           : lm_readiness_wait_ready (host, entry->machine, domain, &limits, &outcome->addresses, wait->cancellable, error);
}

static void
print_outcome (const Wait *wait, const Outcome *outcome)
{
  g_autofree char *name = lm_output_safe (outcome->name);
  printf ("%s: %s after %.1f s\n", name, wait->stopped ? "stopped" : "ready", outcome->seconds);
  for (char **address = outcome->addresses; address != NULL && *address != NULL; address++)
    printf ("  address: %s\n", *address);
  (void) fflush (stdout);
}

static void
print_json (const Wait *wait, const GPtrArray *outcomes)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  lm_json_add_string (builder, "for", wait->stopped ? "stopped" : "ready");
  json_builder_set_member_name (builder, "machines");
  json_builder_begin_array (builder);
  for (guint i = 0; i < outcomes->len; i++)
    {
      const Outcome *outcome = g_ptr_array_index (outcomes, i);
      json_builder_begin_object (builder);
      lm_json_add_string (builder, "name", outcome->name);
      lm_json_add_bool (builder, "reached", outcome->failure == NULL);
      json_builder_set_member_name (builder, "seconds");
      json_builder_add_double_value (builder, outcome->seconds);
      lm_json_add_strv (builder, "addresses", outcome->addresses);
      lm_json_add_string (builder, "error", outcome->failure != NULL ? outcome->failure->message : NULL);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  lm_output_json (builder);
}

/* Returns the number of machines for which it waited in vain, and the first reason, if any. */
static guint
wait_for_all (const Wait *wait, char *const *names, gboolean json, GPtrArray *outcomes, GError **out_first)
{
  guint failed = 0;
  for (char *const *name = names; *name != NULL && !g_cancellable_is_cancelled (wait->cancellable); name++)
    {
      const gint64 begin = g_get_monotonic_time ();
      Outcome *outcome = g_new0 (Outcome, 1);
      outcome->name = g_strdup (*name);
      g_ptr_array_add (outcomes, outcome);
      if (wait_for (wait, outcome, &outcome->failure))
        {
          outcome->seconds = (double) (g_get_monotonic_time () - begin) / G_USEC_PER_SEC;
          if (!json)
            print_outcome (wait, outcome);
          continue;
        }
      outcome->seconds = (double) (g_get_monotonic_time () - begin) / G_USEC_PER_SEC;
      if (names[1] != NULL && !g_error_matches (outcome->failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        lm_output_warning ("%s", outcome->failure->message);
      if (failed++ == 0)
        *out_first = g_error_copy (outcome->failure);
    }
  return failed;
}

static gboolean
run_wait (const LmInvocation *invocation, GError **error)
{
  LmArgs *args = invocation->args;
  const char *what = lm_args_get (args, "for");
  const gboolean json = lm_args_has (args, "json");
  guint64 seconds;
  if (what != NULL && strcmp (what, "ready") != 0 && strcmp (what, "stopped") != 0)
    return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "--for=%s: use ready or stopped", what);
  if (!lm_args_get_uint (args, "timeout", 0, TIMEOUT_MAX, TIMEOUT_DEFAULT, &seconds, error))
    return FALSE;
  g_autoptr (LmCliHost) host = lm_cli_host_new (invocation, error);
  g_autoptr (LmVirt) virt = host != NULL ? lm_cli_connect (host, error) : NULL;
  if (virt == NULL)
    return FALSE;
  const Wait wait = {
    .host = host,
    .virt = virt,
    .stopped = g_strcmp0 (what, "stopped") == 0,
    .end = seconds > 0 ? g_get_monotonic_time () + (gint64) seconds * G_USEC_PER_SEC : 0,
    .cancellable = invocation->cancellable,
  };
  g_auto (GStrv) names = lm_args_unique_words (args);
  g_autoptr (GPtrArray) outcomes = g_ptr_array_new_with_free_func ((GDestroyNotify) outcome_free);
  g_autoptr (GError) first = NULL;
  const guint failed = wait_for_all (&wait, names, json, outcomes, &first);
  if (json)
    print_json (&wait, outcomes);
  if (g_cancellable_set_error_if_cancelled (invocation->cancellable, error))
    return FALSE;
  if (failed == 0)
    return TRUE;
  if (names[1] == NULL)
    {
      g_propagate_error (error, g_steal_pointer (&first));
      return FALSE;
    }
  return lm_throw (error, first->domain, first->code, "%u of %u machines: waited in vain", failed, g_strv_length (names));
}

static const LmOption options[] = {
  { "for", 0, LM_OPTION_VALUE, "STATE", "ready (the default) or stopped", LM_COMPLETE_READINESS },
  { "timeout", 0, LM_OPTION_VALUE, "SECONDS", "give up after this time for all machines; 0: never (default: 300)", LM_COMPLETE_NONE },
  { NULL },
};

const LmVerb lm_verb_wait = {
  .name = "wait",
  .page = "lamina-launch",
  .synopsis = "NAME...",
  .summary = "wait until machines are up, or stopped",
  .min_words = 1,
  .max_words = G_MAXUINT,
  .options = options,
  .first = LM_COMPLETE_MACHINE,
  .others = LM_COMPLETE_MACHINE,
  .run = run_wait,
};

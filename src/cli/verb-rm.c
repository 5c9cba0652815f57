/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/error.h"
#include "base/json.h"
#include "cli/host.h"
#include "cli/output.h"
#include "ops/remove.h"

#include <stdio.h>

static const LmOption options[] = {
  { "ignore-missing", 0, LM_OPTION_FLAG, NULL, "do not fail for a machine that does not exist", LM_COMPLETE_NONE },
  { NULL },
};

static void
print_removed_json (GStrvBuilder *removed, GStrvBuilder *missing, GStrvBuilder *left)
{
  g_auto (GStrv) gone = g_strv_builder_end (removed);
  g_auto (GStrv) absent = g_strv_builder_end (missing);
  g_auto (GStrv) there = g_strv_builder_end (left);
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  lm_json_add_strv (builder, "removed", gone);
  lm_json_add_strv (builder, "missing", absent);
  lm_json_add_strv (builder, "failed", there);
  lm_output_json (builder);
}

/* Continues with the other machines if one cannot be removed. */
static gboolean
run_rm (const LmInvocation *invocation, GError **error)
{
  g_autoptr (LmCliHost) host = lm_cli_host_new (invocation, error);
  g_autoptr (LmVirt) virt = host ? lm_cli_connect (host, error) : NULL;
  if (virt == NULL)
    return FALSE;
  gboolean ignore_missing = lm_args_has (invocation->args, "ignore-missing");
  g_auto (GStrv) names = lm_args_unique_words (invocation->args);
  guint total = g_strv_length (names), failed = 0;
  g_autoptr (GStrvBuilder) removed = g_strv_builder_new ();
  g_autoptr (GStrvBuilder) missing = g_strv_builder_new ();
  g_autoptr (GStrvBuilder) left = g_strv_builder_new ();
  g_autoptr (GError) first = NULL;
  for (char **name = names; *name; name++)
    {
      g_autoptr (GError) failure = NULL;
      gboolean done = lm_remove (&host->host, virt, *name, invocation->cancellable, &failure);
      gboolean absent = g_error_matches (failure, LM_MACHINE_ERROR, LM_MACHINE_ERROR_NOT_FOUND);
      g_strv_builder_add (done ? removed : absent ? missing : left, *name);
      if (!done && !(absent && ignore_missing))
        {
          failed++;
          if (total > 1)
            lm_output_warning ("%s", failure->message);
          if (first == NULL)
            first = g_steal_pointer (&failure);
        }
    }
  /* Printed also if some could not be removed. */
  if (lm_args_has (invocation->args, "json"))
    print_removed_json (removed, missing, left);
  if (failed > 0 && total > 1)
    return lm_throw (error, first->domain, first->code, "%u of %u machines could not be removed", failed, total);
  if (failed > 0)
    {
      g_propagate_error (error, g_steal_pointer (&first));
      return FALSE;
    }
  return TRUE;
}

const LmVerb lm_verb_rm = {
  .name = "rm",
  .page = "lamina-launch",
  .synopsis = "NAME...",
  .summary = "remove machines and their disks; layers are kept",
  .min_words = 1,
  .max_words = G_MAXUINT,
  .options = options,
  .first = LM_COMPLETE_MACHINE,
  .others = LM_COMPLETE_MACHINE,
  .run = run_rm,
};

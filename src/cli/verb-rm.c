/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cli/host.h"
#include "cli/removal.h"
#include "ops/remove.h"

static const LmOption options[] = {
  { "ignore-missing", 0, LM_OPTION_FLAG, NULL, "do not fail for a machine that does not exist", LM_COMPLETE_NONE },
  { NULL },
};

/* Continues with the other machines if one cannot be removed. */
static gboolean
run_rm (const LmInvocation *invocation, GError **error)
{
  g_autoptr (LmCliHost) host = lm_cli_host_new (invocation, error);
  g_autoptr (LmVirt) virt = host ? lm_cli_connect (host, error) : NULL;
  if (virt == NULL)
    return FALSE;
  g_auto (GStrv) names = lm_args_unique_words (invocation->args);
  g_autoptr (LmRemoval) removal
    = lm_removal_new ("machines", g_strv_length (names), lm_args_has (invocation->args, "ignore-missing"));
  for (char **name = names; *name; name++)
    {
      g_autoptr (GError) failure = NULL;
      (void) !lm_remove (&host->host, virt, *name, invocation->cancellable, &failure);
      gboolean missing = g_error_matches (failure, LM_MACHINE_ERROR, LM_MACHINE_ERROR_NOT_FOUND);
      if (!lm_removal_add (removal, *name, missing, failure))
        break;
    }
  return lm_removal_end (removal, lm_args_has (invocation->args, "json"), error);
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

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cli/host.h"
#include "ops/remove.h"

#include <stdio.h>

static const LmOption options[] = {
  { "ignore-missing", 0, LM_OPTION_FLAG, NULL, "a machine that is not there counts as removed", LM_COMPLETE_NONE },
  { NULL },
};

static gboolean
run (const LmInvocation *invocation, GError **error)
{
  g_autoptr (LmCliHost) host = lm_cli_host_new (invocation, error);
  if (host == NULL)
    return FALSE;
  for (const char *const *name = lm_args_words (invocation->args); *name; name++)
    {
      g_autoptr (GError) failure = NULL;
      if (lm_remove (&host->host, *name, invocation->cancellable, &failure))
        continue;
      if (g_error_matches (failure, LM_INSTANCE_ERROR, LM_INSTANCE_ERROR_NOT_FOUND)
          && lm_args_has (invocation->args, "ignore-missing"))
        continue;
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  return TRUE;
}

const LmVerb lm_verb_rm = {
  .name = "rm",
  .synopsis = "NAME...",
  .summary = "remove machines with their disks, never a layer",
  .min_words = 1,
  .max_words = G_MAXUINT,
  .options = options,
  .first = LM_COMPLETE_INSTANCE,
  .others = LM_COMPLETE_INSTANCE,
  .run = run,
};

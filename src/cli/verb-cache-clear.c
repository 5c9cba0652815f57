/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cli/collect-report.h"
#include "cli/host.h"

static gboolean
run_cache_clear (const LmInvocation *invocation, GError **error)
{
  g_autoptr (LmCliHost) host = lm_cli_host_new (invocation, error);
  const LmCollectLimits limits = { .max_size = 0, .only_copies = lm_args_has (invocation->args, "only-copies") };
  return host != NULL && lm_collect_report_run (invocation, &host->host, &limits, TRUE, error);
}

static const LmOption options[] = {
  { "dry-run", 0, LM_OPTION_FLAG, NULL, "only show what would be removed, and why the rest stays", LM_COMPLETE_NONE },
  { "only-copies", 0, LM_OPTION_FLAG, NULL, "also remove layers that were made on this host", LM_COMPLETE_NONE },
  { NULL },
};

const LmVerb lm_verb_cache_clear = {
  .name = "cache clear",
  .page = "lamina-cache",
  .summary = "remove everything from the cache that nobody needs",
  .options = options,
  .run = run_cache_clear,
};

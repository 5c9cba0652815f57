/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/error.h"
#include "base/size.h"
#include "cli/collect-report.h"
#include "cli/host.h"

static gboolean
get_limit (LmArgs *args, const char *option, guint64 *in_out_size, GError **error)
{
  const char *text = lm_args_get (args, option);
  g_autoptr (GError) failure = NULL;
  if (text == NULL || lm_size_parse (text, LM_SIZE_GIB, in_out_size, &failure))
    return TRUE;
  return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "--%s: %s", option, failure->message);
}

static gboolean
run_cache_gc (const LmInvocation *invocation, GError **error)
{
  g_autoptr (LmCliHost) host = lm_cli_host_new (invocation, error);
  if (host == NULL)
    return FALSE;
  LmCollectLimits limits = lm_collect_get_limits (&host->host);
  limits.orphans = lm_args_has (invocation->args, "orphans");
  limits.only_copies = lm_args_has (invocation->args, "only-copies");
  return get_limit (invocation->args, "max-size", &limits.max_size, error)
         && get_limit (invocation->args, "min-free", &limits.min_free, error)
         && lm_collect_report_run (invocation, &host->host, &limits, FALSE, error);
}

static const LmOption options[] = {
  { "dry-run", 0, LM_OPTION_FLAG, NULL, "only show what would be removed, and why the rest stays", LM_COMPLETE_NONE },
  { "max-size", 0, LM_OPTION_VALUE, "SIZE", "how much the cache may occupy (default unit: GiB)", LM_COMPLETE_NONE },
  { "min-free", 0, LM_OPTION_VALUE, "SIZE", "how much must remain free (default unit: GiB)", LM_COMPLETE_NONE },
  { "only-copies", 0, LM_OPTION_FLAG, NULL, "also remove layers that were made on this host", LM_COMPLETE_NONE },
  { "orphans", 0, LM_OPTION_FLAG, NULL, "also remove machines, with their disks, whose domain is gone", LM_COMPLETE_NONE },
  { NULL },
};

const LmVerb lm_verb_cache_gc = {
  .name = "cache gc",
  .page = "lamina-cache",
  .summary = "remove unneeded files until the cache is small enough",
  .options = options,
  .run = run_cache_gc,
};

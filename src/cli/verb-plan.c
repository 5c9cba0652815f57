/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/size.h"
#include "base/url.h"
#include "cli/host.h"
#include "cli/output.h"
#include "ops/prepare.h"

#include <stdio.h>

static void
add_plan_items (LmTable *table, GPtrArray *items)
{
  for (guint i = 0; i < items->len; i++)
    {
      const LmPlanItem *item = g_ptr_array_index (items, i);
      g_autofree char *digest = lm_digest_to_string (&item->blob.digest);
      g_autofree char *size = lm_size_format (item->blob.size);
      gboolean cached = item->action == LM_PLAN_CACHED;
      g_autofree char *from = cached ? g_strdup (item->path) : item->blob.urls[0] != NULL ? lm_url_redact (item->blob.urls[0]) : NULL;
      digest[19] = '\0'; /* "sha256:" and 12 digits are enough to tell files apart */
      lm_table_add (table, (const char *const[]){ item->blob.name, item->version, item->group, digest, size,
                                                  cached ? "cached" : "pull", from });
    }
}

static gboolean
run_plan (const LmInvocation *invocation, GError **error)
{
  g_autoptr (LmCliHost) host = lm_cli_host_new (invocation, error);
  g_autoptr (LmPlan) plan
    = host ? lm_prepare_plan (&host->host, lm_args_words (invocation->args), invocation->cancellable, error) : NULL;
  if (plan == NULL)
    return FALSE;
  if (lm_args_has (invocation->args, "json"))
    {
      g_autofree char *json = lm_plan_to_json (plan);
      fputs (json, stdout);
      return TRUE;
    }
  LmTable *table = lm_table_new ((const char *const[]){ "NAME", "VERSION", "GROUP", "DIGEST", ">SIZE", "ACTION", "FROM", NULL });
  add_plan_items (table, plan->layers);
  add_plan_items (table, plan->blobs);
  lm_table_print (table);
  g_autofree char *pull = lm_size_format (plan->bytes_to_pull);
  printf ("to pull: %s\n", pull);
  return TRUE;
}

const LmVerb lm_verb_plan = {
  .name = "plan",
  .page = "lamina-cache",
  .synopsis = "SELECTION...",
  .summary = "show which layers would be used and what would be pulled",
  .min_words = 1,
  .max_words = G_MAXUINT,
  .first = LM_COMPLETE_SELECTION,
  .others = LM_COMPLETE_SELECTION,
  .run = run_plan,
};

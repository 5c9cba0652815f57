/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/size.h"
#include "base/url.h"
#include "cli/host.h"
#include "cli/output.h"
#include "ops/prepare.h"

#include <stdio.h>

static void
add_plan_item (LmTable *table, const LmPlanItem *item)
{
  const char *version = item->version != NULL ? item->version : "-";
  if (item->action == LM_PLAN_BUILD)
    {
      lm_table_add (table, (const char *const[]){ item->blob.name, version, item->group, "-", "-", "build", item->recipe });
      return;
    }
  g_autofree char *digest = lm_digest_to_string (&item->blob.digest);
  g_autofree char *size = lm_size_format (item->blob.size);
  gboolean cached = item->action == LM_PLAN_CACHED;
  g_autofree char *from = cached ? g_strdup (item->path) : item->blob.urls[0] != NULL ? lm_url_redact (item->blob.urls[0]) : NULL;
  digest[19] = '\0'; /* "sha256:" and 12 digits are enough to tell files apart */
  lm_table_add (table, (const char *const[]){ item->blob.name, item->version, item->group, digest, size, cached ? "cached" : "pull", from });
}

/* Says what it takes to build the layers that are missing. */
static void
print_estimate (const LmPlan *plan)
{
  guint packages = 0;
  guint64 bytes = 0;
  gboolean known = TRUE;
  for (guint i = plan->layers->len - plan->n_to_build; i < plan->layers->len; i++)
    {
      const LmPlanItem *item = g_ptr_array_index (plan->layers, i);
      known = known && item->estimate.known;
      packages += item->estimate.packages;
      bytes = lm_size_add (bytes, item->estimate.bytes_to_fetch);
    }
  g_autofree char *size = lm_size_format (bytes);
  printf ("to build, with --build: %u layer%s", plan->n_to_build, plan->n_to_build == 1 ? "" : "s");
  if (known)
    printf (" of %u package%s, of which %s are to be fetched", packages, packages == 1 ? "" : "s", size);
  putchar ('\n');
}

static gboolean
run_plan (const LmInvocation *invocation, GError **error)
{
  g_autoptr (LmCliHost) host = lm_cli_host_new (invocation, error);
  g_autoptr (LmPlan) plan
    = host ? lm_prepare_outlook (&host->host, lm_args_words (invocation->args), invocation->cancellable, error) : NULL;
  if (plan == NULL || !lm_chain_builder_estimate (&host->host, plan, invocation->cancellable, error))
    return FALSE;
  if (lm_args_has (invocation->args, "json"))
    {
      g_autofree char *json = lm_plan_to_json (plan);
      fputs (json, stdout);
      return TRUE;
    }
  LmTable *table = lm_table_new ((const char *const[]){ "NAME", "VERSION", "GROUP", "DIGEST", ">SIZE", "ACTION", "FROM", NULL });
  for (guint i = 0; i < plan->layers->len; i++)
    add_plan_item (table, g_ptr_array_index (plan->layers, i));
  for (guint i = 0; i < plan->blobs->len; i++)
    add_plan_item (table, g_ptr_array_index (plan->blobs, i));
  lm_table_print (table);
  g_autofree char *pull = lm_size_format (plan->bytes_to_pull);
  printf ("to pull: %s\n", pull);
  if (plan->n_to_build > 0)
    print_estimate (plan);
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

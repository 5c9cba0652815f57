/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/json.h"
#include "plan/plan.h"

static const char *const actions[] = { [LM_PLAN_CACHED] = "cached", [LM_PLAN_PULL] = "pull", [LM_PLAN_BUILD] = "build" };

/* Adds what is known only of a file that exists. */
static void
add_file (JsonBuilder *b, const LmPlanItem *item)
{
  lm_json_add_digest (b, "digest", &item->blob.digest);
  if (item->blob.kind == LM_BLOB_LAYER)
    lm_json_add_digest (b, "parent", item->blob.has_parent ? &item->blob.parent : NULL);
  lm_json_add_uint (b, "size", item->blob.size);
  lm_json_add_string (b, "action", actions[item->action]);
  lm_json_add_url (b, "url", item->blob.urls ? item->blob.urls[0] : NULL);
  lm_json_add_urls (b, "urls", item->blob.urls);
  lm_json_add_string (b, "path", item->path);
  lm_json_add_string (b, "source", item->source);
}

static void
add_build (JsonBuilder *b, const LmPlanItem *item)
{
  lm_json_add_string (b, "action", actions[item->action]);
  lm_json_add_string (b, "recipe", item->recipe);
  json_builder_set_member_name (b, "estimate");
  if (!item->estimate.known)
    {
      json_builder_add_null_value (b);
      return;
    }
  json_builder_begin_object (b);
  lm_json_add_uint (b, "packages", item->estimate.packages);
  lm_json_add_uint (b, "bytes_to_fetch", item->estimate.bytes_to_fetch);
  json_builder_end_object (b);
}

static void
add_item (JsonBuilder *b, const LmPlanItem *item)
{
  json_builder_begin_object (b);
  lm_json_add_string (b, "name", item->blob.name);
  if (item->blob.kind == LM_BLOB_LAYER)
    {
      lm_json_add_string (b, "version", item->version);
      lm_json_add_string (b, "group", item->group);
    }
  if (item->action == LM_PLAN_BUILD)
    add_build (b, item);
  else
    add_file (b, item);
  json_builder_end_object (b);
}

static void
add_items (JsonBuilder *b, const char *key, const GPtrArray *items)
{
  json_builder_set_member_name (b, key);
  json_builder_begin_array (b);
  for (guint i = 0; i < items->len; i++)
    add_item (b, items->pdata[i]);
  json_builder_end_array (b);
}

char *
lm_plan_to_json (const LmPlan *plan)
{
  g_autoptr (JsonBuilder) b = json_builder_new ();
  json_builder_begin_object (b);
  lm_json_add_strv (b, "selections", plan->selections);
  add_items (b, "layers", plan->layers);
  add_items (b, "blobs", plan->blobs);
  lm_json_add_uint (b, "bytes_to_pull", plan->bytes_to_pull);
  lm_json_add_uint (b, "to_build", plan->n_to_build);
  lm_json_add_string (b, "arch", plan->arch);
  lm_json_add_string (b, "osinfo", plan->osinfo);
  lm_json_add_string (b, "ready", plan->ready);
  lm_json_add_string (b, "cmdline", plan->cmdline);
  lm_json_add_uint (b, "memory", plan->memory);
  lm_json_add_uint (b, "disk", plan->disk);
  lm_json_add_strv (b, "notes", plan->notes);
  json_builder_end_object (b);
  return lm_json_finish (b);
}

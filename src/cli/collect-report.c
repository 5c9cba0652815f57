/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cli/collect-report.h"
#include "base/json.h"
#include "base/size.h"
#include "cli/output.h"

#include <stdio.h>

/* What is printed about a collection. */
typedef struct
{
  const LmHost *host;
  GCancellable *cancellable;
  const LmCollectPlan *plan; /* in a dry run, which gives reasons; otherwise NULL */
  LmLayerNames *names;       /* NULL if the catalogs cannot be read */
  LmTable *table;            /* either this */
  JsonBuilder *builder;      /* or this */
  gboolean dry_run;
  gboolean clear; /* see lm_collect_report_run() */
  guint removed;
  guint64 bytes;
  guint64 outside; /* those of them that are not in the cache */
} Report;

/* Adds a line about something that is kept or removed. */
static void
add_line (Report *report, const char *kind, const char *name, const LmDigest *digest, guint64 bytes, gboolean removed,
          const char *reason, const LmLayerUse *use)
{
  if (removed)
    {
      report->removed++;
      report->bytes += bytes;
    }
  if (report->table != NULL)
    {
      g_autofree char *size = lm_size_format (bytes);
      g_autofree char *result = g_strconcat (removed ? "removed: " : "kept: ", reason, NULL);
      lm_table_add (report->table, (const char *const[]){ kind, name, size, result });
      return;
    }
  json_builder_begin_object (report->builder);
  lm_json_add_string (report->builder, "kind", kind);
  lm_json_add_string (report->builder, "name", name);
  if (digest != NULL)
    lm_json_add_digest (report->builder, "digest", digest);
  lm_json_add_uint (report->builder, "size", bytes);
  lm_json_add_bool (report->builder, "removed", removed);
  lm_json_add_string (report->builder, "reason", reason);
  if (use != NULL)
    lm_layer_use_users_to_json (use, report->builder);
  json_builder_end_object (report->builder);
}

static void
add_item (Report *report, const LmCollectItem *item)
{
  const LmCacheEntry *entry = item->use->entry;
  g_autofree char *name = report->names != NULL ? lm_layer_names_describe (report->names, entry->kind, &entry->digest)
                                                : lm_digest_to_string (&entry->digest);
  g_autofree char *reason = lm_collect_item_reason (report->plan, item, report->names);
  add_line (report, lm_layer_names_get_kind (report->names, entry->kind, &entry->digest), name, &entry->digest, entry->allocated,
            item->why == LM_COLLECT_REMOVED, reason, item->use);
}

/* Lists incomplete files that stay. */
static void
add_kept_parts (Report *report, const LmCollectPlan *plan)
{
  for (guint i = 0; i < plan->parts->len; i++)
    {
      const LmPartialEntry *part = g_ptr_array_index (plan->parts, i);
      if (!g_ptr_array_find (plan->stale, part, NULL))
        add_line (report, "part", part->path, &part->digest, part->allocated, FALSE, "a lamina process needs it", NULL);
    }
}

static void
on_removal (gpointer data, const LmCollectRemoval *removal)
{
  Report *report = data;
  if (removal->item != NULL)
    add_item (report, removal->item);
  else if (removal->part != NULL)
    add_line (report, "part", removal->part->path, &removal->part->digest, removal->part->allocated, TRUE,
              "nobody continues the transfer", NULL);
  else if (removal->damaged != NULL)
    add_line (report, "damaged", removal->damaged->path, &removal->damaged->digest, removal->damaged->allocated, TRUE,
              "it was damaged and set aside", NULL);
  else if (removal->orphan != NULL)
    {
      const LmOrphan *orphan = removal->orphan;
      report->outside += orphan->bytes;
      add_line (report, "machine", orphan->user->name, NULL, orphan->bytes, TRUE, "its domain is gone", NULL);
    }
  else
    add_line (report, "lock", removal->lock, NULL, 0, TRUE, "nothing has this name", NULL);
}

/* Why a machine whose domain is gone stays. */
static char *
describe_kept_orphan (const LmOrphan *orphan, const LmCollectLimits *limits)
{
  if (orphan->refused != NULL)
    return g_strdup_printf ("its domain is gone, but %s", orphan->refused);
  return g_strdup (limits->orphans ? "its domain is gone, but it cannot be removed"
                                   : "its domain is gone; --orphans removes it and its disk");
}

/* Lists what stays: all files, and machines whose domain is gone. */
static void
add_kept (Report *report, const LmCollectPlan *plan, const LmCollectLimits *limits)
{
  report->plan = plan;
  for (guint i = 0; i < plan->items->len; i++)
    {
      const LmCollectItem *item = g_ptr_array_index (plan->items, i);
      if (item->why != LM_COLLECT_REMOVED)
        add_item (report, item);
    }
  for (guint i = 0; i < plan->users->users->len; i++)
    {
      const LmLayerUser *user = g_ptr_array_index (plan->users->users, i);
      if (user->kind == LM_LAYER_USER_DISK)
        add_line (report, "disk", user->name, NULL, 0, FALSE, "its record is lost, so remove it yourself if nobody needs it", NULL);
    }
  for (guint i = 0; i < plan->orphans->len; i++)
    {
      const LmOrphan *orphan = g_ptr_array_index (plan->orphans, i);
      g_autofree char *reason = describe_kept_orphan (orphan, limits);
      /* A dry run lists the others as removed. */
      if (!report->dry_run || !limits->orphans || orphan->refused != NULL)
        add_line (report, "machine", orphan->user->name, NULL, orphan->bytes, FALSE, reason, NULL);
    }
}

static void
print_end (Report *report, const LmCollectPlan *plan, const LmCollectLimits *limits)
{
  const guint64 left = report->dry_run ? plan->size - MIN (report->bytes - report->outside, plan->size) : plan->size;
  if (report->builder != NULL)
    {
      json_builder_end_array (report->builder);
      lm_json_add_bool (report->builder, "dry_run", report->dry_run);
      lm_json_add_uint (report->builder, "freed", report->bytes);
      lm_json_add_uint (report->builder, "occupied", left);
      lm_json_add_uint (report->builder, "missing", plan->missing);
      json_builder_set_member_name (report->builder, "max_size");
      if (limits->max_size != G_MAXUINT64)
        json_builder_add_int_value (report->builder, (gint64) limits->max_size);
      else
        json_builder_add_null_value (report->builder);
      lm_json_add_uint (report->builder, "min_free", limits->min_free);
      lm_output_json (report->builder);
      return;
    }
  g_autofree char *freed = lm_size_format (report->bytes);
  g_autofree char *occupied = lm_size_format (left);
  lm_table_print (g_steal_pointer (&report->table));
  printf ("%s%u removed, %s; the cache occupies %s\n", report->dry_run ? "dry run: " : "", report->removed, freed, occupied);
}

/* Loads the names of @entries (LmCacheEntry). They are for people; a catalog that
 * cannot be read must not prevent a collection. */
static void
load_names (gpointer data, GPtrArray *entries)
{
  Report *report = data;
  g_autoptr (GError) failure = NULL;
  report->names = lm_layer_names_load (report->host, entries, report->cancellable, &failure);
  if (report->names == NULL)
    lm_output_warning ("%s", failure->message);
}

/* Whether what stays is an error. */
static gboolean
judge (const Report *report, const LmCollectPlan *plan, const LmCollectLimits *limits, GError **error)
{
  return (report->clear && plan->users->unknown->len == 0) || lm_collect_throw (plan, limits, error);
}

/* Says what could not be asked or read; JSON says so where it is a reason. */
static void
warn_unknown (const Report *report, const LmCollectPlan *plan)
{
  for (guint i = 0; report->table != NULL && i < plan->users->unknown->len; i++)
    lm_output_warning ("%s", (char *) g_ptr_array_index (plan->users->unknown, i));
}

static gboolean
run_dry (const LmHost *host, const LmCollectLimits *limits, Report *report, GError **error)
{
  g_autoptr (LmCache) cache = lm_cache_open_readonly (host->state_dir, &host->cache, error);
  LmUsersScope scope = lm_host_scope (host);
  scope.listed = load_names;
  scope.listed_data = report;
  g_autoptr (LmCollectPlan) plan
    = cache != NULL ? lm_collect_plan_new (host, &scope, NULL, cache, limits, report->cancellable, error) : NULL;
  if (plan == NULL)
    return FALSE;
  report->plan = plan;
  lm_collect_dry_run (host, plan, limits, on_removal, report);
  if (report->clear)
    add_kept_parts (report, plan);
  add_kept (report, plan, limits);
  warn_unknown (report, plan);
  print_end (report, plan, limits);
  return judge (report, plan, limits, error);
}

static gboolean
run_real (const LmHost *host, const LmCollectLimits *limits, Report *report, GError **error)
{
  g_autoptr (LmCache) cache = lm_cache_open (host->state_dir, &host->cache, error);
  g_autoptr (GPtrArray) entries = cache != NULL ? lm_cache_list (cache, error) : NULL;
  if (entries == NULL)
    return FALSE;
  load_names (report, entries);
  g_autoptr (LmCollectPlan) plan = lm_collect_run (host, NULL, cache, limits, on_removal, report, report->cancellable, error);
  if (plan == NULL)
    return FALSE;
  if (report->clear)
    add_kept_parts (report, plan);
  if (report->clear || report->builder != NULL)
    add_kept (report, plan, limits);
  warn_unknown (report, plan);
  print_end (report, plan, limits);
  return judge (report, plan, limits, error);
}

gboolean
lm_collect_report_run (const LmInvocation *invocation, const LmHost *host, const LmCollectLimits *limits, gboolean clear,
                       GError **error)
{
  g_autoptr (JsonBuilder) builder = lm_args_has (invocation->args, "json") ? json_builder_new () : NULL;
  Report report = { .host = host, .cancellable = invocation->cancellable, .builder = builder,
                    .dry_run = lm_args_has (invocation->args, "dry-run"), .clear = clear };
  if (builder == NULL)
    report.table = lm_table_new ((const char *const[]){ "KIND", "NAME", ">SIZE", "RESULT", NULL });
  else
    {
      json_builder_begin_object (builder);
      json_builder_set_member_name (builder, "files");
      json_builder_begin_array (builder);
    }
  const gboolean ok = (report.dry_run ? run_dry : run_real) (host, limits, &report, error);
  lm_layer_names_free (report.names);
  lm_table_free (report.table);
  return ok;
}

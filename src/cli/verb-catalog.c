/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/error.h"
#include "base/json.h"
#include "base/url.h"
#include "cli/host.h"
#include "cli/output.h"
#include "cli/removal.h"
#include "source/source.h"

#include <stdio.h>
#include <string.h>

static const LmOption add_options[] = {
  { "priority", 0, LM_OPTION_VALUE, "N", "0 to 1000, default 100; the highest has precedence", LM_COMPLETE_NONE },
  { NULL },
};

static char *
format_time (gint64 seconds)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_utc (seconds);
  return time ? g_date_time_format (time, "%Y-%m-%dT%H:%M:%SZ") : NULL;
}

/* Adds the members that describe @source to the open object. */
static void
add_source_json (const LmSource *source, JsonBuilder *builder)
{
  lm_json_add_string (builder, "name", source->name);
  lm_json_add_url (builder, "url", lm_source_is_local (source) ? NULL : source->url);
  lm_json_add_uint (builder, "priority", source->priority);
  lm_json_add_uint (builder, "fetched", (guint64) MAX (source->fetched, 0));
  lm_json_add_bool (builder, "imported", source->imported);
}

/* Prints the source as "catalog list" does. */
static gboolean
print_added_source (const LmInvocation *invocation, const char *name, GError **error)
{
  g_autoptr (GPtrArray) sources = lm_source_list (invocation->settings->state_dir, NULL, error);
  for (guint i = 0; sources && i < sources->len; i++)
    {
      const LmSource *source = g_ptr_array_index (sources, i);
      if (strcmp (source->name, name) != 0)
        continue;
      g_autoptr (JsonBuilder) builder = json_builder_new ();
      json_builder_begin_object (builder);
      add_source_json (source, builder);
      lm_output_json (builder);
    }
  return sources != NULL;
}

static gboolean
run_catalog_add (const LmInvocation *invocation, GError **error)
{
  const char *const *words = lm_args_words (invocation->args);
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (LmCliHost) host = lm_cli_host_new (invocation, error);
  guint64 priority;
  if (host == NULL)
    return FALSE;
  if (!lm_args_get_uint (invocation->args, "priority", 0, LM_SOURCE_PRIORITY_MAX, LM_SOURCE_PRIORITY_DEFAULT, &priority, error))
    return FALSE;
  gboolean ok = lm_source_add (invocation->settings->state_dir, words[0], words[1], (int) priority, warnings,
                               &(LmSourceStatus){ host->host.status, host->host.user_data }, invocation->cancellable,
                               error);
  lm_cli_warnings (warnings);
  return ok && (!lm_args_has (invocation->args, "json") || print_added_source (invocation, words[0], error));
}

static void
add_update_failure (JsonBuilder *builder, const char *name, const GError *failure)
{
  json_builder_begin_object (builder);
  lm_json_add_string (builder, "name", name);
  lm_json_add_string (builder, "error", failure->message);
  json_builder_end_object (builder);
  lm_output_warning ("%s%s", failure->message,
                     g_error_matches (failure, LM_SOURCE_ERROR, LM_SOURCE_ERROR_FETCH)
                       ? "; its last good copy remains in use" : "");
}

static gboolean
run_catalog_update (const LmInvocation *invocation, GError **error)
{
  const char *state_dir = invocation->settings->state_dir;
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (LmCliHost) host = lm_cli_host_new (invocation, error);
  g_autoptr (GPtrArray) sources = host ? lm_source_list (state_dir, warnings, error) : NULL;
  if (sources == NULL)
    return FALSE;
  const LmSourceStatus status = { host->host.status, host->host.user_data };
  g_autoptr (GStrvBuilder) all = g_strv_builder_new ();
  for (guint i = 0; i < sources->len; i++)
    g_strv_builder_add (all, ((LmSource *) g_ptr_array_index (sources, i))->name);
  g_auto (GStrv) names
    = lm_args_n_words (invocation->args) ? lm_args_unique_words (invocation->args) : g_strv_builder_end (all);

  gboolean json = lm_args_has (invocation->args, "json");
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "sources");
  json_builder_begin_array (builder);
  /* If all sources are updated, those with an unreadable record count as failed. */
  guint unreadable = lm_args_n_words (invocation->args) ? 0 : warnings->len, failed = unreadable, total = unreadable;
  gboolean interrupted = FALSE;
  g_autoptr (GError) last = NULL;
  for (char **name = names; *name; name++, total++)
    {
      g_autoptr (GError) failure = NULL;
      gboolean changed;
      if (lm_source_update (state_dir, *name, &changed, warnings, &status, invocation->cancellable, &failure))
        {
          json_builder_begin_object (builder);
          lm_json_add_string (builder, "name", *name);
          lm_json_add_bool (builder, "changed", changed);
          json_builder_end_object (builder);
          if (!json)
            printf ("%s: %s\n", *name, changed ? "updated" : "unchanged");
          continue;
        }
      if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          interrupted = TRUE;
          break;
        }
      failed++;
      add_update_failure (builder, *name, failure);
      g_clear_error (&last);
      last = g_steal_pointer (&failure);
    }
  lm_cli_warnings (warnings);
  json_builder_end_array (builder);
  if (json)
    lm_output_json (builder);
  if (failed == 0 || interrupted)
    return !interrupted;
  return lm_throw (error, last ? last->domain : LM_SOURCE_ERROR, last ? last->code : LM_SOURCE_ERROR_FETCH,
                   "%u of %u catalog sources could not be updated", failed, total);
}

/* Continues with the other sources if one cannot be removed. */
static gboolean
run_catalog_remove (const LmInvocation *invocation, GError **error)
{
  g_autoptr (LmCliHost) host = lm_cli_host_new (invocation, error);
  if (host == NULL)
    return FALSE;
  const LmSourceStatus status = { host->host.status, host->host.user_data };
  g_auto (GStrv) names = lm_args_unique_words (invocation->args);
  g_autoptr (LmRemoval) removal = lm_removal_new ("catalog sources", g_strv_length (names), FALSE);
  for (char **name = names; *name; name++)
    {
      g_autoptr (GError) failure = NULL;
      (void) !lm_source_remove (invocation->settings->state_dir, *name, &status, invocation->cancellable, &failure);
      gboolean missing = g_error_matches (failure, LM_SOURCE_ERROR, LM_SOURCE_ERROR_NOT_FOUND);
      if (!lm_removal_add (removal, *name, missing, failure))
        break;
    }
  return lm_removal_end (removal, lm_args_has (invocation->args, "json"), error);
}

static void
print_sources_json (GPtrArray *sources)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "sources");
  json_builder_begin_array (builder);
  for (guint i = 0; i < sources->len; i++)
    {
      json_builder_begin_object (builder);
      add_source_json (g_ptr_array_index (sources, i), builder);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  lm_output_json (builder);
}

static gboolean
run_catalog_list (const LmInvocation *invocation, GError **error)
{
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) sources = lm_source_list (invocation->settings->state_dir, warnings, error);
  if (sources == NULL)
    return FALSE;
  lm_cli_warnings (warnings);
  if (lm_args_has (invocation->args, "json"))
    {
      print_sources_json (sources);
      return TRUE;
    }
  LmTable *table = lm_table_new ((const char *const[]){ "NAME", ">PRIORITY", "FETCHED", "URL", NULL });
  for (guint i = 0; i < sources->len; i++)
    {
      const LmSource *source = g_ptr_array_index (sources, i);
      g_autofree char *priority = g_strdup_printf ("%d", source->priority);
      g_autofree char *fetched = format_time (source->fetched);
      g_autofree char *url = lm_source_is_local (source) ? NULL : lm_url_redact (source->url);
      lm_table_add (table, (const char *const[]){ source->name, priority, fetched, url });
    }
  lm_table_print (table);
  return TRUE;
}

const LmVerb lm_verb_catalog_add = {
  .name = "catalog add",
  .page = "lamina-catalog",
  .synopsis = "NAME URL|FILE",
  .summary = "add a catalog source",
  .min_words = 2,
  .max_words = 2,
  .options = add_options,
  .others = LM_COMPLETE_FILE,
  .run = run_catalog_add,
};

const LmVerb lm_verb_catalog_list = {
  .name = "catalog list",
  .page = "lamina-catalog",
  .summary = "list the catalog sources",
  .run = run_catalog_list,
};

const LmVerb lm_verb_catalog_update = {
  .name = "catalog update",
  .page = "lamina-catalog",
  .synopsis = "[NAME...]",
  .summary = "fetch the catalogs again",
  .max_words = G_MAXUINT,
  .first = LM_COMPLETE_SOURCE,
  .others = LM_COMPLETE_SOURCE,
  .run = run_catalog_update,
};

const LmVerb lm_verb_catalog_remove = {
  .name = "catalog remove",
  .page = "lamina-catalog",
  .synopsis = "NAME...",
  .summary = "remove catalog sources",
  .min_words = 1,
  .max_words = G_MAXUINT,
  .first = LM_COMPLETE_SOURCE,
  .others = LM_COMPLETE_SOURCE,
  .run = run_catalog_remove,
};

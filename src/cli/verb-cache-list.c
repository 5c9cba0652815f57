/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/json.h"
#include "base/size.h"
#include "cache/database.h"
#include "cli/host.h"
#include "cli/output.h"
#include "ops/layer-names.h"

#include <stdio.h>

/* One cached file and what is known about it. */
typedef struct
{
  const LmCacheEntry *entry;
  LmLayerName name;
  gboolean damaged;
  gboolean pinned;
} Row;

/* A note of the size is read only if the catalogs and records do not confirm the
 * size that the file has, because reading thousands of them takes long. */
static Row
make_row (LmCache *cache, const LmLayerNames *names, GHashTable *pins, const LmCacheEntry *entry)
{
  Row row = { .entry = entry, .pinned = pins != NULL && g_hash_table_contains (pins, &entry->digest) };
  (void) lm_layer_names_find (names, entry->kind, &entry->digest, &row.name);
  row.damaged = row.name.size != entry->size && lm_cache_has_lost_size (cache, entry);
  return row;
}

/* Returns the pins; NULL, with a warning, if they cannot be read: the list is useful without them. */
static GHashTable *
read_pins (const LmCliHost *host)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (LmDatabase) database = lm_database_open_readonly (host->host.state_dir, warnings, &failure);
  GHashTable *pins = NULL;
  if (database != NULL && lm_database_is_hidden (database))
    lm_output_warning ("pins are not shown, because this user may not read %s/lamina.db", host->host.state_dir);
  else if (database == NULL || (pins = lm_database_list_pins (database, &failure)) == NULL)
    lm_output_warning ("pins are not shown: %s", failure->message);
  lm_cli_warnings (warnings);
  return pins;
}

/* @with_pins: they are known */
static void
print_rows_json (const LmLayerNames *names, const GArray *rows, gboolean with_pins)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "files");
  json_builder_begin_array (builder);
  for (guint i = 0; i < rows->len; i++)
    {
      const Row *row = &g_array_index (rows, Row, i);
      json_builder_begin_object (builder);
      lm_json_add_string (builder, "kind", lm_layer_names_get_kind (names, row->entry->kind, &row->entry->digest));
      lm_json_add_digest (builder, "digest", &row->entry->digest);
      lm_json_add_string (builder, "name", row->name.name);
      lm_json_add_string (builder, "version", row->name.version);
      lm_json_add_string (builder, "group", row->name.group);
      lm_json_add_string (builder, "part", row->name.part);
      lm_json_add_string (builder, "source", row->name.source);
      lm_json_add_bool (builder, "listed", row->name.listed);
      lm_json_add_uint (builder, "size", row->entry->size);
      lm_json_add_uint (builder, "mtime", row->entry->mtime);
      lm_json_add_bool (builder, "damaged", row->damaged);
      if (with_pins)
        lm_json_add_bool (builder, "pinned", row->pinned);
      else
        lm_json_add_string (builder, "pinned", NULL);
      lm_json_add_string (builder, "path", row->entry->path);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  lm_output_json (builder);
}

static char *
format_time (gint64 seconds)
{
  g_autoptr (GDateTime) time = g_date_time_new_from_unix_local (seconds);
  return time != NULL ? g_date_time_format (time, "%Y-%m-%d %H:%M") : NULL;
}

/* NULL if there is nothing to say. */
static const char *
get_state (const Row *row)
{
  if (row->damaged)
    return row->pinned ? "damaged, pinned" : "damaged";
  return row->pinned ? "pinned" : NULL;
}

static void
print_rows (const LmLayerNames *names, const GArray *rows, gboolean whole_digests)
{
  gboolean any_state = FALSE;
  for (guint i = 0; i < rows->len; i++)
    any_state = any_state || get_state (&g_array_index (rows, Row, i)) != NULL;
  LmTable *table = lm_table_new ((const char *const[]){ "KIND", "NAME", "VERSION", "DIGEST", ">SIZE", "CACHED", "CATALOG",
                                                        any_state ? "STATE" : NULL, NULL });
  guint64 total = 0;
  for (guint i = 0; i < rows->len; i++)
    {
      const Row *row = &g_array_index (rows, Row, i);
      const char *kind = row->name.part != NULL ? row->name.part
                                                : lm_layer_names_get_kind (names, row->entry->kind, &row->entry->digest);
      g_autofree char *digest = whole_digests ? lm_digest_to_string (&row->entry->digest)
                                              : lm_layer_names_shorten (names, &row->entry->digest);
      g_autofree char *size = lm_size_format (row->entry->size);
      g_autofree char *time = format_time (row->entry->mtime);
      total = lm_size_add (total, row->entry->size);
      lm_table_add (table, (const char *const[]){ kind, row->name.name, row->name.version, digest, size, time,
                                                  row->name.listed ? row->name.source : NULL,
                                                  get_state (row) });
    }
  lm_table_print (table);
  g_autofree char *size = lm_size_format (total);
  printf ("%u %s, %s\n", rows->len, rows->len == 1 ? "file" : "files", size);
}

/* Returns the entries (LmCacheEntry) that the words stand for, in the order of
 * @entries and without duplicates; all of them if there are no words. */
static GPtrArray *
choose_entries (const LmLayerNames *names, GPtrArray *entries, const char *const *words, GError **error)
{
  if (*words == NULL)
    return g_ptr_array_ref (entries);
  g_autoptr (GHashTable) chosen = g_hash_table_new (NULL, NULL);
  for (; *words != NULL; words++)
    {
      g_autoptr (GPtrArray) found = lm_layer_names_resolve (names, *words, TRUE, error);
      if (found == NULL)
        return NULL;
      for (guint i = 0; i < found->len; i++)
        g_hash_table_add (chosen, found->pdata[i]);
    }
  g_autoptr (GPtrArray) list = g_ptr_array_new ();
  for (guint i = 0; i < entries->len; i++)
    if (g_hash_table_contains (chosen, entries->pdata[i]))
      g_ptr_array_add (list, entries->pdata[i]);
  return g_steal_pointer (&list);
}

static gboolean
run_cache_list (const LmInvocation *invocation, GError **error)
{
  g_autoptr (LmCliHost) host = lm_cli_host_new (invocation, error);
  g_autoptr (LmCache) cache = host ? lm_cache_open_readonly (host->host.state_dir, &host->host.cache, error) : NULL;
  g_autoptr (GPtrArray) entries = cache ? lm_cache_list (cache, error) : NULL;
  g_autoptr (LmLayerNames) names
    = entries ? lm_layer_names_load (&host->host, entries, invocation->cancellable, error) : NULL;
  g_autoptr (GPtrArray) chosen = names ? choose_entries (names, entries, lm_args_words (invocation->args), error) : NULL;
  if (chosen == NULL)
    return FALSE;
  g_autoptr (GHashTable) pins = read_pins (host);
  g_autoptr (GArray) rows = g_array_new (FALSE, FALSE, sizeof (Row));
  for (guint i = 0; i < chosen->len; i++)
    {
      const Row row = make_row (cache, names, pins, g_ptr_array_index (chosen, i));
      g_array_append_val (rows, row);
    }
  if (lm_args_has (invocation->args, "json"))
    print_rows_json (names, rows, pins != NULL);
  else
    print_rows (names, rows, lm_args_has (invocation->args, "no-trunc"));
  return TRUE;
}

static const LmOption options[] = {
  { "no-trunc", 0, LM_OPTION_FLAG, NULL, "show whole digests", LM_COMPLETE_NONE },
  { NULL },
};

const LmVerb lm_verb_cache_list = {
  .name = "cache list",
  .page = "lamina-cache",
  .synopsis = "[LAYER...]",
  .summary = "list the cached files",
  .max_words = G_MAXUINT,
  .options = options,
  .first = LM_COMPLETE_SELECTION,
  .others = LM_COMPLETE_SELECTION,
  .run = run_cache_list,
};

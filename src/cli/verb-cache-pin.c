/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/json.h"
#include "cache/database.h"
#include "cli/host.h"
#include "cli/output.h"
#include "ops/layer-names.h"

#include <stdio.h>

/* Returns the entries (LmCacheEntry) that the words stand for, each once; all of them
 * are found before anything is changed. */
static GPtrArray *
find_entries (const LmInvocation *invocation, const LmLayerNames *names, GError **error)
{
  g_auto (GStrv) words = lm_args_unique_words (invocation->args);
  g_autoptr (GPtrArray) found = g_ptr_array_new ();
  for (char **word = words; *word != NULL; word++)
    {
      g_autoptr (GPtrArray) one = lm_layer_names_resolve (names, *word, FALSE, error);
      if (one == NULL)
        return NULL;
      if (!g_ptr_array_find (found, g_ptr_array_index (one, 0), NULL))
        g_ptr_array_add (found, g_ptr_array_index (one, 0));
    }
  return g_steal_pointer (&found);
}

/* Adds what is pinned but no longer there to @entries, so that it can be unpinned; of a file
 * that is not there nobody knows whether it was a layer, which is most likely. */
static gboolean
add_lost_pins (LmDatabase *database, GPtrArray *entries, GError **error)
{
  g_autoptr (GHashTable) pins = lm_database_list_pins (database, error);
  if (pins == NULL)
    return FALSE;
  for (guint i = 0; i < entries->len; i++)
    g_hash_table_remove (pins, &((const LmCacheEntry *) g_ptr_array_index (entries, i))->digest);
  GHashTableIter iter;
  gpointer digest;
  g_hash_table_iter_init (&iter, pins);
  while (g_hash_table_iter_next (&iter, &digest, NULL))
    {
      LmCacheEntry *entry = g_new0 (LmCacheEntry, 1);
      entry->kind = LM_BLOB_LAYER;
      entry->digest = *(const LmDigest *) digest;
      g_ptr_array_add (entries, entry);
    }
  return TRUE;
}

static void
print_pin (const LmLayerNames *names, const LmCacheEntry *entry, gboolean pinned, gboolean changed, JsonBuilder *builder)
{
  g_autofree char *name = lm_layer_names_describe (names, entry->kind, &entry->digest);
  if (builder == NULL)
    {
      g_autofree char *safe = lm_output_safe (name);
      printf ("%s %s%s\n", safe, changed ? "is now " : "was already ", pinned ? "pinned" : "unpinned");
      return;
    }
  json_builder_begin_object (builder);
  lm_json_add_string (builder, "name", name);
  lm_json_add_digest (builder, "digest", &entry->digest);
  lm_json_add_bool (builder, "pinned", pinned);
  lm_json_add_bool (builder, "changed", changed);
  json_builder_end_object (builder);
}

static gboolean
set_pinned (const LmInvocation *invocation, gboolean pinned, GError **error)
{
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (LmCliHost) host = lm_cli_host_new (invocation, error);
  g_autoptr (LmCache) cache = host ? lm_cache_open_readonly (host->host.state_dir, &host->host.cache, error) : NULL;
  g_autoptr (GPtrArray) entries = cache ? lm_cache_list (cache, error) : NULL;
  g_autoptr (LmDatabase) database = entries ? lm_database_open (host->host.state_dir, warnings, error) : NULL;
  if (database == NULL || (!pinned && !add_lost_pins (database, entries, error)))
    return FALSE;
  g_autoptr (LmLayerNames) names = lm_layer_names_load (&host->host, entries, invocation->cancellable, error);
  g_autoptr (GPtrArray) found = names ? find_entries (invocation, names, error) : NULL;
  if (found == NULL)
    return FALSE;
  g_autoptr (JsonBuilder) builder = lm_args_has (invocation->args, "json") ? json_builder_new () : NULL;
  if (builder != NULL)
    {
      json_builder_begin_object (builder);
      json_builder_set_member_name (builder, "files");
      json_builder_begin_array (builder);
    }
  for (guint i = 0; i < found->len; i++)
    {
      const LmCacheEntry *entry = g_ptr_array_index (found, i);
      gboolean changed;
      if (!lm_database_set_pinned (database, &entry->digest, pinned, &changed, error))
        return FALSE;
      print_pin (names, entry, pinned, changed, builder);
    }
  lm_cli_warnings (warnings);
  if (builder != NULL)
    {
      json_builder_end_array (builder);
      lm_output_json (builder);
    }
  return TRUE;
}

static gboolean
run_cache_pin (const LmInvocation *invocation, GError **error)
{
  return set_pinned (invocation, TRUE, error);
}

static gboolean
run_cache_unpin (const LmInvocation *invocation, GError **error)
{
  return set_pinned (invocation, FALSE, error);
}

const LmVerb lm_verb_cache_pin = {
  .name = "cache pin",
  .page = "lamina-cache",
  .synopsis = "LAYER...",
  .summary = "keep files in the cache even if nothing needs them",
  .min_words = 1,
  .max_words = G_MAXUINT,
  .first = LM_COMPLETE_SELECTION,
  .others = LM_COMPLETE_SELECTION,
  .run = run_cache_pin,
};

const LmVerb lm_verb_cache_unpin = {
  .name = "cache unpin",
  .page = "lamina-cache",
  .synopsis = "LAYER...",
  .summary = "let files be removed when nothing needs them",
  .min_words = 1,
  .max_words = G_MAXUINT,
  .first = LM_COMPLETE_SELECTION,
  .others = LM_COMPLETE_SELECTION,
  .run = run_cache_unpin,
};

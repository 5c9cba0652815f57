/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/json.h"
#include "base/size.h"
#include "cache/cache.h"
#include "cli/output.h"
#include "cli/verb.h"

#include <stdio.h>

static const char *
kind_name (LmBlobKind kind)
{
  return kind == LM_BLOB_LAYER ? "layer" : "blob";
}

static void
print_files_json (GPtrArray *entries)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "files");
  json_builder_begin_array (builder);
  for (guint i = 0; i < entries->len; i++)
    {
      const LmCacheEntry *entry = g_ptr_array_index (entries, i);
      g_autofree char *digest = lm_digest_to_string (&entry->digest);
      json_builder_begin_object (builder);
      lm_json_add_string (builder, "kind", kind_name (entry->kind));
      lm_json_add_string (builder, "digest", digest);
      lm_json_add_uint (builder, "size", entry->size);
      lm_json_add_uint (builder, "mtime", entry->mtime);
      lm_json_add_string (builder, "path", entry->path);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  lm_output_json (builder);
}

static void
print_files (GPtrArray *entries)
{
  LmTable *table = lm_table_new ((const char *const[]){ "KIND", "DIGEST", ">SIZE", NULL });
  guint64 total = 0;
  for (guint i = 0; i < entries->len; i++)
    {
      const LmCacheEntry *entry = g_ptr_array_index (entries, i);
      g_autofree char *digest = lm_digest_to_string (&entry->digest);
      g_autofree char *size = lm_size_format (entry->size);
      total += entry->size;
      lm_table_add (table, (const char *const[]){ kind_name (entry->kind), digest, size });
    }
  lm_table_print (table);
  g_autofree char *size = lm_size_format (total);
  printf ("%u %s, %s\n", entries->len, entries->len == 1 ? "file" : "files", size);
}

static gboolean
run_cache_list (const LmInvocation *invocation, GError **error)
{
  g_autoptr (LmCache) cache = lm_cache_open_readonly (invocation->settings->state_dir, NULL, error);
  g_autoptr (GPtrArray) entries = cache ? lm_cache_list (cache, error) : NULL;
  if (entries == NULL)
    return FALSE;
  if (lm_args_has (invocation->args, "json"))
    print_files_json (entries);
  else
    print_files (entries);
  return TRUE;
}

const LmVerb lm_verb_cache_list = {
  .name = "cache list",
  .page = "lamina-cache",
  .summary = "list the cached files",
  .run = run_cache_list,
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/json.h"
#include "base/size.h"
#include "catalog/contents.h"
#include "cli/host.h"
#include "cli/output.h"
#include "ops/layer-names.h"
#include "users/layer-users.h"

#include <stdio.h>

static void
print_line (const char *title, const char *value)
{
  g_autofree char *safe = value != NULL ? lm_output_safe (value) : g_strdup ("-");
  printf ("%-10s %s\n", title, safe);
}

static char *
format_time (gint64 seconds)
{
  g_autoptr (GDateTime) time = seconds > 0 ? g_date_time_new_from_unix_local (seconds) : NULL;
  return time != NULL ? g_date_time_format (time, "%Y-%m-%d %H:%M") : g_strdup ("never");
}

static char *
describe_parent (const LmLayerNames *names, const LmLayerUse *use)
{
  if (!use->has_parent)
    return NULL;
  g_autofree char *name = lm_layer_names_describe (names, LM_BLOB_LAYER, &use->parent_digest);
  return g_strdup_printf ("%s%s", name, use->parent != NULL ? "" : ", not in the cache");
}

/* The packages of a layer, and what it changes about those of its parent. All are NULL if that is
 * not recorded; of a base, only what it contains is known. */
typedef struct
{
  char **all, **added, **removed;
} Packages;

static void
packages_clear (Packages *packages)
{
  g_strfreev (packages->all);
  g_strfreev (packages->added);
  g_strfreev (packages->removed);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Packages, packages_clear)

static Packages
load_packages (const LmLayerNames *names, const LmLayerUse *use)
{
  Packages packages = { NULL };
  if (use->entry->kind == LM_BLOB_LAYER)
    packages.all = lm_layer_names_list_packages (names, &use->entry->digest);
  g_auto (GStrv) parent = packages.all != NULL && use->has_parent ? lm_layer_names_list_packages (names, &use->parent_digest) : NULL;
  if (parent != NULL)
    lm_contents_compare (parent, packages.all, &packages.added, &packages.removed);
  return packages;
}

static void
print_packages (const LmLayerNames *names, const LmLayerUse *use)
{
  g_auto (Packages) packages = load_packages (names, use);
  if (packages.all == NULL)
    return;
  g_autofree char *changes = packages.added == NULL ? NULL
                             : g_strdup_printf (" (%u added or changed, %u removed)", g_strv_length (packages.added),
                                                g_strv_length (packages.removed));
  g_autofree char *text = g_strdup_printf ("%u%s", g_strv_length (packages.all), changes != NULL ? changes : "");
  print_line ("packages", text);
}

static void
add_list_or_null (JsonBuilder *builder, const char *key, char *const *list)
{
  if (list != NULL)
    lm_json_add_strv (builder, key, list);
  else
    lm_json_add_string (builder, key, NULL);
}

static void
print_use (const LmLayerNames *names, const LmLayerUsers *users, const LmLayerUse *use, gboolean damaged)
{
  const LmCacheEntry *entry = use->entry;
  LmLayerName name;
  (void) lm_layer_names_find (names, entry->kind, &entry->digest, &name);
  g_autofree char *digest = lm_digest_to_string (&entry->digest);
  g_autofree char *size = lm_size_format (entry->size);
  g_autofree char *occupied = lm_size_format (entry->allocated);
  g_autofree char *sizes = g_strdup_printf ("%s (%s on disk)", size, occupied);
  g_autofree char *parent = describe_parent (names, use);
  g_autofree char *pulled = format_time (entry->mtime);
  g_autofree char *used = format_time (use->used);
  print_line ("name", name.name);
  print_line ("version", name.version);
  print_line ("kind", name.part != NULL ? name.part : lm_layer_names_get_kind (names, entry->kind, &entry->digest));
  print_line ("catalog", name.source);
  print_line ("digest", digest);
  print_line ("size", sizes);
  if (damaged)
    print_line ("state", "damaged: it does not have the size that it had when it was verified");
  print_line ("parent", parent);
  print_packages (names, use);
  print_line ("pulled", pulled);
  print_line ("last used", users->without_notes ? NULL : used);
  print_line ("pinned", users->without_notes ? NULL : use->pinned ? "yes" : "no");
  print_line ("path", entry->path);
  for (guint i = 0; i < use->children->len; i++)
    {
      const LmLayerUse *child = g_ptr_array_index (use->children, i);
      g_autofree char *text = lm_layer_names_describe (names, LM_BLOB_LAYER, &child->entry->digest);
      print_line (i == 0 ? "children" : "", text);
    }
  for (guint i = 0; i < use->users->len; i++)
    {
      g_autofree char *text = lm_layer_user_to_text (g_ptr_array_index (use->users, i));
      print_line (i == 0 ? "used by" : "", text);
    }
  if (use->leased)
    print_line ("", "a lamina process at work");
  for (guint i = 0; i < users->unknown->len; i++)
    print_line (i == 0 ? "unknown" : "", g_ptr_array_index (users->unknown, i));
}

static void
print_use_json (const LmLayerNames *names, const LmLayerUsers *users, const LmLayerUse *use, gboolean damaged)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  const LmCacheEntry *entry = use->entry;
  LmLayerName name;
  (void) lm_layer_names_find (names, entry->kind, &entry->digest, &name);
  json_builder_begin_object (builder);
  lm_json_add_string (builder, "kind", lm_layer_names_get_kind (names, entry->kind, &entry->digest));
  lm_json_add_string (builder, "name", name.name);
  lm_json_add_string (builder, "version", name.version);
  lm_json_add_string (builder, "group", name.group);
  lm_json_add_string (builder, "part", name.part);
  lm_json_add_string (builder, "source", name.source);
  lm_json_add_bool (builder, "listed", name.listed);
  lm_json_add_digest (builder, "digest", &entry->digest);
  lm_json_add_uint (builder, "size", entry->size);
  lm_json_add_uint (builder, "allocated", entry->allocated);
  lm_json_add_digest (builder, "parent", use->has_parent ? &use->parent_digest : NULL);
  json_builder_set_member_name (builder, "children");
  json_builder_begin_array (builder);
  for (guint i = 0; i < use->children->len; i++)
    {
      char text[LM_DIGEST_STRING_SIZE];
      const LmLayerUse *child = g_ptr_array_index (use->children, i);
      json_builder_add_string_value (builder, lm_digest_format (&child->entry->digest, text));
    }
  json_builder_end_array (builder);
  lm_json_add_uint (builder, "mtime", entry->mtime);
  lm_json_add_bool (builder, "damaged", damaged);
  if (users->without_notes)
    {
      lm_json_add_string (builder, "used", NULL);
      lm_json_add_string (builder, "pinned", NULL);
    }
  else
    {
      lm_json_add_uint (builder, "used", use->used);
      lm_json_add_bool (builder, "pinned", use->pinned);
    }
  lm_json_add_bool (builder, "leased", use->leased);
  lm_layer_use_users_to_json (use, builder);
  json_builder_set_member_name (builder, "unknown");
  json_builder_begin_array (builder);
  for (guint i = 0; i < users->unknown->len; i++)
    json_builder_add_string_value (builder, g_ptr_array_index (users->unknown, i));
  json_builder_end_array (builder);
  lm_json_add_string (builder, "path", entry->path);
  g_auto (Packages) packages = load_packages (names, use);
  add_list_or_null (builder, "packages", packages.all);
  add_list_or_null (builder, "added", packages.added);
  add_list_or_null (builder, "removed", packages.removed);
  lm_output_json (builder);
}

static const LmLayerUse *
find_use (const LmLayerUsers *users, const LmCacheEntry *entry)
{
  for (guint i = 0; i < users->files->len; i++)
    {
      const LmLayerUse *use = g_ptr_array_index (users->files, i);
      if (use->entry == entry)
        return use;
    }
  return NULL;
}

static gboolean
run_cache_show (const LmInvocation *invocation, GError **error)
{
  g_autoptr (LmCliHost) host = lm_cli_host_new (invocation, error);
  g_autoptr (LmCache) cache = host ? lm_cache_open_readonly (host->host.state_dir, &host->host.cache, error) : NULL;
  const LmUsersScope scope = host ? lm_host_scope (&host->host) : (LmUsersScope){ 0 };
  g_autoptr (LmLayerUsers) users
    = cache ? lm_layer_users_collect (&scope, NULL, cache, invocation->cancellable, error) : NULL;
  g_autoptr (LmLayerNames) names
    = users ? lm_layer_names_load (&host->host, users->entries, invocation->cancellable, error) : NULL;
  g_autoptr (GPtrArray) found
    = names ? lm_layer_names_resolve (names, lm_args_words (invocation->args)[0], FALSE, error) : NULL;
  if (found == NULL)
    return FALSE;
  const LmLayerUse *use = find_use (users, g_ptr_array_index (found, 0));
  const gboolean damaged = lm_cache_has_lost_size (cache, g_ptr_array_index (found, 0));
  if (lm_args_has (invocation->args, "json"))
    print_use_json (names, users, use, damaged);
  else
    print_use (names, users, use, damaged);
  return TRUE;
}

const LmVerb lm_verb_cache_show = {
  .name = "cache show",
  .page = "lamina-cache",
  .synopsis = "LAYER",
  .summary = "show a cached file and who uses it",
  .min_words = 1,
  .max_words = 1,
  .first = LM_COMPLETE_SELECTION,
  .run = run_cache_show,
};

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "catalog/contents.h"
#include "catalog/installed.h"

#include <string.h>

#define CHAIN_MAX 64 /* as for a machine */

static int
compare_items (gconstpointer a, gconstpointer b)
{
  return lm_installed_compare (*(const char *const *) a, *(const char *const *) b);
}

/* Sorts @list and drops what is in it twice. */
static void
sort_list (GPtrArray *list)
{
  guint n = 0;
  g_ptr_array_sort (list, compare_items);
  for (guint i = 0; i < list->len; i++)
    if (n == 0 || strcmp (list->pdata[n - 1], list->pdata[i]) != 0)
      list->pdata[n++] = list->pdata[i];
  g_ptr_array_set_size (list, (int) n);
}

static void
add_items (GPtrArray *list, char *const *items)
{
  for (; items != NULL && *items != NULL; items++)
    g_ptr_array_add (list, *items);
}

/* Returns a copy with copies of the texts. */
static char **
copy_list (const GPtrArray *list)
{
  char **copy = g_new0 (char *, list->len + 1);
  for (guint i = 0; i < list->len; i++)
    copy[i] = g_strdup (list->pdata[i]);
  return copy;
}

/* Puts @build on top of what @list contains. */
static void
apply_build (GPtrArray *list, const LmBuild *build)
{
  g_autoptr (GHashTable) gone = g_hash_table_new (lm_installed_hash_name, lm_installed_same_name);
  for (char **name = build->removed; name != NULL && *name != NULL; name++)
    g_hash_table_add (gone, *name);
  for (char **package = build->packages; *package != NULL; package++)
    g_hash_table_add (gone, *package);
  guint n = 0;
  for (guint i = 0; i < list->len; i++)
    if (!g_hash_table_contains (gone, list->pdata[i]))
      list->pdata[n++] = list->pdata[i];
  g_ptr_array_set_size (list, (int) n);
  add_items (list, build->packages);
}

char **
lm_contents_of_chain (const GPtrArray *builds)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new ();
  for (guint i = 0; i < builds->len; i++)
    {
      const LmBuild *build = g_ptr_array_index (builds, i);
      if (build->packages == NULL)
        return NULL;
      apply_build (list, build);
    }
  sort_list (list);
  return builds->len > 0 ? copy_list (list) : NULL;
}

/* Returns the first build with @digest that records its packages; NULL if there is none. */
static LmBuild *
find_recorded (const LmCatalogSet *set, const LmDigest *digest)
{
  for (guint i = 0; i < lm_catalog_set_get_length (set); i++)
    {
      const LmCatalog *catalog = lm_catalog_set_get (set, i);
      guint number = lm_catalog_find_build (catalog, digest);
      g_autoptr (LmBuild) build = number != LM_CATALOG_NONE ? lm_catalog_load_build (catalog, number) : NULL;
      if (build != NULL && build->packages != NULL)
        return g_steal_pointer (&build);
    }
  return NULL;
}

char **
lm_contents_of_build (const LmCatalogSet *set, const LmDigest *digest)
{
  g_autoptr (GPtrArray) builds = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_build_free);
  /* Also ends a circle in a wrong catalog. */
  for (guint i = 0; i < CHAIN_MAX; i++)
    {
      LmBuild *build = find_recorded (set, digest);
      if (build == NULL)
        return NULL;
      g_ptr_array_insert (builds, 0, build);
      if (!build->blob.has_parent)
        return lm_contents_of_chain (builds);
      digest = &build->blob.parent;
    }
  return NULL;
}

/* Returns the index behind the last item with the name of that at @first of the sorted @list. */
static guint
find_end (const GPtrArray *list, guint first)
{
  guint end = first;
  while (end < list->len && lm_installed_same_name (list->pdata[first], list->pdata[end]))
    end++;
  return end;
}

static gboolean
has_same_items (const GPtrArray *one, guint i, const GPtrArray *other, guint j, guint n)
{
  for (guint k = 0; k < n; k++)
    if (strcmp (one->pdata[i + k], other->pdata[j + k]) != 0)
      return FALSE;
  return TRUE;
}

void
lm_contents_compare (char *const *parent, char *const *child, char ***out_packages, char ***out_removed)
{
  g_autoptr (GPtrArray) before = g_ptr_array_new (), after = g_ptr_array_new (), packages = g_ptr_array_new ();
  g_autoptr (GStrvBuilder) removed = g_strv_builder_new ();
  add_items (before, parent);
  add_items (after, child);
  sort_list (before);
  sort_list (after);
  for (guint i = 0, j = 0; i < before->len || j < after->len;)
    {
      int order = i == before->len ? 1 : j == after->len ? -1 : lm_installed_compare_names (before->pdata[i], after->pdata[j]);
      guint end_before = order <= 0 ? find_end (before, i) : i, end_after = order >= 0 ? find_end (after, j) : j;
      if (order < 0)
        {
          g_autofree char *name = g_strndup (before->pdata[i], lm_installed_name_length (before->pdata[i]));
          g_strv_builder_add (removed, name);
        }
      else if (order > 0 || end_before - i != end_after - j || !has_same_items (before, i, after, j, end_after - j))
        for (guint k = j; k < end_after; k++)
          g_ptr_array_add (packages, after->pdata[k]);
      i = end_before;
      j = end_after;
    }
  *out_packages = copy_list (packages);
  *out_removed = g_strv_builder_end (removed);
}

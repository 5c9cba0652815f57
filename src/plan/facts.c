/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "plan/facts.h"

struct _LmFacts
{
  const LmCatalogSet *set;
  const LmPlanView *view;
  GHashTable *files; /* digest, owned by the catalogs -> File */
  GError *failure;   /* of the first lookup that failed; then no other is made */
};

typedef struct
{
  gboolean cached;
  LmBlob blob; /* if cached */
} File;

LmFacts *
lm_facts_new (const LmCatalogSet *set, const LmPlanView *view)
{
  LmFacts *facts = g_new0 (LmFacts, 1);
  facts->set = set;
  facts->view = view;
  facts->files = g_hash_table_new_full (lm_digest_hash, lm_digest_equal_func, NULL, g_free);
  return facts;
}

void
lm_facts_free (LmFacts *facts)
{
  if (facts == NULL)
    return;
  g_hash_table_unref (facts->files);
  g_clear_error (&facts->failure);
  g_free (facts);
}

gboolean
lm_facts_check (const LmFacts *facts, GError **error)
{
  if (facts->failure == NULL)
    return TRUE;
  g_propagate_error (error, g_error_copy (facts->failure));
  return FALSE;
}

static gboolean
claims_agree (const LmCatalogBuild *a, const LmCatalogBuild *b)
{
  if (a->size != b->size || (a->parent == NULL) != (b->parent == NULL))
    return FALSE;
  return a->parent == NULL || lm_digest_equal (a->parent, b->parent);
}

static const File *
look_up_file (LmFacts *facts, const LmCatalogBuild *claim)
{
  File *file = g_hash_table_lookup (facts->files, claim->digest);
  if (file != NULL)
    return file;
  file = g_new0 (File, 1);
  file->blob = (LmBlob){ .kind = LM_BLOB_LAYER, .digest = *claim->digest, .size = claim->size };
  file->blob.has_parent = claim->parent != NULL;
  if (claim->parent != NULL)
    file->blob.parent = *claim->parent;
  g_autofree char *path = NULL;
  const LmPlanView *view = facts->failure == NULL ? facts->view : NULL;
  if (view == NULL || !view->lookup (view->user_data, &file->blob, &file->cached, &path, &facts->failure))
    file->cached = FALSE;
  g_hash_table_insert (facts->files, (gpointer) claim->digest, file);
  return file;
}

LmCatalogBuild
lm_facts_get_build (LmFacts *facts, guint catalog, guint build, gboolean *out_cached)
{
  LmCatalogBuild known = lm_catalog_get_build (lm_catalog_set_get (facts->set, catalog), build);
  const File *file = look_up_file (facts, &known);
  if (out_cached != NULL)
    *out_cached = file->cached;
  if (file->cached)
    {
      known.size = file->blob.size;
      known.parent = file->blob.has_parent ? &file->blob.parent : NULL;
    }
  return known;
}

static gboolean
find_build_in_catalog (LmFacts *facts, guint index, const LmDigest *digest, GHashTable *among, LmLayerRef *out_ref,
                       guint *out_build)
{
  const LmCatalog *catalog = lm_catalog_set_get (facts->set, index);
  guint build = lm_catalog_find_build (catalog, digest);
  if (build == LM_CATALOG_NONE)
    return FALSE;
  LmLayerRef ref = { index, lm_catalog_get_build (catalog, build).layer };
  if (among != NULL ? !g_hash_table_contains (among, &ref) : !lm_catalog_set_is_visible (facts->set, ref))
    return FALSE;
  *out_ref = ref;
  *out_build = build;
  return TRUE;
}

gboolean
lm_facts_find_build (LmFacts *facts, const LmDigest *digest, guint own, GHashTable *among, LmLayerRef *out_ref,
                     guint *out_build)
{
  gboolean found = find_build_in_catalog (facts, own, digest, among, out_ref, out_build);
  for (guint i = 0; i < lm_catalog_set_get_length (facts->set) && !found; i++)
    found = i != own && find_build_in_catalog (facts, i, digest, among, out_ref, out_build);
  return found;
}

/* Gets what the catalog at @index claims about the file with @digest; FALSE if it does not list it. */
static gboolean
get_claim (const LmFacts *facts, guint index, const LmDigest *digest, LmCatalogBuild *out_claim)
{
  const LmCatalog *catalog = lm_catalog_set_get (facts->set, index);
  guint build = lm_catalog_find_build (catalog, digest);
  if (build == LM_CATALOG_NONE)
    return FALSE;
  *out_claim = lm_catalog_get_build (catalog, build);
  return TRUE;
}

gboolean
lm_facts_is_disputed (LmFacts *facts, guint catalog, guint build)
{
  gboolean cached;
  LmCatalogBuild known = lm_facts_get_build (facts, catalog, build, &cached), claim;
  for (guint i = 0; !cached && i < catalog; i++)
    if (get_claim (facts, i, known.digest, &claim) && !claims_agree (&claim, &known))
      return TRUE;
  return FALSE;
}

static char *
describe_claim (const LmCatalogBuild *build)
{
  char parent[LM_DIGEST_STRING_SIZE];
  return g_strdup_printf ("%" G_GUINT64_FORMAT " bytes, %s%s", build->size, build->parent ? "parent " : "no parent",
                          build->parent ? lm_digest_format (build->parent, parent) : "");
}

void
lm_facts_list_contradictions (LmFacts *facts, guint catalog, guint build, const char *name, GPtrArray *notes)
{
  gboolean cached;
  LmCatalogBuild known = lm_facts_get_build (facts, catalog, build, &cached), claim;
  for (guint i = 0; i < lm_catalog_set_get_length (facts->set); i++)
    {
      if (!get_claim (facts, i, known.digest, &claim) || claims_agree (&claim, &known))
        continue;
      const char *source = lm_catalog_get_source (lm_catalog_set_get (facts->set, i));
      const char *own = lm_catalog_get_source (lm_catalog_set_get (facts->set, catalog));
      char digest[LM_DIGEST_STRING_SIZE];
      g_autofree char *claimed = describe_claim (&claim);
      g_autofree char *right = describe_claim (&known);
      (void) lm_digest_format (known.digest, digest);
      g_ptr_array_add (notes,
                       cached ? g_strdup_printf ("the catalog %s is wrong about the layer %s (%s) and is ignored: it "
                                                 "says %s, but the cached file has %s",
                                                 source, name, digest, claimed, right)
                              : g_strdup_printf ("the catalogs %s and %s contradict each other about the layer %s (%s); "
                                                 "the entry in %s is ignored: it says %s, not %s",
                                                 own, source, name, digest, source, claimed, right));
    }
}

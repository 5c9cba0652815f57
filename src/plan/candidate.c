/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "plan/candidate.h"
#include "base/trace.h"
#include "catalog/relation.h"
#include "catalog/selection.h"
#include "catalog/version.h"

#include <string.h>

static void
candidate_free (gpointer data)
{
  LmCandidate *candidate = data;
  lm_layer_free (candidate->layer);
  g_free (candidate);
}

static int
compare_candidates (gconstpointer a, gconstpointer b)
{
  const LmCandidate *one = *(LmCandidate *const *) a, *two = *(LmCandidate *const *) b;
  int by_name = strcmp (one->layer->name, two->layer->name);
  int by_version = by_name ? by_name : lm_version_compare (two->layer->version, one->layer->version);
  int by_catalog = by_version ? by_version : (int) one->ref.catalog - (int) two->ref.catalog;
  return by_catalog ? by_catalog : (one->ref.layer > two->ref.layer) - (one->ref.layer < two->ref.layer);
}

typedef struct
{
  const LmCatalogSet *set;
  const char *arch;
  GPtrArray *candidates;
  GHashTable *names; /* names whose layers have been added to the candidates */
  GHashTable *refs;  /* layers that have been added: catalog << 32 | layer, allocated */
  GQueue todo;       /* names, owned by the candidates or selections */
} Closure;

static void
add_name (Closure *c, const char *name)
{
  if (g_hash_table_contains (c->names, name))
    return;
  char *copy = g_strdup (name);
  g_hash_table_add (c->names, copy);
  g_queue_push_tail (&c->todo, copy);
}

static void
collect_candidate (Closure *c, LmLayerRef ref)
{
  gint64 key = (gint64) ref.catalog << 32 | ref.layer;
  if (g_hash_table_contains (c->refs, &key))
    return;
  g_hash_table_add (c->refs, g_memdup2 (&key, sizeof key));
  g_autoptr (LmLayer) layer = lm_catalog_load_layer (lm_catalog_set_get (c->set, ref.catalog), ref.layer);
  if (!lm_layer_runs_on (layer, c->arch))
    return;
  for (char **text = layer->requires; *text; text++)
    {
      LmRelation relation;
      if (lm_relation_parse (*text, &relation))
        add_name (c, relation.name);
    }
  LmCandidate *candidate = g_new0 (LmCandidate, 1);
  candidate->ref = ref;
  candidate->layer = g_steal_pointer (&layer);
  g_ptr_array_add (c->candidates, candidate);
}

GPtrArray *
lm_candidates_collect (const LmCatalogSet *set, const GPtrArray *selections, const char *arch)
{
  GPtrArray *candidates = g_ptr_array_new_with_free_func (candidate_free);
  Closure c = { .set = set, .arch = arch, .candidates = candidates };
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GHashTable) refs = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (LmLayerRef));
  c.names = names;
  c.refs = refs;
  for (guint i = 0; i < selections->len; i++)
    add_name (&c, ((LmSelection *) selections->pdata[i])->name);
  for (const char *name = NULL; (name = g_queue_pop_head (&c.todo)) != NULL;)
    {
      g_array_set_size (found, 0);
      lm_catalog_set_find_name (set, name, found);
      lm_catalog_set_find_provided (set, name, found);
      for (guint i = 0; i < found->len; i++)
        collect_candidate (&c, g_array_index (found, LmLayerRef, i));
    }
  /* the solution must not depend on the order of layers in the catalogs */
  g_ptr_array_sort (candidates, compare_candidates);
  lm_trace (LM_TRACE_RESOLVE, "%u layers to choose from", candidates->len);
  return candidates;
}

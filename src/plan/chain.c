/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "plan/chain.h"
#include "base/trace.h"
#include "plan/chain-error.h"
#include "catalog/relation.h"
#include "catalog/version.h"

#include <string.h>

typedef struct
{
  const LmCatalogSet *set;
  const LmResolution *resolution;
  LmFacts *facts;
  const LmPlanOptions *options; /* if layers may be built; otherwise NULL */
  GHashTable *by_ref; /* LmLayerRef -> LmCandidate */
  LmChain *best;
  guint seen;
} Search;

static guint
ref_hash (gconstpointer data)
{
  const LmLayerRef *ref = data;
  return ref->catalog * 31 + ref->layer;
}

static gboolean
ref_equal (gconstpointer a, gconstpointer b)
{
  const LmLayerRef *one = a, *two = b;
  return one->catalog == two->catalog && one->layer == two->layer;
}

static const LmLayer *
chain_layer (const LmChain *chain, guint i)
{
  return chain->links[i].candidate->layer;
}

static LmCatalogBuild
chain_build (const Search *s, const LmChain *chain, guint i, gboolean *out_cached)
{
  const LmChainLink *link = &chain->links[i];
  return lm_facts_get_build (s->facts, link->candidate->ref.catalog, link->build, out_cached);
}

/* ---- whether a chain is an answer ---- */

static gboolean
has_layer_for (const LmChain *chain, guint below, const char *requirement)
{
  LmRelation relation;
  if (!lm_relation_parse (requirement, &relation))
    return FALSE;
  for (guint i = 0; i < below; i++)
    if (lm_relation_matches (&relation, chain_layer (chain, i)))
      return TRUE;
  return FALSE;
}

static gboolean
are_compatible (const Search *s, const LmLayer *a, const LmLayer *b)
{
  if (strcmp (a->name, b->name) == 0)
    return FALSE;
  if (strcmp (a->group, b->group) == 0 && !lm_groups_allow_multiple (s->resolution->groups, a->group))
    return FALSE;
  return !lm_relations_match (a->conflicts, b) && !lm_relations_match (b->conflicts, a);
}

static gboolean
is_selected (const Search *s, const LmLayer *layer)
{
  for (guint i = 0; i < s->resolution->selections->len; i++)
    if (lm_selection_matches (s->resolution->selections->pdata[i], layer))
      return TRUE;
  return FALSE;
}

/* Whether the layer at @j has a requirement that, of the layers below it, only the one at @i meets. */
static gboolean
depends_only_on (const LmChain *chain, guint j, guint i)
{
  for (char **need = chain_layer (chain, j)->requires; *need; need++)
    {
      LmRelation relation;
      guint others = 0;
      if (!lm_relation_parse (*need, &relation) || !lm_relation_matches (&relation, chain_layer (chain, i)))
        continue;
      for (guint k = 0; k < j; k++)
        others += k != i && lm_relation_matches (&relation, chain_layer (chain, k));
      if (others == 0)
        return TRUE;
    }
  return FALSE;
}

/* From the top down: a layer is needed if it is selected, or if a needed layer
 * above depends on it. */
static gboolean
all_are_needed (const Search *s, const LmChain *chain)
{
  gboolean needed[LM_LINEAGE_MAX] = { FALSE };
  for (guint i = chain->length; i-- > 0;)
    {
      needed[i] = is_selected (s, chain_layer (chain, i));
      for (guint j = i + 1; j < chain->length && !needed[i]; j++)
        needed[i] = needed[j] && depends_only_on (chain, j, i);
      if (!needed[i])
        return FALSE;
    }
  return TRUE;
}

static gboolean
all_selections_are_in (const Search *s, const LmChain *chain)
{
  for (guint i = 0; i < s->resolution->selections->len; i++)
    {
      gboolean found = FALSE;
      for (guint j = 0; j < chain->length && !found; j++)
        found = lm_selection_matches (s->resolution->selections->pdata[i], chain_layer (chain, j));
      if (!found)
        return FALSE;
    }
  return TRUE;
}

static gboolean
required_groups_are_in (const Search *s, const LmChain *chain)
{
  for (guint i = 0; i < s->resolution->groups->len; i++)
    {
      const LmGroup *group = s->resolution->groups->pdata[i];
      gboolean found = !group->required;
      gboolean asked = FALSE;
      for (guint j = 0; j < chain->length && !found && !asked; j++)
        asked = lm_catalog_set_declares_group (s->set, chain->links[j].candidate->ref.catalog, group->name);
      found |= !asked;
      for (guint j = 0; j < chain->length && !found; j++)
        found = strcmp (chain_layer (chain, j)->group, group->name) == 0;
      if (!found)
        return FALSE;
    }
  return TRUE;
}

static gboolean
is_solution (const Search *s, const LmChain *chain)
{
  if (!all_selections_are_in (s, chain))
    return FALSE;
  for (guint i = 0; i < chain->length; i++)
    {
      for (char **need = chain_layer (chain, i)->requires; *need; need++)
        if (!has_layer_for (chain, i, *need))
          return FALSE;
      for (guint j = 0; j < i; j++)
        if (!are_compatible (s, chain_layer (chain, i), chain_layer (chain, j)))
          return FALSE;
    }
  return all_are_needed (s, chain) && required_groups_are_in (s, chain);
}

/* ---- which of two is better ---- */

static const LmLayer *
find_chain_layer (const LmChain *chain, const char *name)
{
  for (guint i = 0; i < chain->length; i++)
    if (strcmp (chain_layer (chain, i)->name, name) == 0)
      return chain_layer (chain, i);
  return NULL;
}

/* Returns the position of the layer @name in the resolution, or its length if it is not there. */
static guint
position_in_resolution (const LmResolution *r, const char *name)
{
  guint i = 0;
  while (i < r->layers->len && strcmp (((LmCandidate *) r->layers->pdata[i])->layer->name, name) != 0)
    i++;
  return i;
}

static gboolean
is_exact (const Search *s, const LmChain *chain)
{
  const LmResolution *r = s->resolution;
  if (chain->length != r->layers->len)
    return FALSE;
  for (guint i = 0; i < r->layers->len; i++)
    {
      const LmLayer *wanted = ((LmCandidate *) r->layers->pdata[i])->layer;
      const LmLayer *found = find_chain_layer (chain, wanted->name);
      if (found == NULL || lm_version_compare (found->version, wanted->version) != 0)
        return FALSE;
    }
  return TRUE;
}

/* Newer versions are better, except for pre-releases: compares first the selected
 * layers, in the user's order, then the others, in the order of the resolution. */
static int
compare_versions (const Search *s, const LmChain *a, const LmChain *b)
{
  const LmResolution *r = s->resolution;
  for (guint i = 0; i < r->selections->len; i++)
    {
      const char *name = ((LmSelection *) r->selections->pdata[i])->name;
      const LmLayer *one = find_chain_layer (a, name), *two = find_chain_layer (b, name);
      int order = one && two ? lm_version_compare_preference (two->version, one->version) : 0;
      if (order != 0)
        return order;
    }
  if (a->length != b->length)
    return a->length < b->length ? -1 : 1;
  for (guint i = 0; i < r->layers->len; i++)
    {
      const char *name = ((LmCandidate *) r->layers->pdata[i])->layer->name;
      const LmLayer *one = find_chain_layer (a, name), *two = find_chain_layer (b, name);
      int order = one && two ? lm_version_compare_preference (two->version, one->version) : (one == NULL) - (two == NULL);
      if (order != 0)
        return order;
    }
  return 0;
}

static int
compare_order (const Search *s, const LmChain *a, const LmChain *b)
{
  for (guint i = 0; i < MIN (a->length, b->length); i++)
    {
      guint one = position_in_resolution (s->resolution, chain_layer (a, i)->name);
      guint two = position_in_resolution (s->resolution, chain_layer (b, i)->name);
      int order = one != two ? (one < two ? -1 : 1) : strcmp (chain_layer (a, i)->name, chain_layer (b, i)->name);
      if (order != 0)
        return order;
    }
  return 0;
}

static gboolean
is_better (const Search *s, const LmChain *a, const LmChain *b)
{
  if (a->exact != b->exact)
    return a->exact;
  int order = a->exact ? 0 : compare_versions (s, a, b);
  if (order == 0)
    order = (a->to_build > b->to_build) - (a->to_build < b->to_build);
  if (order == 0)
    order = (a->disputed > b->disputed) - (a->disputed < b->disputed);
  if (order == 0)
    order = (a->bytes_to_pull > b->bytes_to_pull) - (a->bytes_to_pull < b->bytes_to_pull);
  if (order == 0)
    order = compare_order (s, a, b);
  for (guint i = 0; order == 0 && i < MIN (a->length - a->to_build, b->length - b->to_build); i++)
    order = lm_digest_compare (chain_build (s, a, i, NULL).digest, chain_build (s, b, i, NULL).digest);
  return order < 0;
}

/* ---- search ---- */

/* Fills @chain from its top build down to a base. FALSE if a parent is missing or
 * cannot be part of a solution. */
static gboolean
fill_chain (const Search *s, const LmCandidate *top, guint build, LmChain *chain)
{
  LmLineage lineage;
  if (!lm_lineage_find (s->facts, top->ref, build, s->by_ref, &lineage))
    return FALSE;
  chain->length = lineage.length;
  for (guint i = 0; i < lineage.length; i++)
    {
      guint from = lineage.length - 1 - i;
      chain->links[i] = (LmChainLink){ g_hash_table_lookup (s->by_ref, &lineage.layers[from]), lineage.builds[from] };
    }
  return TRUE;
}

static void
add_cost (const Search *s, LmChain *chain)
{
  for (guint i = 0; i < chain->length - chain->to_build; i++)
    {
      gboolean cached;
      LmCatalogBuild build = chain_build (s, chain, i, &cached);
      chain->disputed += lm_facts_is_disputed (s->facts, chain->links[i].candidate->ref.catalog, chain->links[i].build);
      if (!cached)
        chain->bytes_to_pull += build.size;
    }
}

/* Adds to @chain the layers of the resolution that it lacks. FALSE if one of them has no recipe that
 * makes what is needed there, or if it becomes too long. */
static gboolean
add_missing (const Search *s, LmChain *chain)
{
  for (guint i = 0; i < s->resolution->layers->len; i++)
    {
      const LmCandidate *candidate = s->resolution->layers->pdata[i];
      if (find_chain_layer (chain, candidate->layer->name) != NULL)
        continue;
      LmPlanRecipe recipe;
      if (chain->length == LM_LINEAGE_MAX || !s->options->find_recipe (s->options->user_data, candidate->layer->name, &recipe)
          || recipe.base != (chain->length == 0))
        return FALSE;
      chain->links[chain->length++] = (LmChainLink){ candidate, LM_CATALOG_NONE };
      chain->to_build++;
    }
  return TRUE;
}

/* Takes ownership of @chain. */
static void
consider (Search *s, LmChain *chain)
{
  g_autofree LmChain *own = chain;
  if ((s->options != NULL && !add_missing (s, chain)) || !is_solution (s, chain))
    return;
  chain->exact = is_exact (s, chain);
  if (s->best != NULL && s->best->exact && !chain->exact)
    return;
  add_cost (s, chain);
  if (s->best != NULL && !is_better (s, chain, s->best))
    return;
  g_free (s->best);
  s->best = g_steal_pointer (&own);
}

/* Considers the chain of each build of a candidate. */
static void
search (Search *s)
{
  g_autoptr (GHashTable) by_ref = g_hash_table_new (ref_hash, ref_equal);
  const GPtrArray *candidates = s->resolution->candidates;
  s->by_ref = by_ref;
  for (guint i = 0; i < candidates->len; i++)
    g_hash_table_insert (by_ref, &((LmCandidate *) candidates->pdata[i])->ref, candidates->pdata[i]);
  for (guint i = 0; i < candidates->len; i++)
    {
      const LmCandidate *candidate = candidates->pdata[i];
      guint n, first = lm_catalog_get_builds (lm_catalog_set_get (s->set, candidate->ref.catalog), candidate->ref.layer, &n);
      /* A layer that is not selected has a layer above it that requires it, so the top
       * of a solution is a selected layer. */
      if (s->options == NULL && !is_selected (s, candidate->layer))
        continue;
      for (guint build = first; build < first + n; build++)
        {
          g_autofree LmChain *chain = g_new0 (LmChain, 1);
          s->seen++;
          if (fill_chain (s, candidate, build, chain))
            consider (s, g_steal_pointer (&chain));
        }
    }
  lm_trace (LM_TRACE_RESOLVE, "%u builds considered, %s", s->seen, s->best ? "found a chain" : "no chain");
}

LmChain *
lm_chain_find (const LmCatalogSet *set, LmFacts *facts, const LmResolution *resolution, GError **error)
{
  Search s = { .set = set, .resolution = resolution, .facts = facts };
  search (&s);
  if (s.best == NULL)
    lm_chain_throw_no_build (set, facts, resolution, error);
  return s.best;
}

LmChain *
lm_chain_find_nearest (const LmCatalogSet *set, LmFacts *facts, const LmResolution *resolution, const LmPlanOptions *options,
                       GError **error)
{
  Search s = { .set = set, .resolution = resolution, .facts = facts, .options = options };
  search (&s);
  consider (&s, g_new0 (LmChain, 1)); /* everything is built */
  if (s.best == NULL)
    lm_chain_throw_no_recipe (resolution, options, error);
  return s.best;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "plan/chain-error.h"
#include "base/error.h"
#include "plan/lineage.h"

#include <string.h>

#define MAX_SHOWN 3

typedef struct
{
  const LmCatalogSet *set;
  LmFacts *facts;
  const LmResolution *resolution;
} Context;

static const char *
name_of (const LmCatalogSet *set, LmLayerRef ref)
{
  return lm_catalog_get_layer_name (lm_catalog_set_get (set, ref.catalog), ref.layer);
}

static const char *
version_of (const LmCatalogSet *set, LmLayerRef ref)
{
  return lm_catalog_get_layer_version (lm_catalog_set_get (set, ref.catalog), ref.layer);
}

/* Finds the chain below the build at @index of @top. */
static void
find_lineage (const Context *c, const LmCandidate *top, guint index, LmLineage *out)
{
  guint n, first = lm_catalog_get_builds (lm_catalog_set_get (c->set, top->ref.catalog), top->ref.layer, &n);
  (void) lm_lineage_find (c->facts, top->ref, first + index, NULL, out);
}

static gboolean
has_name_below (const LmCatalogSet *set, const LmLineage *lineage, const char *name)
{
  for (guint i = 1; i < lineage->length; i++)
    if (strcmp (name_of (set, lineage->layers[i]), name) == 0)
      return TRUE;
  return FALSE;
}

/* "debian 12.11 + nginx 1.22.1" */
static char *
format_below (const LmCatalogSet *set, const LmLineage *lineage)
{
  GString *text = g_string_new (lineage->complete ? NULL : "a layer that no catalog has");
  for (guint i = lineage->length; i-- > 1;)
    g_string_append_printf (text, "%s%s %s", text->len ? " + " : "", name_of (set, lineage->layers[i]),
                            version_of (set, lineage->layers[i]));
  if (text->len == 0)
    g_string_append (text, "nothing (as a base)");
  return g_string_free (text, FALSE);
}

/* "debian 12.11 + nginx 1.22.1": the first @n of what was resolved */
static char *
format_resolved (const LmResolution *r, guint n)
{
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < n; i++)
    {
      const LmLayer *layer = ((LmCandidate *) r->layers->pdata[i])->layer;
      /* One that is not built has no version that would tell anything. */
      g_string_append_printf (text, layer->builds->len > 0 ? "%s%s %s" : "%s%s", i ? " + " : "", layer->name, layer->version);
    }
  return g_string_free (text, FALSE);
}

/* Whether there is a chain of exactly the first @n of the resolved layers, in any
 * order, with the last of them at the top. */
static gboolean
has_chain (const Context *c, guint n)
{
  const LmResolution *r = c->resolution;
  const LmCandidate *top = r->layers->pdata[n - 1];
  for (guint i = 0; i < top->layer->builds->len; i++)
    {
      LmLineage lineage;
      find_lineage (c, top, i, &lineage);
      gboolean same = lineage.complete && lineage.length == n;
      for (guint j = 0; same && j < n - 1; j++)
        same = has_name_below (c->set, &lineage, ((LmCandidate *) r->layers->pdata[j])->layer->name);
      if (same)
        return TRUE;
    }
  return FALSE;
}

/* "mariadb 10.11 is built only on debian 12.11 + nginx 1.22.1"; newly allocated */
static char *
format_existing (const Context *c, const LmCandidate *candidate)
{
  const LmLayer *layer = candidate->layer;
  g_autoptr (GPtrArray) stacks = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < layer->builds->len; i++)
    {
      LmLineage lineage;
      find_lineage (c, candidate, i, &lineage);
      g_autofree char *text = format_below (c->set, &lineage);
      if (!g_ptr_array_find_with_equal_func (stacks, text, g_str_equal, NULL))
        g_ptr_array_add (stacks, g_steal_pointer (&text));
    }
  GString *text = g_string_new (NULL);
  g_string_append_printf (text, "%s %s is built %son ", layer->name, layer->version,
                          stacks->len > MAX_SHOWN ? "" : "only ");
  for (guint i = 0; i < stacks->len && i < MAX_SHOWN; i++)
    g_string_append_printf (text, "%s%s", i ? ", or on " : "", (char *) stacks->pdata[i]);
  if (stacks->len > MAX_SHOWN)
    g_string_append_printf (text, " and %u others", stacks->len - MAX_SHOWN);
  return g_string_free (text, FALSE);
}

/* Returns selections to add so that an existing chain of a build of @candidate
 * fits, such as "web=nginx"; NULL if no chain contains all resolved layers. */
static char *
find_addition (const Context *c, const LmCandidate *candidate)
{
  const LmResolution *r = c->resolution;
  for (guint i = 0; i < candidate->layer->builds->len; i++)
    {
      LmLineage lineage;
      find_lineage (c, candidate, i, &lineage);
      gboolean all = lineage.complete;
      for (guint j = 0; all && j < r->layers->len; j++)
        {
          const LmCandidate *other = r->layers->pdata[j];
          all = other == candidate || has_name_below (c->set, &lineage, other->layer->name);
        }
      if (!all)
        continue;
      GString *text = g_string_new (NULL);
      for (guint j = lineage.length; j-- > 1;)
        {
          gboolean known = FALSE;
          for (guint k = 0; k < r->layers->len && !known; k++)
            known = strcmp (((LmCandidate *) r->layers->pdata[k])->layer->name, name_of (c->set, lineage.layers[j])) == 0;
          if (known)
            continue;
          const LmCatalog *catalog = lm_catalog_set_get (c->set, lineage.layers[j].catalog);
          g_autoptr (LmLayer) layer = lm_catalog_load_layer (catalog, lineage.layers[j].layer);
          g_string_append_printf (text, "%s%s=%s", text->len ? " " : "", layer->group, layer->name);
        }
      if (text->len > 0)
        return g_string_free (text, FALSE);
      g_string_free (text, TRUE);
    }
  return NULL;
}

static gboolean
has_long_chain (const Context *c, const LmCandidate *candidate)
{
  LmLineage lineage = { .too_long = FALSE };
  for (guint i = 0; i < candidate->layer->builds->len && !lineage.too_long; i++)
    find_lineage (c, candidate, i, &lineage);
  return lineage.too_long;
}

gboolean
lm_chain_throw_no_build (const LmCatalogSet *set, LmFacts *facts, const LmResolution *resolution, GError **error)
{
  const LmResolution *r = resolution;
  const Context context = { set, facts, resolution };
  g_autofree char *whole = format_resolved (r, r->layers->len);
  g_autoptr (GString) text = g_string_new (NULL);
  guint n = 1;
  while (n < r->layers->len && has_chain (&context, n))
    n++;
  const LmCandidate *missing = r->layers->pdata[n - 1];
  if (has_long_chain (&context, missing))
    return lm_throw (error, LM_RESOLVE_ERROR, LM_RESOLVE_ERROR_NO_BUILD,
                     "the chain of %s %s has more than %d layers, which is the maximum",
                     missing->layer->name, missing->layer->version, LM_LINEAGE_MAX);
  g_autofree char *below = format_resolved (r, n - 1);
  g_string_append_printf (text, "no chain of builds combines %s: there is no build of %s %s %s%s", whole,
                          missing->layer->name, missing->layer->version, n > 1 ? "on " : "as a base", below);
  g_autofree char *existing = format_existing (&context, missing);
  g_string_append_printf (text, "; %s", existing);
  g_autofree char *addition = NULL;
  for (guint i = r->layers->len; i-- > 0 && addition == NULL;)
    addition = find_addition (&context, r->layers->pdata[i]);
  if (addition != NULL)
    g_string_append_printf (text, "; add %s", addition);
  return lm_throw (error, LM_RESOLVE_ERROR, LM_RESOLVE_ERROR_NO_BUILD, "%s", text->str);
}

gboolean
lm_chain_throw_no_recipe (const LmResolution *resolution, const LmPlanOptions *options, GError **error)
{
  g_autofree char *whole = format_resolved (resolution, resolution->layers->len);
  g_autoptr (GString) without = g_string_new (NULL);
  for (guint i = 0; i < resolution->layers->len; i++)
    {
      const LmLayer *layer = ((LmCandidate *) resolution->layers->pdata[i])->layer;
      LmPlanRecipe recipe;
      if (!options->find_recipe (options->user_data, layer->name, &recipe))
        g_string_append_printf (without, "%s%s", without->len > 0 ? ", " : "", layer->name);
    }
  return lm_throw (error, LM_RESOLVE_ERROR, LM_RESOLVE_ERROR_NO_BUILD,
                   without->len > 0 ? "no chain of builds combines %s, nor can one be built, because there is no recipe of %s"
                                    : "no chain of builds combines %s, and the recipes cannot be built on each other%s",
                   whole, without->str);
}

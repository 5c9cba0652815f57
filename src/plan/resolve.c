/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "plan/resolve.h"
#include "base/error.h"
#include "catalog/relation.h"
#include "plan/resolve-check.h"
#include "plan/solver.h"

#include <string.h>
#include <sys/utsname.h>

G_DEFINE_QUARK (lm-resolve-error-quark, lm_resolve_error)

#define MAX_SELECTIONS 64

void
lm_resolution_free (LmResolution *resolution)
{
  if (resolution == NULL)
    return;
  g_clear_pointer (&resolution->layers, g_ptr_array_unref);
  g_clear_pointer (&resolution->selections, g_ptr_array_unref);
  g_clear_pointer (&resolution->candidates, g_ptr_array_unref);
  g_clear_pointer (&resolution->groups, g_ptr_array_unref);
  g_free (resolution->arch);
  g_free (resolution);
}

char *
lm_resolve_host_arch (void)
{
  struct utsname host;
  return g_strdup (uname (&host) == 0 ? host.machine : "x86_64");
}

/* ---- order ---- */

static guint
group_order (const LmResolution *r, const char *name)
{
  for (guint i = 0; i < r->groups->len; i++)
    if (strcmp (((LmGroup *) r->groups->pdata[i])->name, name) == 0)
      return i;
  return r->groups->len;
}

static gboolean
comes_first (const LmResolution *r, const LmLayer *a, const LmLayer *b)
{
  guint x = group_order (r, a->group), y = group_order (r, b->group);
  return x != y ? x < y : strcmp (a->name, b->name) < 0;
}

static gboolean
has_its_requirements (const GPtrArray *rest, guint i)
{
  const LmLayer *layer = ((LmCandidate *) rest->pdata[i])->layer;
  for (guint j = 0; j < rest->len; j++)
    if (j != i && lm_relations_match (layer->requires, ((LmCandidate *) rest->pdata[j])->layer))
      return FALSE;
  return TRUE;
}

/* Repeatedly takes the first, in the order of comes_first(), of the layers whose
 * requirements have all been taken; if requirements are circular, the first of all. */
static void
order_layers (LmResolution *r, GPtrArray *rest)
{
  while (rest->len > 0)
    {
      guint best = 0;
      gboolean best_ready = has_its_requirements (rest, 0);
      for (guint i = 1; i < rest->len; i++)
        {
          gboolean ready = has_its_requirements (rest, i);
          if (ready != best_ready
                ? ready
                : comes_first (r, ((LmCandidate *) rest->pdata[i])->layer, ((LmCandidate *) rest->pdata[best])->layer))
            {
              best = i;
              best_ready = ready;
            }
        }
      g_ptr_array_add (r->layers, g_ptr_array_remove_index (rest, best));
    }
}

/* ---- resolving ---- */

static gboolean
parse_selections (LmResolution *r, const char *const *selections, GError **error)
{
  for (; *selections; selections++)
    {
      g_autoptr (LmSelection) s = lm_selection_parse (*selections, error);
      if (s == NULL)
        return FALSE;
      if (r->selections->len == MAX_SELECTIONS)
        return lm_throw (error, LM_SELECTION_ERROR, LM_SELECTION_ERROR_INVALID, "more than %d layers are selected",
                         MAX_SELECTIONS);
      g_ptr_array_add (r->selections, g_steal_pointer (&s));
    }
  return r->selections->len > 0
         || lm_throw (error, LM_SELECTION_ERROR, LM_SELECTION_ERROR_INVALID, "nothing is selected");
}

static gboolean
solve_selections (const LmCatalogSet *set, LmResolution *r, GError **error)
{
  g_autoptr (LmSolver) solver = lm_solver_new (r->candidates, r->groups);
  g_autoptr (GPtrArray) reasons = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) chosen = lm_solver_solve (solver, r->selections, (LmSolverRelaxation){ -1, -1 }, reasons);
  if (chosen == NULL)
    return lm_resolve_throw_unsatisfiable (solver, r, reasons, error);
  if (!lm_resolve_check_required (set, r, chosen, error))
    return FALSE;
  for (guint i = 0; i < chosen->len; i++)
    for (guint j = 0; j < r->selections->len; j++)
      {
        LmCandidate *candidate = chosen->pdata[i];
        candidate->selected |= lm_selection_matches (r->selections->pdata[j], candidate->layer);
      }
  order_layers (r, chosen);
  return TRUE;
}

LmResolution *
lm_resolve (const LmCatalogSet *set, const char *const *selections, const char *arch, GError **error)
{
  g_autoptr (LmResolution) r = g_new0 (LmResolution, 1);
  r->layers = g_ptr_array_new ();
  r->selections = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_selection_free);
  r->groups = lm_catalog_set_load_groups (set);
  r->arch = arch ? g_strdup (arch) : lm_resolve_host_arch ();
  if (!parse_selections (r, selections, error) || !lm_resolve_check_selections (set, r, error))
    return NULL;
  r->candidates = lm_candidates_collect (set, r->selections, r->arch);
  if (!lm_resolve_check_group_limits (r, error) || !solve_selections (set, r, error))
    return NULL;
  return g_steal_pointer (&r);
}

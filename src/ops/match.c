/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/match.h"

#include <string.h>

/* A machine has no two layers of the same name. */
static gboolean
has_selection (const GPtrArray *layers, const LmSelection *selection)
{
  for (guint i = 0; i < layers->len; i++)
    {
      const LmDomainLayer *layer = g_ptr_array_index (layers, i);
      const LmLayer named = { .name = layer->blob.name, .group = layer->group, .version = layer->version };
      if (lm_selection_matches (selection, &named))
        return TRUE;
    }
  return FALSE;
}

static gboolean
plan_has_selection (const LmPlan *plan, const LmSelection *selection)
{
  for (guint i = 0; i < plan->layers->len; i++)
    {
      const LmPlanItem *item = g_ptr_array_index (plan->layers, i);
      if (strcmp (item->blob.name, selection->name) == 0 && g_strcmp0 (item->group, selection->group) == 0)
        return TRUE;
    }
  return FALSE;
}

static GPtrArray *
parse_all_selections (char **texts)
{
  g_autoptr (GPtrArray) selections = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_selection_free);
  for (; texts != NULL && *texts != NULL; texts++)
    {
      LmSelection *selection = lm_selection_parse (*texts, NULL);
      if (selection == NULL)
        return NULL;
      g_ptr_array_add (selections, selection);
    }
  return g_steal_pointer (&selections);
}

LmMatch
lm_match_selections (char **requested, char **resolved, const GPtrArray *layers, const LmPlan *plan)
{
  g_autoptr (GPtrArray) wanted = parse_all_selections (requested);
  g_autoptr (GPtrArray) made_of = parse_all_selections (resolved);
  if (wanted == NULL || made_of == NULL)
    return LM_MATCH_NO;
  for (guint i = 0; i < wanted->len; i++)
    if (!has_selection (layers, g_ptr_array_index (wanted, i)))
      return LM_MATCH_NO;
  for (guint i = 0; i < made_of->len; i++)
    {
      const LmSelection *had = g_ptr_array_index (made_of, i);
      gboolean asked_for = FALSE;
      for (guint j = 0; j < wanted->len && !asked_for; j++)
        asked_for = strcmp (((LmSelection *) g_ptr_array_index (wanted, j))->name, had->name) == 0;
      if (!asked_for && plan == NULL)
        return LM_MATCH_UNKNOWN;
      if (!asked_for && !plan_has_selection (plan, had))
        return LM_MATCH_NO;
    }
  return LM_MATCH_YES;
}

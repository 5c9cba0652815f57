/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "plan/resolve-check.h"
#include "base/error.h"
#include "base/text.h"

#include <string.h>

#define MAX_SHOWN 8

/* "a, b and c"; words beyond MAX_SHOWN are only counted. */
static char *
join_words (const GPtrArray *words)
{
  GString *text = g_string_new (NULL);
  guint n = MIN (words->len, MAX_SHOWN);
  for (guint i = 0; i < n; i++)
    {
      gboolean last = i + 1 == words->len;
      g_string_append (text, i == 0 ? "" : last ? " and " : ", ");
      g_string_append (text, words->pdata[i]);
    }
  if (words->len > n)
    g_string_append_printf (text, " and %u more", words->len - n);
  return g_string_free (text, FALSE);
}

/* ---- selections on their own ---- */

/* Loads the layers called @name, or those that provide it, regardless of their architecture. */
static GPtrArray *
load_named (const LmCatalogSet *set, const char *name, gboolean provided)
{
  GPtrArray *layers = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_layer_free);
  g_autoptr (GArray) refs = g_array_new (FALSE, FALSE, sizeof (LmLayerRef));
  if (provided)
    lm_catalog_set_find_provided (set, name, refs);
  else
    lm_catalog_set_find_name (set, name, refs);
  for (guint i = 0; i < refs->len; i++)
    {
      LmLayerRef ref = g_array_index (refs, LmLayerRef, i);
      g_ptr_array_add (layers, lm_catalog_load_layer (lm_catalog_set_get (set, ref.catalog), ref.layer));
    }
  return layers;
}

/* Joins the distinct values of a string field, sorted, for a message. */
static char *
join_field (const GPtrArray *layers, gsize offset)
{
  g_autoptr (GPtrArray) values = g_ptr_array_new ();
  for (guint i = 0; i < layers->len; i++)
    {
      char *value = G_STRUCT_MEMBER (char *, layers->pdata[i], offset);
      if (value != NULL && !g_ptr_array_find_with_equal_func (values, value, g_str_equal, NULL))
        g_ptr_array_add (values, value);
    }
  g_ptr_array_sort (values, lm_text_compare);
  return join_words (values);
}

static gboolean
throw_unknown_layer (const LmCatalogSet *set, const char *name, GError **error)
{
  g_autoptr (GPtrArray) providers = load_named (set, name, TRUE);
  if (providers->len > 0)
    {
      g_autofree char *who = join_field (providers, G_STRUCT_OFFSET (LmLayer, name));
      return lm_throw (error, LM_RESOLVE_ERROR, LM_RESOLVE_ERROR_UNKNOWN,
                       "there is no layer \"%s\"; select what provides it: %s", name, who);
    }
  g_autofree char *near = lm_catalog_set_suggest (set, name);
  if (near != NULL)
    return lm_throw (error, LM_RESOLVE_ERROR, LM_RESOLVE_ERROR_UNKNOWN,
                     "there is no layer \"%s\"; did you mean \"%s\"?", name, near);
  return lm_throw (error, LM_RESOLVE_ERROR, LM_RESOLVE_ERROR_UNKNOWN,
                   lm_catalog_set_get_length (set) ? "there is no layer \"%s\"; \"lamina list\" shows what is available"
                                                   : "there is no layer \"%s\" because no catalog can be read; add "
                                                     "one with \"lamina catalog add\"",
                   name);
}

static gboolean
check_selection (const LmCatalogSet *set, const LmResolution *r, const LmSelection *s, GError **error)
{
  g_autoptr (GPtrArray) named = load_named (set, s->name, FALSE);
  if (named->len == 0)
    return throw_unknown_layer (set, s->name, error);
  for (guint i = named->len; i-- > 0;)
    if (!lm_layer_runs_on (named->pdata[i], r->arch))
      {
        if (named->len > 1)
          g_ptr_array_remove_index (named, i);
        else
          return lm_throw (error, LM_RESOLVE_ERROR, LM_RESOLVE_ERROR_UNKNOWN, "%s is available for %s, but not for %s",
                           s->name, ((LmLayer *) named->pdata[i])->arch, r->arch);
      }
  g_autofree char *groups = join_field (named, G_STRUCT_OFFSET (LmLayer, group));
  LmSelection any = { .group = s->group, .name = s->name };
  gboolean in_group = FALSE, in_version = FALSE;
  for (guint i = 0; i < named->len; i++)
    {
      in_group |= lm_selection_matches (&any, named->pdata[i]);
      in_version |= lm_selection_matches (s, named->pdata[i]);
    }
  if (!in_group)
    return lm_throw (error, LM_RESOLVE_ERROR, LM_RESOLVE_ERROR_GROUP, "%s is in the group %s, not %s; use %s=%s",
                     s->name, groups, s->group, groups, s->name);
  if (in_version)
    return TRUE;
  if (named->len == 1 && ((LmLayer *) named->pdata[0])->builds->len == 0)
    return lm_throw (error, LM_RESOLVE_ERROR, LM_RESOLVE_ERROR_UNKNOWN,
                     "nobody has built %s yet, and its recipe does not say that it makes the version %s; leave the version out", s->name,
                     s->version);
  g_autofree char *versions = join_field (named, G_STRUCT_OFFSET (LmLayer, version));
  return lm_throw (error, LM_RESOLVE_ERROR, LM_RESOLVE_ERROR_UNKNOWN, "there is no version %s of %s; available: %s",
                   s->version, s->name, versions);
}

gboolean
lm_resolve_check_selections (const LmCatalogSet *set, const LmResolution *r, GError **error)
{
  for (guint i = 0; i < r->selections->len; i++)
    if (!check_selection (set, r, r->selections->pdata[i], error))
      return FALSE;
  return TRUE;
}

/* ---- groups ---- */

/* Returns the group of the layers that match the selection; NULL if they are in different groups. */
static const char *
group_of_selection (const LmResolution *r, const LmSelection *s)
{
  const char *group = NULL;
  for (guint i = 0; i < r->candidates->len; i++)
    {
      const LmLayer *layer = ((LmCandidate *) r->candidates->pdata[i])->layer;
      if (!lm_selection_matches (s, layer))
        continue;
      if (group != NULL && strcmp (group, layer->group) != 0)
        return NULL;
      group = layer->group;
    }
  return group;
}

gboolean
lm_resolve_check_group_limits (const LmResolution *r, GError **error)
{
  for (guint i = 0; i < r->selections->len; i++)
    for (guint j = 0; j < i; j++)
      {
        const LmSelection *a = r->selections->pdata[j], *b = r->selections->pdata[i];
        const char *group = group_of_selection (r, a), *other = group_of_selection (r, b);
        if (group == NULL || other == NULL || strcmp (group, other) != 0 || lm_groups_allow_multiple (r->groups, group)
            || strcmp (a->name, b->name) == 0)
          continue;
        return lm_throw (error, LM_RESOLVE_ERROR, LM_RESOLVE_ERROR_GROUP,
                         "the group %s allows one layer, but %s and %s were selected; leave one out", group, a->name,
                         b->name);
      }
  return TRUE;
}

static gboolean
has_group (const GPtrArray *chosen, const char *group)
{
  for (guint i = 0; i < chosen->len; i++)
    if (strcmp (((LmCandidate *) chosen->pdata[i])->layer->group, group) == 0)
      return TRUE;
  return FALSE;
}

static gboolean
throw_group_empty (const LmCatalogSet *set, const LmResolution *r, const LmGroup *group, GError **error)
{
  g_autoptr (GPtrArray) layers = lm_catalog_set_load_layers (set);
  for (guint i = layers->len; i-- > 0;)
    if (strcmp (((LmLayer *) layers->pdata[i])->group, group->name) != 0 || !lm_layer_runs_on (layers->pdata[i], r->arch))
      g_ptr_array_remove_index (layers, i);
  g_autofree char *choices = join_field (layers, G_STRUCT_OFFSET (LmLayer, name));
  if (layers->len == 0)
    return lm_throw (error, LM_RESOLVE_ERROR, LM_RESOLVE_ERROR_GROUP,
                     "a machine needs a layer of the group %s, but there is none for %s", group->name, r->arch);
  return lm_throw (error, LM_RESOLVE_ERROR, LM_RESOLVE_ERROR_GROUP,
                   "a machine needs a layer of the group %s%s%s%s, but none is selected; add one of %s",
                   group->name, group->title ? " (" : "", group->title ? group->title : "", group->title ? ")" : "",
                   choices);
}

/* Whether the group applies to these layers: it does not if none of their catalogs
 * declares it. */
static gboolean
is_group_relevant (const LmCatalogSet *set, const GPtrArray *chosen, const char *group)
{
  for (guint i = 0; i < chosen->len; i++)
    if (lm_catalog_set_declares_group (set, ((LmCandidate *) chosen->pdata[i])->ref.catalog, group))
      return TRUE;
  return FALSE;
}

gboolean
lm_resolve_check_required (const LmCatalogSet *set, const LmResolution *r, const GPtrArray *chosen, GError **error)
{
  for (guint i = 0; i < r->groups->len; i++)
    {
      const LmGroup *group = r->groups->pdata[i];
      if (group->required && !has_group (chosen, group->name) && is_group_relevant (set, chosen, group->name))
        return throw_group_empty (set, r, group, error);
    }
  return TRUE;
}

/* ---- selections in combination ---- */

static char *
suggest_change (LmSolver *solver, const LmResolution *r, guint i)
{
  const LmSelection *s = r->selections->pdata[i];
  g_autofree char *text = lm_selection_format (s);
  g_autoptr (GPtrArray) newer = s->version ? lm_solver_solve (solver, r->selections, (LmSolverRelaxation){ -1, (int) i }, NULL) : NULL;
  for (guint k = 0; newer && k < newer->len; k++)
    {
      const LmLayer *layer = ((LmCandidate *) newer->pdata[k])->layer;
      if (strcmp (layer->name, s->name) == 0)
        return g_strdup_printf ("use %s@%s instead of %s", layer->name, layer->version, text);
    }
  if (r->selections->len == 1)
    return NULL;
  g_autoptr (GPtrArray) rest = lm_solver_solve (solver, r->selections, (LmSolverRelaxation){ (int) i, -1 }, NULL);
  if (rest == NULL)
    return NULL;
  const char *group = group_of_selection (r, s);
  for (guint k = 0; group && k < rest->len; k++)
    {
      const LmLayer *layer = ((LmCandidate *) rest->pdata[k])->layer;
      if (strcmp (layer->group, group) == 0 && !lm_groups_allow_multiple (r->groups, group))
        return g_strdup_printf ("use %s instead of %s", layer->name, text);
    }
  return g_strdup_printf ("leave out %s", text);
}

gboolean
lm_resolve_throw_unsatisfiable (LmSolver *solver, const LmResolution *r, const GPtrArray *reasons, GError **error)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < r->selections->len; i++)
    g_ptr_array_add (words, lm_selection_format (r->selections->pdata[i]));
  g_autofree char *what = join_words (words);
  g_string_append_printf (text, r->selections->len > 1 ? "%s cannot be combined" : "%s cannot be used", what);
  for (guint i = 0; i < reasons->len; i++)
    g_string_append_printf (text, "%s%s", i ? ", " : ": ", (char *) reasons->pdata[i]);
  gboolean first = TRUE;
  for (guint i = 0; i < r->selections->len && i < MAX_SHOWN; i++)
    {
      g_autofree char *suggestion = suggest_change (solver, r, i);
      if (suggestion == NULL)
        continue;
      g_string_append_printf (text, "%s%s", first ? "; " : ", or ", suggestion);
      first = FALSE;
    }
  return lm_throw (error, LM_RESOLVE_ERROR, LM_RESOLVE_ERROR_UNSATISFIABLE, "%s", text->str);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "model/resolve.h"
#include "base/error.h"
#include "base/trace.h"
#include "model/relation.h"
#include "model/solver.h"
#include "model/version.h"

#include <string.h>
#include <sys/utsname.h>

G_DEFINE_QUARK (lm-resolve-error-quark, lm_resolve_error)

#define MAX_SHOWN 8
#define MAX_SELECTIONS 64

static void
candidate_free (gpointer data)
{
  LmCandidate *candidate = data;
  lm_layer_free (candidate->layer);
  g_free (candidate);
}

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

static char *
host_arch (void)
{
  struct utsname host;
  return g_strdup (uname (&host) == 0 ? host.machine : "x86_64");
}

/* "a, b and c"; what is beyond MAX_SHOWN is counted. */
static char *
join (const GPtrArray *words)
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

static int
compare_candidates (gconstpointer a, gconstpointer b)
{
  const LmCandidate *one = *(LmCandidate *const *) a, *two = *(LmCandidate *const *) b;
  int by_name = strcmp (one->layer->name, two->layer->name);
  int by_version = by_name ? by_name : lm_version_compare (two->layer->version, one->layer->version);
  int by_catalog = by_version ? by_version : (int) one->ref.catalog - (int) two->ref.catalog;
  return by_catalog ? by_catalog : (one->ref.layer > two->ref.layer) - (one->ref.layer < two->ref.layer);
}

static int
compare_names (gconstpointer a, gconstpointer b)
{
  return strcmp (*(char *const *) a, *(char *const *) b);
}

static gboolean
is_for_arch (const LmLayer *layer, const char *arch)
{
  return layer->arch == NULL || strcmp (layer->arch, arch) == 0;
}

/* ---- which layers can matter ----
 *
 * A layer is in an answer only because it is selected by name, or because a
 * layer of the answer requires it: nothing else ever pulls one in. So every
 * answer lies within the closure taken here: all versions of the selected
 * names, all layers that meet a name that one of these requires (whatever
 * the version asked for, so more than is needed), and so on. Conflicts and
 * groups only forbid; between layers outside the closure, or between one
 * inside and one outside, they forbid nothing that could be chosen. Solving
 * within it thus gives what solving over the whole catalog would. */

typedef struct
{
  const LmCatalogSet *set;
  const char *arch;
  GPtrArray *candidates;
  GHashTable *names; /* looked up already */
  GHashTable *refs;  /* taken already: catalog << 32 | layer, boxed */
  GQueue todo;       /* names, owned by the candidates or selections */
} Closure;

static void
want (Closure *c, const char *name)
{
  if (g_hash_table_contains (c->names, name))
    return;
  char *copy = g_strdup (name);
  g_hash_table_add (c->names, copy);
  g_queue_push_tail (&c->todo, copy);
}

static void
take (Closure *c, LmLayerRef ref)
{
  gint64 key = (gint64) ref.catalog << 32 | ref.layer;
  if (g_hash_table_contains (c->refs, &key))
    return;
  g_hash_table_add (c->refs, g_memdup2 (&key, sizeof key));
  g_autoptr (LmLayer) layer = lm_catalog_load_layer (lm_catalog_set_get (c->set, ref.catalog), ref.layer);
  if (!is_for_arch (layer, c->arch))
    return;
  for (char **text = layer->requires; *text; text++)
    {
      LmRelation relation;
      if (lm_relation_parse (*text, &relation))
        want (c, relation.name);
    }
  LmCandidate *candidate = g_new0 (LmCandidate, 1);
  candidate->ref = ref;
  candidate->layer = g_steal_pointer (&layer);
  g_ptr_array_add (c->candidates, candidate);
}

static void
collect (const LmCatalogSet *set, LmResolution *r)
{
  Closure c = { .set = set, .arch = r->arch, .candidates = r->candidates };
  g_autoptr (GHashTable) names = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (GHashTable) refs = g_hash_table_new_full (g_int64_hash, g_int64_equal, g_free, NULL);
  g_autoptr (GArray) found = g_array_new (FALSE, FALSE, sizeof (LmLayerRef));
  c.names = names;
  c.refs = refs;
  for (guint i = 0; i < r->selections->len; i++)
    want (&c, ((LmSelection *) r->selections->pdata[i])->name);
  for (const char *name = NULL; (name = g_queue_pop_head (&c.todo)) != NULL;)
    {
      g_array_set_size (found, 0);
      lm_catalog_set_find_name (set, name, found);
      lm_catalog_set_find_provided (set, name, found);
      for (guint i = 0; i < found->len; i++)
        take (&c, g_array_index (found, LmLayerRef, i));
    }
  /* the answer shall not depend on the order of the catalogs' texts */
  g_ptr_array_sort (r->candidates, compare_candidates);
  lm_trace (LM_TRACE_RESOLVE, "%u layers to choose from", r->candidates->len);
}

/* ---- selections that cannot be right ---- */

/* What is called so, seen regardless of the architecture. */
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

/* The different values of one string field, in order, for a message. */
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
  g_ptr_array_sort (values, compare_names);
  return join (values);
}

static gboolean
throw_unknown (const LmCatalogSet *set, const char *name, GError **error)
{
  g_autoptr (GPtrArray) providers = load_named (set, name, TRUE);
  if (providers->len > 0)
    {
      g_autofree char *who = join_field (providers, G_STRUCT_OFFSET (LmLayer, name));
      return lm_throw (error, LM_RESOLVE_ERROR, LM_RESOLVE_ERROR_UNKNOWN,
                       "there is no layer \"%s\"; it is provided by %s: select by that name", name, who);
    }
  g_autofree char *near = lm_catalog_set_suggest (set, name);
  if (near != NULL)
    return lm_throw (error, LM_RESOLVE_ERROR, LM_RESOLVE_ERROR_UNKNOWN,
                     "there is no layer \"%s\"; did you mean \"%s\"?", name, near);
  return lm_throw (error, LM_RESOLVE_ERROR, LM_RESOLVE_ERROR_UNKNOWN,
                   lm_catalog_set_get_length (set) ? "there is no layer \"%s\"; lamina list shows what there is"
                                                   : "there is no layer \"%s\", as there is no catalog; add one with lamina catalog add",
                   name);
}

static gboolean
check_selection (const LmCatalogSet *set, const LmResolution *r, const LmSelection *s, GError **error)
{
  g_autoptr (GPtrArray) named = load_named (set, s->name, FALSE);
  if (named->len == 0)
    return throw_unknown (set, s->name, error);
  for (guint i = named->len; i-- > 0;)
    if (!is_for_arch (named->pdata[i], r->arch))
      {
        if (named->len > 1)
          g_ptr_array_remove_index (named, i);
        else
          return lm_throw (error, LM_RESOLVE_ERROR, LM_RESOLVE_ERROR_UNKNOWN, "%s is there for %s, but not for %s",
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
    return lm_throw (error, LM_RESOLVE_ERROR, LM_RESOLVE_ERROR_GROUP, "%s is of the group %s, not %s: write %s=%s",
                     s->name, groups, s->group, groups, s->name);
  if (in_version)
    return TRUE;
  g_autofree char *versions = join_field (named, G_STRUCT_OFFSET (LmLayer, version));
  return lm_throw (error, LM_RESOLVE_ERROR, LM_RESOLVE_ERROR_UNKNOWN, "there is no version %s of %s; there is %s",
                   s->version, s->name, versions);
}

static gboolean
takes_several (const LmResolution *r, const char *group)
{
  for (guint i = 0; i < r->groups->len; i++)
    if (strcmp (((LmGroup *) r->groups->pdata[i])->name, group) == 0)
      return ((LmGroup *) r->groups->pdata[i])->multiple;
  return FALSE;
}

/* The one group that all layers of this selection are of; NULL if they differ. */
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

/* Two selections of one group that takes one: no need to ask the solver. */
static gboolean
check_group_room (const LmResolution *r, GError **error)
{
  for (guint i = 0; i < r->selections->len; i++)
    for (guint j = 0; j < i; j++)
      {
        const LmSelection *a = r->selections->pdata[j], *b = r->selections->pdata[i];
        const char *group = group_of_selection (r, a), *other = group_of_selection (r, b);
        if (group == NULL || other == NULL || strcmp (group, other) != 0 || takes_several (r, group)
            || strcmp (a->name, b->name) == 0)
          continue;
        return lm_throw (error, LM_RESOLVE_ERROR, LM_RESOLVE_ERROR_GROUP,
                         "the group %s takes one layer, but %s and %s were selected; leave one out", group, a->name,
                         b->name);
      }
  return TRUE;
}

/* ---- what would work ---- */

static char *
describe_relief (LmSolver *solver, const LmResolution *r, guint i)
{
  const LmSelection *s = r->selections->pdata[i];
  g_autofree char *text = lm_selection_format (s);
  g_autoptr (GPtrArray) newer = s->version ? lm_solver_solve (solver, r->selections, (LmSolverRelaxation){ -1, (int) i }, NULL) : NULL;
  for (guint k = 0; newer && k < newer->len; k++)
    {
      const LmLayer *layer = ((LmCandidate *) newer->pdata[k])->layer;
      if (strcmp (layer->name, s->name) == 0)
        return g_strdup_printf ("take %s@%s in place of %s", layer->name, layer->version, text);
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
      if (strcmp (layer->group, group) == 0 && !takes_several (r, group))
        return g_strdup_printf ("take %s in place of %s", layer->name, text);
    }
  return g_strdup_printf ("leave out %s", text);
}

static gboolean
throw_unsatisfiable (LmSolver *solver, const LmResolution *r, const GPtrArray *reasons, GError **error)
{
  g_autoptr (GPtrArray) words = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < r->selections->len; i++)
    g_ptr_array_add (words, lm_selection_format (r->selections->pdata[i]));
  g_autofree char *what = join (words);
  g_string_append_printf (text, r->selections->len > 1 ? "%s do not go together" : "%s cannot be had", what);
  for (guint i = 0; i < reasons->len; i++)
    g_string_append_printf (text, "%s%s", i ? ", " : ": ", (char *) reasons->pdata[i]);
  gboolean first = TRUE;
  for (guint i = 0; i < r->selections->len && i < MAX_SHOWN; i++)
    {
      g_autofree char *relief = describe_relief (solver, r, i);
      if (relief == NULL)
        continue;
      g_string_append_printf (text, "%s%s", first ? "; " : ", or ", relief);
      first = FALSE;
    }
  return lm_throw (error, LM_RESOLVE_ERROR, LM_RESOLVE_ERROR_UNSATISFIABLE, "%s", text->str);
}

/* ---- required groups ---- */

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
    if (strcmp (((LmLayer *) layers->pdata[i])->group, group->name) != 0 || !is_for_arch (layers->pdata[i], r->arch))
      g_ptr_array_remove_index (layers, i);
  g_autofree char *choices = join_field (layers, G_STRUCT_OFFSET (LmLayer, name));
  if (layers->len == 0)
    return lm_throw (error, LM_RESOLVE_ERROR, LM_RESOLVE_ERROR_GROUP,
                     "a machine needs a layer of the group %s, and there is none for %s", group->name, r->arch);
  return lm_throw (error, LM_RESOLVE_ERROR, LM_RESOLVE_ERROR_GROUP,
                   "a machine needs a layer of the group %s%s%s%s, and nothing selected brings one; add one of %s",
                   group->name, group->title ? " (" : "", group->title ? group->title : "", group->title ? ")" : "",
                   choices);
}

static gboolean
check_required_groups (const LmCatalogSet *set, const LmResolution *r, const GPtrArray *chosen, GError **error)
{
  for (guint i = 0; i < r->groups->len; i++)
    {
      const LmGroup *group = r->groups->pdata[i];
      if (group->required && !has_group (chosen, group->name))
        return throw_group_empty (set, r, group, error);
    }
  return TRUE;
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
is_ready (const GPtrArray *rest, guint i)
{
  const LmLayer *layer = ((LmCandidate *) rest->pdata[i])->layer;
  for (guint j = 0; j < rest->len; j++)
    if (j != i && lm_relations_meet (layer->requires, ((LmCandidate *) rest->pdata[j])->layer))
      return FALSE;
  return TRUE;
}

/* Takes the least of those whose needs are all taken; where needs turn in a
 * circle, the least of all. */
static void
order_layers (LmResolution *r, GPtrArray *rest)
{
  while (rest->len > 0)
    {
      guint best = 0;
      gboolean best_ready = is_ready (rest, 0);
      for (guint i = 1; i < rest->len; i++)
        {
          gboolean ready = is_ready (rest, i);
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

/* ---- all together ---- */

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
solve (const LmCatalogSet *set, LmResolution *r, GError **error)
{
  g_autoptr (LmSolver) solver = lm_solver_new (r->candidates, r->groups);
  g_autoptr (GPtrArray) reasons = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) chosen = lm_solver_solve (solver, r->selections, (LmSolverRelaxation){ -1, -1 }, reasons);
  if (chosen == NULL)
    return throw_unsatisfiable (solver, r, reasons, error);
  if (!check_required_groups (set, r, chosen, error))
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
  r->candidates = g_ptr_array_new_with_free_func (candidate_free);
  r->groups = lm_catalog_set_load_groups (set);
  r->arch = arch ? g_strdup (arch) : host_arch ();
  if (!parse_selections (r, selections, error))
    return NULL;
  for (guint i = 0; i < r->selections->len; i++)
    if (!check_selection (set, r, r->selections->pdata[i], error))
      return NULL;
  collect (set, r);
  if (!check_group_room (r, error) || !solve (set, r, error))
    return NULL;
  return g_steal_pointer (&r);
}

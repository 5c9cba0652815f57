/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "build/package-growth.h"
#include "build/numbers.h"

#include <solv/bitmap.h>
#include <solv/evr.h>
#include <solv/solver.h>

/* Real packages need two or three. */
#define MAX_ROUNDS 50

/* A set of packages that grows until all needs are fulfilled. */
typedef struct
{
  LmPackages *packages;
  gboolean recommended;
  Map chosen;
  GHashTable *names; /* of the chosen packages, with their numbers */
  Queue pending;     /* chosen, but not looked at yet */
  Queue deferred;    /* dependencies that several packages fulfil */
  Queue optional;    /* the same of recommendations */
  gboolean failed;
} Growth;

/* Chooses @id, which may replace an older package of the parent; with @exact also a newer one. */
static void
choose (Growth *growth, Id id, gboolean exact)
{
  Pool *pool = growth->packages->pool;
  Solvable *s = pool_id2solvable (pool, id);
  const Id other = GPOINTER_TO_INT (g_hash_table_lookup (growth->names, GINT_TO_POINTER (s->name)));
  if (id == other)
    return;
  if (id == 0
      || (other != 0
          && (!lm_package_pool_is_installed (growth->packages, other)
              || (!exact && pool_evrcmp (pool, s->evr, pool_id2solvable (pool, other)->evr, EVRCMP_COMPARE) <= 0))))
    {
      growth->failed = TRUE;
      return;
    }
  if (other != 0)
    MAPCLR (&growth->chosen, other);
  MAPSET (&growth->chosen, id);
  g_hash_table_insert (growth->names, GINT_TO_POINTER (s->name), GINT_TO_POINTER (id));
  queue_push (&growth->pending, id);
}

static gboolean
is_fulfilled (const Growth *growth, Id dep)
{
  Pool *pool = growth->packages->pool;
  Id id, offset;
  FOR_PROVIDES (id, offset, dep)
    if (MAPTST (&growth->chosen, id))
      return TRUE;
  return FALSE;
}

/* Whether packages with different names fulfil @dep. */
static gboolean
has_alternatives (Pool *pool, Id dep)
{
  Id id, offset, name = 0;
  FOR_PROVIDES (id, offset, dep)
    {
      if (name != 0 && pool_id2solvable (pool, id)->name != name)
        return TRUE;
      name = pool_id2solvable (pool, id)->name;
    }
  return FALSE;
}

/* Chooses what the dependencies at @offset need. Alternatives wait, because one of them
 * may be chosen for another reason. */
static void
choose_needs (Growth *growth, Solvable *s, Offset offset, gboolean required)
{
  for (const Id *dep = lm_package_pool_deps (s, offset); *dep; dep++)
    {
      if (*dep == SOLVABLE_PREREQMARKER || is_fulfilled (growth, *dep))
        continue;
      const Id provider = lm_package_pool_prefer (growth->packages, *dep);
      if (provider == 0)
        growth->failed |= required;
      else if (has_alternatives (growth->packages->pool, *dep))
        queue_push (required ? &growth->deferred : &growth->optional, *dep);
      else
        choose (growth, provider, FALSE);
    }
}

static gboolean
was_held (LmPackages *packages, Id name)
{
  Pool *pool = packages->pool;
  Id id, offset;
  FOR_PROVIDES (id, offset, name)
    if (lm_package_pool_is_installed (packages, id) && pool_id2solvable (pool, id)->name == name)
      return TRUE;
  return FALSE;
}

/* Adds what the chosen packages need, by preference alone. */
static void
grow (Growth *growth)
{
  Pool *pool = growth->packages->pool;
  while (!growth->failed && (growth->pending.count > 0 || growth->deferred.count > 0 || growth->optional.count > 0))
    {
      if (growth->pending.count == 0)
        {
          const Id dep = queue_shift (growth->deferred.count > 0 ? &growth->deferred : &growth->optional);
          if (!is_fulfilled (growth, dep))
            choose (growth, lm_package_pool_prefer (growth->packages, dep), FALSE);
          continue;
        }
      Solvable *s = pool_id2solvable (pool, queue_shift (&growth->pending));
      choose_needs (growth, s, s->requires, TRUE);
      /* Who upgrades a package has decided about its recommendations before. */
      if (growth->recommended && !was_held (growth->packages, s->name))
        choose_needs (growth, s, s->recommends, FALSE);
    }
}

/* ---- the parent's packages */

static gboolean
conflicts_with (Pool *pool, Id one, Id other)
{
  Id id, offset;
  Solvable *s = pool_id2solvable (pool, one);
  for (const Id *dep = lm_package_pool_deps (s, s->conflicts); *dep; dep++)
    FOR_PROVIDES (id, offset, *dep)
      if (id == other)
        return TRUE;
  return FALSE;
}

/* Chooses the newest version of @id, a package of the parent, if it is newer and @other, which
 * may be 0, has no conflict with it. */
static gboolean
try_upgrade (Growth *growth, Id id, Id other)
{
  Pool *pool = growth->packages->pool;
  Solvable *s = pool_id2solvable (pool, id);
  const Id newest = lm_package_pool_prefer (growth->packages, s->name);
  if (!lm_package_pool_is_installed (growth->packages, id) || newest == 0
      || pool_id2solvable (pool, newest)->name != s->name
      || pool_evrcmp (pool, pool_id2solvable (pool, newest)->evr, s->evr, EVRCMP_COMPARE) <= 0
      || (other != 0 && (conflicts_with (pool, newest, other) || conflicts_with (pool, other, newest))))
    return FALSE;
  choose (growth, newest, FALSE);
  return TRUE;
}

static gboolean
try_remove (Growth *growth, Id id)
{
  if (!lm_package_pool_is_installed (growth->packages, id) || lm_package_pool_extra (growth->packages, id).kept)
    return FALSE;
  MAPCLR (&growth->chosen, id);
  return g_hash_table_remove (growth->names, GINT_TO_POINTER (pool_id2solvable (growth->packages->pool, id)->name));
}

/* Whether the parent itself fulfils @dep. */
static gboolean
was_fulfilled (LmPackages *packages, Id dep)
{
  Pool *pool = packages->pool;
  Id id, offset;
  FOR_PROVIDES (id, offset, dep)
    if (lm_package_pool_is_installed (packages, id))
      return TRUE;
  return FALSE;
}

/* Sees to it that the needs of the chosen package @id are fulfilled. Those that the parent did
 * not fulfil before are only what a later version of its package needs. Returns whether something
 * was changed. */
static gboolean
mend_needs (Growth *growth, Id id)
{
  LmPackages *packages = growth->packages;
  Solvable *s = pool_id2solvable (packages->pool, id);
  const gboolean installed = lm_package_pool_is_installed (packages, id);
  for (const Id *dep = lm_package_pool_deps (s, s->requires); *dep; dep++)
    {
      if (*dep == SOLVABLE_PREREQMARKER || is_fulfilled (growth, *dep) || (installed && !was_fulfilled (packages, *dep)))
        continue;
      if (!installed)
        choose (growth, lm_package_pool_prefer (packages, *dep), FALSE);
      else if (!try_upgrade (growth, id, 0))
        growth->failed = TRUE;
      return TRUE;
    }
  return FALSE;
}

/* The same for conflicts of the chosen package @id with others. */
static gboolean
mend_conflicts (Growth *growth, Id id)
{
  Pool *pool = growth->packages->pool;
  Solvable *s = pool_id2solvable (pool, id);
  const gboolean installed = lm_package_pool_is_installed (growth->packages, id);
  for (const Id *dep = lm_package_pool_deps (s, s->conflicts); *dep; dep++)
    {
      Id other, offset;
      FOR_PROVIDES (other, offset, *dep)
        {
          if (other == id || !MAPTST (&growth->chosen, other)
              || (installed && lm_package_pool_is_installed (growth->packages, other)))
            continue;
          growth->failed |= !try_upgrade (growth, other, id) && !try_upgrade (growth, id, other)
                            && !try_remove (growth, other) && !try_remove (growth, id);
          return TRUE;
        }
    }
  return FALSE;
}

/* Grows until nothing that is chosen lacks or disturbs anything. */
static void
settle (Growth *growth)
{
  gboolean changed = TRUE;
  for (guint round = 0; changed && !growth->failed; round++)
    {
      changed = FALSE;
      grow (growth);
      for (Id id = SYSTEMSOLVABLE + 1; id < growth->packages->pool->nsolvables && !growth->failed; id++)
        if (MAPTST (&growth->chosen, id) && (mend_needs (growth, id) || mend_conflicts (growth, id)))
          changed = TRUE;
      growth->failed |= round >= MAX_ROUNDS;
    }
}

/* Whether a chosen package meets the job. */
static gboolean
is_met (const Growth *growth, Id action, Id dep)
{
  Pool *pool = growth->packages->pool;
  const Id select = action & SOLVER_SELECTMASK;
  Id id, offset;
  FOR_JOB_SELECT (id, offset, select, dep)
    if (MAPTST (&growth->chosen, id))
      return TRUE;
  return FALSE;
}

static void
run (Growth *growth, const Queue *jobs)
{
  Pool *pool = growth->packages->pool;
  Id id;
  Solvable *s;
  if (pool->installed != NULL)
    {
      FOR_REPO_SOLVABLES (pool->installed, id, s)
        {
          MAPSET (&growth->chosen, id);
          g_hash_table_insert (growth->names, GINT_TO_POINTER (s->name), GINT_TO_POINTER (id));
        }
    }
  for (int i = 0; i < jobs->count; i += 2)
    {
      const Id dep = jobs->elements[i + 1];
      if (!is_met (growth, jobs->elements[i], dep))
        choose (growth, lm_package_pool_prefer (growth->packages, dep), ISRELDEP (dep) && GETRELDEP (pool, dep)->flags == REL_EQ);
    }
  settle (growth);
  for (int i = 0; i < jobs->count; i += 2)
    growth->failed |= !is_met (growth, jobs->elements[i], jobs->elements[i + 1]);
}

GArray *
lm_package_growth_run (LmPackages *packages, const Queue *jobs, gboolean recommended)
{
  Growth growth = { .packages = packages, .recommended = recommended };
  g_autoptr (GArray) ids = lm_numbers_new ();
  map_init (&growth.chosen, packages->pool->nsolvables);
  queue_init (&growth.pending);
  queue_init (&growth.deferred);
  queue_init (&growth.optional);
  growth.names = g_hash_table_new (NULL, NULL);
  run (&growth, jobs);
  for (Id id = SYSTEMSOLVABLE + 1; id < packages->pool->nsolvables; id++)
    if (MAPTST (&growth.chosen, id))
      g_array_append_val (ids, id);
  g_hash_table_unref (growth.names);
  queue_free (&growth.optional);
  queue_free (&growth.deferred);
  queue_free (&growth.pending);
  map_free (&growth.chosen);
  return growth.failed ? NULL : g_steal_pointer (&ids);
}

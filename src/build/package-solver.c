/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "build/package-solver.h"
#include "build/numbers.h"
#include "base/error.h"
#include "base/text.h"

#include <solv/evr.h>
#include <solv/solver.h>

#define MAX_PROBLEMS 5
#define MAX_REASONS 8
#define MAX_NAMES 20
#define MAX_MESSAGE 1200

/* ---- why not */

/* What is said once. */
typedef struct
{
  LmPackages *packages;
  GPtrArray *reasons; /* char * */
} Explanation;

static void
add_reason (Explanation *explanation, const char *reason)
{
  if (explanation->reasons->len < MAX_REASONS
      && !g_ptr_array_find_with_equal_func (explanation->reasons, reason, g_str_equal, NULL))
    g_ptr_array_add (explanation->reasons, g_strdup (reason));
}

static void
add_held (Explanation *explanation, Id id)
{
  Pool *pool = explanation->packages->pool;
  if (id <= SYSTEMSOLVABLE || !lm_package_pool_is_installed (explanation->packages, id))
    return;
  g_autofree char *text = g_strdup_printf ("the parent has %s %s", pool_id2str (pool, pool_id2solvable (pool, id)->name),
                                           pool_id2str (pool, pool_id2solvable (pool, id)->evr));
  add_reason (explanation, text);
}

/* Without @main only rules that say why the others cannot be met. */
static void
add_rule (Explanation *explanation, Solver *solver, Id rule, gboolean main)
{
  Id dep, source, target;
  const SolverRuleinfo type = solver_ruleinfo (solver, rule, &source, &target, &dep);
  if (!main && type != SOLVER_RULE_PKG_CONFLICTS && type != SOLVER_RULE_PKG_SAME_NAME && type != SOLVER_RULE_PKG_OBSOLETES
      && type != SOLVER_RULE_PKG_NOTHING_PROVIDES_DEP)
    return;
  if (type != SOLVER_RULE_UPDATE)
    add_reason (explanation, solver_problemruleinfo2str (solver, type, source, target, dep));
  add_held (explanation, source);
  add_held (explanation, target);
}

static void
add_problem (Explanation *explanation, Solver *solver, Id problem)
{
  Queue rules;
  queue_init (&rules);
  add_rule (explanation, solver, solver_findproblemrule (solver, problem), TRUE);
  solver_findallproblemrules (solver, problem, &rules);
  for (int i = 0; i < rules.count; i++)
    add_rule (explanation, solver, rules.elements[i], FALSE);
  queue_free (&rules);
}

static GArray *
throw_conflict (const Explanation *explanation, const char *const *wanted, guint n_wanted, GError **error)
{
  g_autoptr (GString) names = g_string_new (NULL), reasons = g_string_new (NULL);
  for (guint i = 0; i < MIN (n_wanted, MAX_NAMES); i++)
    g_string_append_printf (names, "%s%s", i ? ", " : "", wanted[i]);
  if (n_wanted > MAX_NAMES)
    g_string_append (names, ", ...");
  for (guint i = 0; i < explanation->reasons->len; i++)
    g_string_append_printf (reasons, "; %s", (const char *) explanation->reasons->pdata[i]);
  g_autofree char *safe = lm_text_escape (reasons->str, MAX_MESSAGE);
  return lm_throw_null (error, LM_PACKAGES_ERROR, LM_PACKAGES_ERROR_CONFLICT, "%s cannot be installed %s%s", names->str,
                        explanation->packages->pool->installed ? "on the parent" : "together", safe);
}

/* ---- what is removed */

/* Whether a package of @ids that the parent does not have conflicts with @held or obsoletes it,
 * or @held conflicts with it. */
static gboolean
is_in_the_way (LmPackages *packages, Id held, const GArray *ids)
{
  Pool *pool = packages->pool;
  for (guint i = 0; i < ids->len; i++)
    {
      const Id id = (Id) g_array_index (ids, guint, i);
      Solvable *s = pool_id2solvable (pool, id), *other = pool_id2solvable (pool, held);
      if (lm_package_pool_is_installed (packages, id))
        continue;
      for (const Id *dep = lm_package_pool_deps (s, s->conflicts); *dep; dep++)
        if (solvable_matchesdep (other, SOLVABLE_PROVIDES, *dep, 0))
          return TRUE;
      for (const Id *dep = lm_package_pool_deps (s, s->obsoletes); *dep; dep++)
        if (solvable_matchesdep (other, SOLVABLE_PROVIDES, *dep, 0))
          return TRUE;
      for (const Id *dep = lm_package_pool_deps (other, other->conflicts); *dep; dep++)
        if (solvable_matchesdep (s, SOLVABLE_PROVIDES, *dep, 0))
          return TRUE;
    }
  return FALSE;
}

/* The package of @ids with @name; 0 if there is none. */
static Id
find_name (Pool *pool, const GArray *ids, Id name)
{
  for (guint i = 0; i < ids->len; i++)
    if (pool_id2solvable (pool, (Id) g_array_index (ids, guint, i))->name == name)
      return (Id) g_array_index (ids, guint, i);
  return 0;
}

/* Whether a job asks for @s by NAME=VERSION. */
static gboolean
is_exact (Pool *pool, const Queue *jobs, Solvable *s)
{
  for (int i = 1; i < jobs->count; i += 2)
    {
      const Id dep = jobs->elements[i];
      if (ISRELDEP (dep) && GETRELDEP (pool, dep)->flags == REL_EQ && pool_match_nevr (pool, s, dep))
        return TRUE;
    }
  return FALSE;
}

/* Why the package @held of the parent must not be replaced by @ids; NULL if it may. */
static char *
find_objection (LmPackages *packages, Id held, const GArray *ids, const Queue *jobs)
{
  Pool *pool = packages->pool;
  Solvable *s = pool_id2solvable (pool, held);
  const Id other = lm_numbers_have (ids, (guint) held) ? held : find_name (pool, ids, s->name);
  const char *name = pool_id2str (pool, s->name);
  if (other != 0)
    return pool_evrcmp (pool, pool_id2solvable (pool, other)->evr, s->evr, EVRCMP_COMPARE) < 0
               && !is_exact (pool, jobs, pool_id2solvable (pool, other))
             ? g_strdup_printf ("an older %s would be needed", name) : NULL;
  if (lm_package_pool_extra (packages, held).kept)
    return g_strdup_printf ("it would remove %s, which is essential", name);
  return is_in_the_way (packages, held, ids)
           ? NULL : g_strdup_printf ("it would remove %s, although nothing new conflicts with it", name);
}

/* Whether no more is done to the parent than is allowed; why not is added to @explanation. */
static gboolean
check_parent (Explanation *explanation, const GArray *ids, const Queue *jobs)
{
  Repo *parent = explanation->packages->pool->installed;
  Id id;
  Solvable *s;
  if (parent == NULL)
    return TRUE;
  FOR_REPO_SOLVABLES (parent, id, s)
    {
      g_autofree char *objection = find_objection (explanation->packages, id, ids, jobs);
      if (objection == NULL)
        continue;
      add_held (explanation, id);
      add_reason (explanation, objection);
      return FALSE;
    }
  return TRUE;
}

/* ---- solving */

static GArray *
list_decisions (Solver *solver)
{
  Queue decisions;
  GArray *ids = lm_numbers_new ();
  queue_init (&decisions);
  (void) solver_get_decisionqueue (solver, &decisions);
  for (int i = 0; i < decisions.count; i++)
    if (decisions.elements[i] > SYSTEMSOLVABLE)
      g_array_append_val (ids, decisions.elements[i]);
  queue_free (&decisions);
  lm_numbers_sort (ids);
  return ids;
}

/* A downgrade is allowed by allowing that what is there is removed. */
static void
allow_downgrades (LmPackages *packages, Queue *jobs)
{
  Pool *pool = packages->pool;
  Id id;
  Solvable *s;
  for (int i = 0, n = jobs->count; pool->installed != NULL && i < n; i += 2)
    {
      const Id dep = jobs->elements[i + 1];
      if (!ISRELDEP (dep) || GETRELDEP (pool, dep)->flags != REL_EQ)
        continue;
      FOR_REPO_SOLVABLES (pool->installed, id, s)
        if (s->name == lm_package_pool_name (pool, dep))
          queue_push2 (jobs, SOLVER_ALLOWUNINSTALL | SOLVER_SOLVABLE, id);
    }
}

/* Solves @jobs, which are what is @asked and more. NULL, and the reasons in @explanation, if there is
 * no solution. */
static GArray *
try_solve (Explanation *explanation, const Queue *asked, Queue *jobs, gboolean recommended, gboolean removing)
{
  g_autoptr (GArray) ids = NULL;
  Solver *solver = solver_create (explanation->packages->pool);
  solver_set_flag (solver, SOLVER_FLAG_IGNORE_RECOMMENDED, !recommended);
  solver_set_flag (solver, SOLVER_FLAG_ALLOW_UNINSTALL, removing);
  const int problems = solver_solve (solver, jobs);
  if (problems == 0)
    ids = list_decisions (solver);
  for (int problem = 1; problem <= MIN (problems, MAX_PROBLEMS); problem++)
    add_problem (explanation, solver, problem);
  solver_free (solver);
  return ids != NULL && check_parent (explanation, ids, asked) ? g_steal_pointer (&ids) : NULL;
}

GArray *
lm_package_solver_run (LmPackages *packages, const Queue *jobs, gboolean recommended, const char *const *wanted, guint n,
                       GError **error)
{
  g_autoptr (GPtrArray) reasons = g_ptr_array_new_with_free_func (g_free);
  Explanation explanation = { packages, reasons };
  Queue own;
  queue_init_clone (&own, jobs);
  allow_downgrades (packages, &own);
  GArray *ids = try_solve (&explanation, jobs, &own, recommended, FALSE);
  if (ids == NULL && packages->pool->installed != NULL)
    ids = try_solve (&explanation, jobs, &own, recommended, TRUE);
  queue_free (&own);
  return ids != NULL ? ids : throw_conflict (&explanation, wanted, n, error);
}

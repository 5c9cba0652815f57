/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "plan/solver.h"
#include "catalog/relation.h"
#include "catalog/version.h"

#include <solv/pool.h>
#include <solv/queue.h>
#include <solv/repo.h>
#include <solv/solver.h>
#include <string.h>

/* The name of a layer never contains a colon. */
#define GROUP_PREFIX "group:"
#define MAX_REASONS 8

struct _LmSolver
{
  Pool *pool;
  GPtrArray *by_id; /* solvable id -> LmCandidate; NULL for libsolv's own solvables */
};

static Id
relation_to_dep (Pool *pool, const char *text)
{
  LmRelation relation;
  if (!lm_relation_parse (text, &relation))
    return 0;
  Id name = pool_str2id (pool, relation.name, 1);
  if (relation.op == LM_RELATION_ANY)
    return name;
  int flags = (relation.op & LM_RELATION_LESS ? REL_LT : 0) | (relation.op & LM_RELATION_EQUAL ? REL_EQ : 0)
              | (relation.op & LM_RELATION_GREATER ? REL_GT : 0);
  return pool_rel2id (pool, name, pool_str2id (pool, relation.version, 1), flags, 1);
}

/* Appends the dependencies @texts to the list at offset @deps; returns its new offset. */
static Offset
add_deps (Repo *repo, Offset deps, char *const *texts)
{
  for (; *texts; texts++)
    deps = repo_addid_dep (repo, deps, relation_to_dep (repo->pool, *texts), 0);
  return deps;
}

static void
add_candidate (LmSolver *solver, Repo *repo, const LmLayer *layer, const GPtrArray *groups)
{
  Pool *pool = solver->pool;
  Id id = repo_add_solvable (repo);
  Solvable *s = pool_id2solvable (pool, id);
  s->name = pool_str2id (pool, layer->name, 1);
  s->evr = pool_str2id (pool, layer->version, 1);
  s->arch = ARCH_ALL;
  s->provides = repo_addid_dep (repo, s->provides, pool_rel2id (pool, s->name, s->evr, REL_EQ, 1), 0);
  s->provides = add_deps (repo, s->provides, layer->provides);
  s->requires = add_deps (repo, s->requires, layer->requires);
  s->conflicts = add_deps (repo, s->conflicts, layer->conflicts);
  if (!lm_groups_allow_multiple (groups, layer->group))
    {
      /* As Debian expresses "one of these": all provide it and all conflict with
       * it; a package never conflicts with itself. */
      g_autofree char *token = g_strconcat (GROUP_PREFIX, layer->group, NULL);
      Id dep = pool_str2id (pool, token, 1);
      s->provides = repo_addid_dep (repo, s->provides, dep, 0);
      s->conflicts = repo_addid_dep (repo, s->conflicts, dep, 0);
    }
}

LmSolver *
lm_solver_new (const GPtrArray *candidates, const GPtrArray *groups)
{
  LmSolver *solver = g_new0 (LmSolver, 1);
  solver->pool = pool_create ();
  pool_setdisttype (solver->pool, DISTTYPE_DEB);
  /* libsolv uses a package from a repository of lower priority only if nothing else fits. */
  Repo *releases = repo_create (solver->pool, "releases"), *prereleases = repo_create (solver->pool, "prereleases");
  prereleases->priority = -1;
  int first = solver->pool->nsolvables;
  for (guint i = 0; i < candidates->len; i++)
    {
      const LmLayer *layer = ((const LmCandidate *) candidates->pdata[i])->layer;
      add_candidate (solver, lm_version_is_prerelease (layer->version) ? prereleases : releases, layer, groups);
    }
  solver->by_id = g_ptr_array_new ();
  g_ptr_array_set_size (solver->by_id, solver->pool->nsolvables);
  for (guint i = 0; i < candidates->len; i++)
    solver->by_id->pdata[(guint) first + i] = candidates->pdata[i];
  pool_createwhatprovides (solver->pool);
  return solver;
}

void
lm_solver_free (LmSolver *solver)
{
  if (solver == NULL)
    return;
  pool_free (solver->pool);
  g_ptr_array_unref (solver->by_id);
  g_free (solver);
}

static const LmCandidate *
candidate_of (const LmSolver *solver, Id id)
{
  return id > 0 && (guint) id < solver->by_id->len ? solver->by_id->pdata[id] : NULL;
}

static void
add_jobs (LmSolver *solver, const GPtrArray *selections, LmSolverRelaxation relaxation, Queue *jobs)
{
  for (guint i = 0; i < selections->len; i++)
    {
      LmSelection wanted = *(const LmSelection *) selections->pdata[i];
      Queue matches;
      if ((int) i == relaxation.without)
        continue;
      if ((int) i == relaxation.any_version)
        wanted.version = NULL;
      queue_init (&matches);
      for (guint id = 0; id < solver->by_id->len; id++)
        {
          const LmCandidate *candidate = solver->by_id->pdata[id];
          if (candidate != NULL && lm_selection_matches (&wanted, candidate->layer))
            queue_push (&matches, (Id) id);
        }
      queue_push2 (jobs, SOLVER_INSTALL | SOLVER_SOLVABLE_ONE_OF, pool_queuetowhatprovides (solver->pool, &matches));
      queue_free (&matches);
    }
}

/* A clause, merged from rules that differ only in the version of the layer. */
typedef struct
{
  const LmCandidate *source;
  gboolean several_versions;
  char *rest;
} Reason;

static void
reason_free (gpointer data)
{
  Reason *reason = data;
  g_free (reason->rest);
  g_free (reason);
}

static void
add_reason (GPtrArray *merged, const LmCandidate *source, char *rest)
{
  for (guint i = 0; i < merged->len; i++)
    {
      Reason *known = merged->pdata[i];
      if (strcmp (known->source->layer->name, source->layer->name) == 0 && strcmp (known->rest, rest) == 0)
        {
          known->several_versions |= strcmp (known->source->layer->version, source->layer->version) != 0;
          g_free (rest);
          return;
        }
    }
  Reason *reason = g_new0 (Reason, 1);
  reason->source = source;
  reason->rest = rest;
  g_ptr_array_add (merged, reason);
}

static void
add_conflict (const LmSolver *solver, GPtrArray *merged, const LmCandidate *source, const LmCandidate *target, Id dep)
{
  const char *what = pool_dep2str (solver->pool, dep);
  const char *a = source->layer->name, *b = target->layer->name;
  if (strcmp (a, b) == 0)
    return;
  if (!g_str_has_prefix (what, GROUP_PREFIX))
    add_reason (merged, source, g_strdup_printf ("conflicts with %s", b));
  else if (strcmp (a, b) < 0)
    add_reason (merged, source, g_strdup_printf ("and %s are both in the group %s, which allows one layer", b,
                                                 what + strlen (GROUP_PREFIX)));
  else
    add_conflict (solver, merged, target, source, dep);
}

static void
add_rule (const LmSolver *solver, Solver *solv, Id rule, GPtrArray *merged)
{
  Id from, to, dep;
  SolverRuleinfo type = solver_ruleinfo (solv, rule, &from, &to, &dep);
  const LmCandidate *source = candidate_of (solver, from), *target = candidate_of (solver, to);
  if (source == NULL)
    return;
  if (type == SOLVER_RULE_PKG_REQUIRES)
    add_reason (merged, source, g_strdup_printf ("requires %s", pool_dep2str (solver->pool, dep)));
  else if (type == SOLVER_RULE_PKG_NOTHING_PROVIDES_DEP)
    add_reason (merged, source, g_strdup_printf ("requires %s, which is missing", pool_dep2str (solver->pool, dep)));
  else if (type == SOLVER_RULE_PKG_CONFLICTS && target != NULL)
    add_conflict (solver, merged, source, target, dep);
}

/* "a and b are both in a group" */
static gboolean
is_about_group (const Reason *reason)
{
  return g_str_has_prefix (reason->rest, "and ");
}

static char *
format_reason (const Reason *reason)
{
  const LmLayer *layer = reason->source->layer;
  if (reason->several_versions || is_about_group (reason))
    return g_strdup_printf ("%s %s", layer->name, reason->rest);
  return g_strdup_printf ("%s %s %s", layer->name, layer->version, reason->rest);
}

static void
collect_reasons (const LmSolver *solver, Solver *solv, GPtrArray *reasons)
{
  g_autoptr (GPtrArray) merged = g_ptr_array_new_with_free_func (reason_free);
  for (Id problem = 0; (problem = solver_next_problem (solv, problem)) != 0;)
    {
      Queue rules;
      queue_init (&rules);
      solver_findallproblemrules (solv, problem, &rules);
      for (int i = 0; i < rules.count; i++)
        add_rule (solver, solv, rules.elements[i], merged);
      queue_free (&rules);
    }
  /* requirements first, then conflicts within a group */
  for (guint pass = 0; pass < 2; pass++)
    for (guint i = 0; i < merged->len && reasons->len < MAX_REASONS; i++)
      if (is_about_group (merged->pdata[i]) == (pass == 1))
        g_ptr_array_add (reasons, format_reason (merged->pdata[i]));
}

GPtrArray *
lm_solver_solve (LmSolver *solver, const GPtrArray *selections, LmSolverRelaxation relaxation, GPtrArray *reasons)
{
  GPtrArray *found = NULL;
  Queue jobs, decided;
  queue_init (&jobs);
  queue_init (&decided);
  add_jobs (solver, selections, relaxation, &jobs);
  Solver *solv = solver_create (solver->pool);
  if (solver_solve (solv, &jobs) == 0)
    {
      found = g_ptr_array_new ();
      solver_get_decisionqueue (solv, &decided);
      for (int i = 0; i < decided.count; i++)
        if (candidate_of (solver, decided.elements[i]) != NULL)
          g_ptr_array_add (found, (gpointer) candidate_of (solver, decided.elements[i]));
    }
  else if (reasons != NULL)
    collect_reasons (solver, solv, reasons);
  solver_free (solv);
  queue_free (&jobs);
  queue_free (&decided);
  return found;
}

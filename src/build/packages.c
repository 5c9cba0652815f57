/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "build/packages.h"
#include "build/numbers.h"
#include "build/package-text.h"
#include "plan/resolve.h"
#include "base/error.h"
#include "base/size.h"
#include "base/text.h"

#include <solv/bitmap.h>
#include <solv/evr.h>
#include <solv/pool.h>
#include <solv/queue.h>
#include <solv/repo.h>
#include <solv/repo_deb.h>
#include <solv/repo_rpmmd.h>
#include <solv/solver.h>
#include <stdio.h>
#include <string.h>

#define MAX_PROBLEMS 5
#define MAX_NAMES 20
/* What is larger is a mistake, and sums of it could overflow. */
#define SIZE_MAX_OF_PACKAGE (1024 * LM_SIZE_GIB)
G_DEFINE_QUARK (lm-packages-error-quark, lm_packages_error)

struct _LmPackages
{
  Pool *pool;
  gboolean is_debian;
  gboolean prepared; /* the index of what provides what is there */
  GArray *extras;    /* LmPackageExtra, by number of the package; only for Debian */
};

LmPackages *
lm_packages_new (void)
{
  LmPackages *packages = g_new0 (LmPackages, 1);
  packages->pool = pool_create ();
  packages->extras = g_array_new (FALSE, TRUE, sizeof (LmPackageExtra));
  return packages;
}

void
lm_packages_free (LmPackages *packages)
{
  if (packages == NULL)
    return;
  pool_free (packages->pool);
  g_array_unref (packages->extras);
  g_free (packages);
}

/* ---- reading */

/* Hands @text to libsolv, which reads from a stream. Returns 0 on success. */
static int
add_to_repo (Repo *repo, const char *text, gsize size, gboolean is_debian)
{
  FILE *stream = fmemopen ((void *) text, size, "r");
  g_assert (stream != NULL);
  const int result = is_debian ? repo_add_debpackages (repo, stream, 0) : repo_add_rpmmd (repo, stream, NULL, 0);
  (void) fclose (stream);
  return result;
}

static gboolean
add_index (LmPackages *packages, const char *text, gsize size, const char *shown, GError **error)
{
  Repo *repo = repo_create (packages->pool, "");
  if (add_to_repo (repo, text, size, packages->is_debian) != 0)
    {
      g_autofree char *problem = lm_text_escape (pool_errstr (packages->pool), 200);
      return lm_throw (error, LM_PACKAGES_ERROR, LM_PACKAGES_ERROR_INVALID, "%s: %s", shown, problem);
    }
  if (!packages->is_debian)
    return g_strstr_len (text, (gssize) MIN (size, 4096), "<metadata") != NULL
           || lm_throw (error, LM_PACKAGES_ERROR, LM_PACKAGES_ERROR_INVALID, "%s: not an index of packages", shown);
  g_array_set_size (packages->extras, repo->nsolvables ? (guint) repo->start : (guint) packages->pool->nsolvables);
  lm_package_text_read_extras (text, size, packages->extras);
  /* Not equal if the index has records without a name, for example. */
  if (repo->nsolvables == 0 || repo->nsolvables != repo->end - repo->start
      || packages->extras->len != (guint) packages->pool->nsolvables)
    return lm_throw (error, LM_PACKAGES_ERROR, LM_PACKAGES_ERROR_INVALID, "%s: not an index of Debian packages", shown);
  return TRUE;
}

gboolean
lm_packages_add (LmPackages *packages, GBytes *index, const char *shown, GError **error)
{
  gsize size = g_bytes_get_size (index);
  if (size == 0)
    return TRUE;
  g_autoptr (GBytes) whole = lm_package_text_end_line (index);
  const char *text = g_bytes_get_data (whole, &size);
  const gboolean is_debian = text[0] != '<';
  if (!lm_package_text_check (text, size, is_debian, shown, error))
    return FALSE;
  if (packages->pool->nsolvables > 2 && is_debian != packages->is_debian)
    return lm_throw (error, LM_PACKAGES_ERROR, LM_PACKAGES_ERROR_INVALID,
                     "%s: packages of Debian and of RPM cannot be used together", shown);
  packages->is_debian = is_debian;
  packages->prepared = FALSE;
  pool_setdisttype (packages->pool, is_debian ? DISTTYPE_DEB : DISTTYPE_RPM);
  /* An index of Debian is for one architecture. */
  g_autofree char *arch = lm_resolve_host_arch ();
  if (!is_debian)
    pool_setarch (packages->pool, arch);
  return add_index (packages, text, size, shown, error);
}

static void
prepare (LmPackages *packages)
{
  if (packages->prepared)
    return;
  if (!packages->is_debian)
    pool_addfileprovides (packages->pool);
  pool_createwhatprovides (packages->pool);
  packages->prepared = TRUE;
}

/* ---- looking up */

LmPackage
lm_packages_get (const LmPackages *packages, guint id)
{
  Pool *pool = packages->pool;
  Solvable *s = pool_id2solvable (pool, (Id) id);
  return (LmPackage){
    .name = pool_id2str (pool, s->name),
    .version = pool_id2str (pool, s->evr),
    .architecture = s->arch ? pool_id2str (pool, s->arch) : "",
    .download_size = packages->is_debian ? g_array_index (packages->extras, LmPackageExtra, id).size
                                         : MIN (solvable_lookup_num (s, SOLVABLE_DOWNLOADSIZE, 0), SIZE_MAX_OF_PACKAGE),
    .installed_size = MIN (solvable_lookup_num (s, SOLVABLE_INSTALLSIZE, 0), SIZE_MAX_OF_PACKAGE),
  };
}

static guint
priority_of (const LmPackages *packages, Id id)
{
  return packages->is_debian ? g_array_index (packages->extras, LmPackageExtra, (guint) id).priority : 0;
}

/* Which of two packages that provide the name @name is preferred: > 0 if @a. Packages of that
 * name come first, the newest of them first of all; others by priority, name and version. */
static int
compare_providers (const LmPackages *packages, Id name, Id a, Id b)
{
  Pool *pool = packages->pool;
  Solvable *one = pool_id2solvable (pool, a), *other = pool_id2solvable (pool, b);
  int order = (one->name == name) - (other->name == name);
  if (order == 0 && one->name != name)
    order = (int) priority_of (packages, b) - (int) priority_of (packages, a);
  if (order == 0)
    order = strcmp (pool_id2str (pool, other->name), pool_id2str (pool, one->name));
  if (order == 0)
    order = pool_evrcmp (pool, one->evr, other->evr, EVRCMP_COMPARE);
  return order != 0 ? order : b - a;
}

static Id
name_of_dep (Pool *pool, Id dep)
{
  while (ISRELDEP (dep))
    dep = GETRELDEP (pool, dep)->name;
  return dep;
}

/* The preferred package that fulfils @dep; 0 if none does. */
static Id
preferred_provider (const LmPackages *packages, Id dep)
{
  Pool *pool = packages->pool;
  Id best = 0, id, offset;
  for (; ISRELDEP (dep) && GETRELDEP (pool, dep)->flags == REL_OR; dep = GETRELDEP (pool, dep)->evr)
    if ((best = preferred_provider (packages, GETRELDEP (pool, dep)->name)) != 0)
      return best;
  const Id name = name_of_dep (pool, dep);
  FOR_PROVIDES (id, offset, dep)
    if (best == 0 || compare_providers (packages, name, id, best) > 0)
      best = id;
  return best;
}

/* "NAME" or "NAME=VERSION" as a dependency; 0 if no package has or provides the name. */
static Id
dep_of_wanted (LmPackages *packages, const char *wanted)
{
  const char *equals = strchr (wanted, '=');
  const gsize length = equals ? (gsize) (equals - wanted) : strlen (wanted);
  prepare (packages);
  const Id name = pool_strn2id (packages->pool, wanted, (unsigned int) length, 0);
  if (name == 0)
    return 0;
  const Id dep = equals ? pool_rel2id (packages->pool, name, pool_str2id (packages->pool, equals + 1, 1), REL_EQ, 1) : name;
  return pool_whatprovides (packages->pool, dep) > 1 ? dep : 0;
}

/* ---- resolving */

/* A set of packages that grows until all needs are fulfilled. */
typedef struct
{
  LmPackages *packages;
  Map chosen;
  Queue pending;  /* chosen, but not looked at yet */
  Queue deferred; /* dependencies that several packages fulfil */
  gboolean missing; /* nothing fulfils one of the dependencies */
} Growth;

static void
choose (Growth *growth, Id id)
{
  if (MAPTST (&growth->chosen, id))
    return;
  MAPSET (&growth->chosen, id);
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

static const Id *
deps_at (Solvable *s, Offset offset)
{
  static const Id none[] = { 0 };
  return offset ? s->repo->idarraydata + offset : none;
}

/* Chooses what the dependencies at @offset need. Alternatives wait, because one of them
 * may be chosen for another reason. */
static void
choose_needs (Growth *growth, Solvable *s, Offset offset, gboolean required)
{
  for (const Id *dep = deps_at (s, offset); *dep; dep++)
    {
      if (*dep == SOLVABLE_PREREQMARKER || is_fulfilled (growth, *dep))
        continue;
      const Id provider = preferred_provider (growth->packages, *dep);
      if (provider == 0)
        growth->missing |= required;
      else if (has_alternatives (growth->packages->pool, *dep))
        queue_push (&growth->deferred, *dep);
      else
        choose (growth, provider);
    }
}

/* Adds what the packages in growth->chosen need, by preference alone. */
static void
grow (Growth *growth, gboolean recommended)
{
  Pool *pool = growth->packages->pool;
  while (growth->pending.count > 0 || growth->deferred.count > 0)
    {
      if (growth->pending.count == 0)
        {
          const Id dep = queue_shift (&growth->deferred);
          if (!is_fulfilled (growth, dep))
            choose (growth, preferred_provider (growth->packages, dep));
          continue;
        }
      Solvable *s = pool_id2solvable (pool, queue_shift (&growth->pending));
      choose_needs (growth, s, s->requires, TRUE);
      if (recommended)
        choose_needs (growth, s, s->recommends, FALSE);
    }
}

static gboolean
throw_conflict (Solver *solver, int n, const char *const *wanted, guint n_wanted, GError **error)
{
  g_autoptr (GString) reasons = g_string_new (NULL);
  g_autoptr (GString) names = g_string_new (NULL);
  for (guint i = 0; i < MIN (n_wanted, MAX_NAMES); i++)
    g_string_append_printf (names, "%s%s", i ? ", " : "", wanted[i]);
  if (n_wanted > MAX_NAMES)
    g_string_append (names, ", ...");
  for (int problem = 1; problem <= MIN (n, MAX_PROBLEMS); problem++)
    {
      Id dep, source, target;
      const Id rule = solver_findproblemrule (solver, problem);
      const SolverRuleinfo type = solver_ruleinfo (solver, rule, &source, &target, &dep);
      g_string_append_printf (reasons, "; %s", solver_problemruleinfo2str (solver, type, source, target, dep));
    }
  g_autofree char *safe = lm_text_escape (reasons->str, 600);
  return lm_throw (error, LM_PACKAGES_ERROR, LM_PACKAGES_ERROR_CONFLICT, "%s cannot be installed together%s", names->str, safe);
}

/* What libsolv chooses for @jobs, in ascending order; NULL if that is impossible. */
static GArray *
solve (LmPackages *packages, Queue *jobs, gboolean recommended, const char *const *wanted, guint n, GError **error)
{
  GArray *ids = NULL;
  Solver *solver = solver_create (packages->pool);
  solver_set_flag (solver, SOLVER_FLAG_IGNORE_RECOMMENDED, !recommended);
  const int problems = solver_solve (solver, jobs);
  if (problems == 0)
    {
      Queue decisions;
      queue_init (&decisions);
      (void) solver_get_decisionqueue (solver, &decisions);
      ids = lm_numbers_new ();
      for (int i = 0; i < decisions.count; i++)
        if (decisions.elements[i] > SYSTEMSOLVABLE)
          g_array_append_val (ids, decisions.elements[i]);
      queue_free (&decisions);
      lm_numbers_sort (ids);
    }
  else
    (void) throw_conflict (solver, problems, wanted, n, error);
  solver_free (solver);
  return ids;
}

static gboolean
conflicts_with_chosen (const Growth *growth, Solvable *s, Id self)
{
  Pool *pool = growth->packages->pool;
  for (const Id *dep = deps_at (s, s->conflicts); *dep; dep++)
    {
      Id id, offset;
      FOR_PROVIDES (id, offset, *dep)
        if (id != self && MAPTST (&growth->chosen, id))
          return TRUE;
    }
  return FALSE;
}

/* The chosen packages in ascending order, if they can be installed together: nothing is
 * missing, no conflicts (a package has none with itself), one version of each. */
static GArray *
list_consistent (const Growth *growth)
{
  Pool *pool = growth->packages->pool;
  g_autoptr (GHashTable) names = g_hash_table_new (NULL, NULL);
  g_autoptr (GArray) ids = lm_numbers_new ();
  if (growth->missing)
    return NULL;
  for (Id id = SYSTEMSOLVABLE + 1; id < pool->nsolvables; id++)
    {
      Solvable *s = pool_id2solvable (pool, id);
      if (!MAPTST (&growth->chosen, id))
        continue;
      if (!g_hash_table_add (names, GINT_TO_POINTER (s->name)) || conflicts_with_chosen (growth, s, id))
        return NULL;
      g_array_append_val (ids, id);
    }
  return g_steal_pointer (&ids);
}

/* What the preferences of Debian's policy lead to, if it can be installed; else NULL. */
static GArray *
resolve_by_preference (LmPackages *packages, const Queue *jobs, gboolean recommended)
{
  Growth growth = { .packages = packages };
  map_init (&growth.chosen, packages->pool->nsolvables);
  queue_init (&growth.pending);
  queue_init (&growth.deferred);
  for (int i = 1; i < jobs->count; i += 2)
    choose (&growth, preferred_provider (packages, jobs->elements[i]));
  grow (&growth, recommended);
  GArray *ids = list_consistent (&growth);
  queue_free (&growth.deferred);
  queue_free (&growth.pending);
  map_free (&growth.chosen);
  return ids;
}

/* libsolv needs forty times as long as following the preferences, because it looks at all
 * alternatives of all packages; so only what that cannot resolve is left to it. */
static GArray *
resolve_jobs (LmPackages *packages, Queue *jobs, gboolean recommended, const char *const *wanted, guint n, GError **error)
{
  GArray *ids = packages->is_debian ? resolve_by_preference (packages, jobs, recommended) : NULL;
  return ids != NULL ? ids : solve (packages, jobs, recommended, wanted, n, error);
}

GArray *
lm_packages_resolve (LmPackages *packages, const char *const *wanted, guint n, gboolean recommended, GError **error)
{
  Queue jobs;
  GArray *ids = NULL;
  guint i = 0;
  queue_init (&jobs);
  for (; i < n; i++)
    {
      const Id dep = dep_of_wanted (packages, wanted[i]);
      if (dep == 0)
        break;
      queue_push2 (&jobs, SOLVER_INSTALL | SOLVER_SOLVABLE_PROVIDES, dep);
    }
  if (i == n)
    ids = resolve_jobs (packages, &jobs, recommended, wanted, n, error);
  else
    (void) lm_throw (error, LM_PACKAGES_ERROR, LM_PACKAGES_ERROR_UNKNOWN, "there is no package %s in the package indexes", wanted[i]);
  queue_free (&jobs);
  return ids;
}

/* ---- dependencies */

/* Adds those of @among that fulfil one of the dependencies @deps of the package @id. */
static void
add_needs (Pool *pool, const Id *deps, guint id, const GArray *among, GArray *needs)
{
  for (; *deps; deps++)
    {
      Id provider, offset;
      if (*deps == SOLVABLE_PREREQMARKER)
        continue;
      FOR_PROVIDES (provider, offset, *deps)
        if ((guint) provider != id && lm_numbers_have (among, (guint) provider))
          g_array_append_val (needs, provider);
    }
}

GArray *
lm_packages_list_needs (LmPackages *packages, guint id, gboolean recommended, const GArray *among)
{
  Solvable *s = pool_id2solvable (packages->pool, (Id) id);
  GArray *needs = lm_numbers_new ();
  prepare (packages);
  add_needs (packages->pool, deps_at (s, s->requires), id, among, needs);
  if (recommended)
    add_needs (packages->pool, deps_at (s, s->recommends), id, among, needs);
  lm_numbers_sort (needs);
  return needs;
}

GArray *
lm_packages_list_dependents (LmPackages *packages, guint id)
{
  Queue found;
  GArray *dependents = lm_numbers_new ();
  prepare (packages);
  queue_init (&found);
  pool_whatmatchessolvable (packages->pool, SOLVABLE_REQUIRES, (Id) id, &found, 0);
  for (int i = 0; i < found.count; i++)
    if ((guint) found.elements[i] != id)
      g_array_append_val (dependents, found.elements[i]);
  queue_free (&found);
  lm_numbers_sort (dependents);
  return dependents;
}

guint
lm_packages_find (LmPackages *packages, const char *wanted, const GArray *among)
{
  Pool *pool = packages->pool;
  const Id dep = dep_of_wanted (packages, wanted), name = name_of_dep (pool, dep);
  Id best = 0, id, offset;
  if (dep == 0)
    return 0;
  FOR_PROVIDES (id, offset, dep)
    if (lm_numbers_have (among, (guint) id) && (best == 0 || compare_providers (packages, name, id, best) > 0))
      best = id;
  return (guint) best;
}

/* Whether one of @among, other than @self, provides @dep. */
static gboolean
is_provided (Pool *pool, Id dep, const GArray *among, Id self)
{
  Id id, offset;
  FOR_PROVIDES (id, offset, dep)
    if (id != self && (id == SYSTEMSOLVABLE || lm_numbers_have (among, (guint) id)))
      return TRUE;
  return FALSE;
}

/* Whether one of @among is another version of the package, or what it obsoletes. */
static gboolean
is_replaced (LmPackages *packages, Solvable *s, Id self, const GArray *among)
{
  Pool *pool = packages->pool;
  Id id, offset;
  FOR_PROVIDES (id, offset, s->name)
    if (id != self && pool_id2solvable (pool, id)->name == s->name && lm_numbers_have (among, (guint) id))
      return TRUE;
  for (const Id *dep = deps_at (s, packages->is_debian ? 0 : s->obsoletes); *dep; dep++)
    if (is_provided (pool, *dep, among, self))
      return TRUE;
  return FALSE;
}

gboolean
lm_packages_fits (LmPackages *packages, guint id, const GArray *among)
{
  Pool *pool = packages->pool;
  Solvable *s = pool_id2solvable (pool, (Id) id);
  prepare (packages);
  for (const Id *dep = deps_at (s, s->requires); *dep; dep++)
    if (*dep != SOLVABLE_PREREQMARKER && !is_provided (pool, *dep, among, 0))
      return FALSE;
  for (const Id *dep = deps_at (s, s->conflicts); *dep; dep++)
    if (is_provided (pool, *dep, among, (Id) id))
      return FALSE;
  return !is_replaced (packages, s, (Id) id, among);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What is installed on a parent, as a repository of libsolv, and what changes there. */
#include "config.h"
#include "build/package-growth.h"
#include "build/package-solver.h"
#include "build/numbers.h"
#include "base/error.h"
#include "base/text.h"

#include <solv/evr.h>
#include <solv/solver.h>
#include <string.h>

/* ---- what the parent holds */

typedef struct
{
  char *name;
  char *architecture; /* NULL if it is the parent's own */
  char *version;
  Id model; /* the package of the indexes that it is, or the nearest version; 0 if there is none */
} Held;

static void
held_free (gpointer data)
{
  Held *held = data;
  g_free (held->name);
  g_free (held->architecture);
  g_free (held->version);
  g_free (held);
}

static Held *
parse_held (const char *text, GError **error)
{
  const char *equals = strchr (text, '=');
  const gsize length = equals ? (gsize) (equals - text) : 0;
  const char *colon = g_strrstr_len (text, (gssize) length, ":");
  const gsize name_length = colon ? (gsize) (colon - text) : length;
  if (name_length == 0 || equals[1] == '\0' || (colon != NULL && colon + 1 == equals))
    {
      g_autofree char *safe = lm_text_escape (text, 100);
      return lm_throw_null (error, LM_PACKAGES_ERROR, LM_PACKAGES_ERROR_INVALID,
                            "%s: the parent's packages are NAME=VERSION or NAME:ARCH=VERSION", safe);
    }
  Held *held = g_new0 (Held, 1);
  held->name = g_strndup (text, name_length);
  held->architecture = colon ? g_strndup (colon + 1, (gsize) (equals - colon - 1)) : NULL;
  held->version = g_strdup (equals + 1);
  return held;
}

/* Whether @id is nearer to the version @evr than @best, which may be 0: equal, or else the next
 * newer one, or else the next older one. */
static gboolean
is_nearer (Pool *pool, Id evr, Id id, Id best)
{
  if (best == 0)
    return TRUE;
  const Id one = pool_id2solvable (pool, id)->evr, other = pool_id2solvable (pool, best)->evr;
  const int from = pool_evrcmp (pool, one, evr, EVRCMP_COMPARE), other_from = pool_evrcmp (pool, other, evr, EVRCMP_COMPARE);
  if ((from < 0) != (other_from < 0))
    return from >= 0;
  const int order = pool_evrcmp (pool, one, other, EVRCMP_COMPARE);
  return from < 0 ? order > 0 : order < 0;
}

static Id
find_model (LmPackages *packages, const Held *held)
{
  Pool *pool = packages->pool;
  const Id name = pool_str2id (pool, held->name, 0), evr = pool_str2id (pool, held->version, 1);
  Id id, offset, best = 0;
  if (name == 0)
    return 0;
  FOR_PROVIDES (id, offset, name)
    {
      Solvable *s = pool_id2solvable (pool, id);
      if (s->name == name && (held->architecture == NULL || strcmp (pool_id2str (pool, s->arch), held->architecture) == 0)
          && is_nearer (pool, evr, id, best))
        best = id;
    }
  return best;
}

/* Returns @dep with the version @to instead of @from, because packages name their own version
 * where they need another package of the same source. */
static Id
replace_version (Pool *pool, Id dep, Id from, Id to)
{
  if (!ISRELDEP (dep))
    return dep;
  const Reldep rel = *GETRELDEP (pool, dep);
  const Id name = replace_version (pool, rel.name, from, to);
  const Id evr = rel.evr == from && rel.flags < 8 ? to : rel.flags < 8 ? rel.evr : replace_version (pool, rel.evr, from, to);
  return name == rel.name && evr == rel.evr ? dep : pool_rel2id (pool, name, evr, rel.flags, 1);
}

/* What a package of RPM provides has the files that others need: lm_package_pool_prepare(). */
static Offset
copy_deps (Repo *repo, Solvable *from, Offset offset, Id evr)
{
  Offset copy = 0;
  for (guint i = 0;; i++)
    {
      /* The array of another repository, but pool_rel2id() may move what it points to. */
      const Id dep = lm_package_pool_deps (from, offset)[i];
      if (dep == 0)
        return copy;
      if (dep != SOLVABLE_PREREQMARKER && dep != SOLVABLE_FILEMARKER)
        copy = repo_addid (repo, copy, replace_version (repo->pool, dep, from->evr, evr));
    }
}

static void
add_held (LmPackages *packages, Repo *repo, const Held *held)
{
  Pool *pool = packages->pool;
  const Id id = repo_add_solvable (repo), evr = pool_str2id (pool, held->version, 1);
  Solvable *s = pool_id2solvable (pool, id), *model = held->model ? pool_id2solvable (pool, held->model) : NULL;
  LmPackageExtra extra = model ? lm_package_pool_extra (packages, held->model) : (LmPackageExtra){ 0 };
  s->name = pool_str2id (pool, held->name, 1);
  s->evr = evr;
  s->arch = model ? model->arch : held->architecture ? pool_str2id (pool, held->architecture, 1) : packages->is_debian ? ARCH_ALL : ARCH_NOARCH;
  if (model != NULL)
    {
      s->vendor = model->vendor;
      s->provides = copy_deps (repo, model, model->provides, evr);
      s->requires = copy_deps (repo, model, model->requires, evr);
      s->conflicts = copy_deps (repo, model, model->conflicts, evr);
      s->obsoletes = copy_deps (repo, model, model->obsoletes, evr);
      s->recommends = copy_deps (repo, model, model->recommends, evr);
    }
  else
    s->provides = repo_addid (repo, 0, pool_rel2id (pool, s->name, evr, REL_EQ, 1));
  if (packages->is_debian)
    {
      g_array_set_size (packages->extras, (guint) pool->nsolvables);
      g_array_index (packages->extras, LmPackageExtra, (guint) id) = extra;
    }
}

static void
forget_installed (LmPackages *packages)
{
  if (packages->pool->installed != NULL)
    repo_free (packages->pool->installed, 1);
  g_clear_pointer (&packages->foreign, g_strfreev);
  packages->prepared = FALSE;
}

gboolean
lm_packages_set_installed (LmPackages *packages, const char *const *installed, GError **error)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func (held_free);
  g_autoptr (GStrvBuilder) foreign = g_strv_builder_new ();
  forget_installed (packages);
  lm_package_pool_prepare (packages);
  for (; *installed; installed++)
    {
      Held *held = parse_held (*installed, error);
      if (held == NULL)
        return FALSE;
      g_ptr_array_add (all, held);
      held->model = find_model (packages, held);
    }
  Repo *repo = repo_create (packages->pool, "parent");
  for (guint i = 0; i < all->len; i++)
    {
      const Held *held = all->pdata[i];
      if (!packages->is_debian || held->architecture == NULL)
        {
          add_held (packages, repo, held);
          continue;
        }
      g_autofree char *text = g_strdup_printf ("%s:%s=%s", held->name, held->architecture, held->version);
      g_strv_builder_add (foreign, text);
    }
  packages->foreign = g_strv_builder_end (foreign);
  pool_set_installed (packages->pool, repo);
  packages->prepared = FALSE;
  return TRUE;
}

/* ---- what changes */

void
lm_packages_change_clear (LmPackagesChange *change)
{
  g_clear_pointer (&change->install, g_array_unref);
  g_clear_pointer (&change->upgrade, g_array_unref);
  g_clear_pointer (&change->remove, g_strfreev);
}

/* A package with a name that others provide too is wanted itself. */
static Id
select_for (Pool *pool, Id dep)
{
  Id id, offset;
  FOR_PROVIDES (id, offset, dep)
    if (pool_match_nevr (pool, pool_id2solvable (pool, id), dep))
      return SOLVER_SOLVABLE_NAME;
  return SOLVER_SOLVABLE_PROVIDES;
}

static gboolean
add_jobs (LmPackages *packages, const char *const *wanted, guint n, Queue *jobs, GError **error)
{
  for (guint i = 0; i < n; i++)
    {
      const Id dep = lm_package_pool_parse (packages, wanted[i], error);
      if (dep == 0)
        return FALSE;
      queue_push2 (jobs, SOLVER_INSTALL | select_for (packages->pool, dep), dep);
    }
  return TRUE;
}

/* dpkg has packages of several architectures only in one version, and lamina has the index of one. */
static gboolean
check_foreign (LmPackages *packages, const GArray *ids, GError **error)
{
  Pool *pool = packages->pool;
  for (guint i = 0; i < ids->len; i++)
    {
      Solvable *s = pool_id2solvable (pool, (Id) g_array_index (ids, guint, i));
      const char *name = pool_id2str (pool, s->name), *version = pool_id2str (pool, s->evr);
      const gsize length = strlen (name);
      for (char **other = packages->foreign; other && *other; other++)
        if (strncmp (*other, name, length) == 0 && (*other)[length] == ':' && strcmp (strchr (*other, '=') + 1, version) != 0)
          return lm_throw (error, LM_PACKAGES_ERROR, LM_PACKAGES_ERROR_CONFLICT,
                           "%s %s is needed, but the parent has %s for another architecture, which must be the same version", name,
                           version, *other);
    }
  return TRUE;
}

/* What @ids have that the parent does not, and the reverse. */
static LmPackagesChange
compare_with_parent (Pool *pool, const GArray *ids)
{
  g_autoptr (GHashTable) held = g_hash_table_new (NULL, NULL), names = g_hash_table_new (NULL, NULL);
  g_autoptr (GPtrArray) removed = g_ptr_array_new_with_free_func (g_free);
  LmPackagesChange change = { lm_numbers_new (), lm_numbers_new (), NULL };
  Repo *parent = pool->installed;
  Id id;
  Solvable *s;
  FOR_REPO_SOLVABLES (parent, id, s)
    g_hash_table_add (held, GINT_TO_POINTER (s->name));
  for (guint i = 0; i < ids->len; i++)
    {
      const guint number = g_array_index (ids, guint, i);
      s = pool_id2solvable (pool, (Id) number);
      g_hash_table_add (names, GINT_TO_POINTER (s->name));
      if (s->repo != parent)
        g_array_append_val (g_hash_table_contains (held, GINT_TO_POINTER (s->name)) ? change.upgrade : change.install, number);
    }
  FOR_REPO_SOLVABLES (parent, id, s)
    if (g_hash_table_add (names, GINT_TO_POINTER (s->name)))
      g_ptr_array_add (removed, g_strdup (pool_id2str (pool, s->name)));
  g_ptr_array_sort (removed, lm_text_compare);
  g_ptr_array_add (removed, NULL);
  change.remove = (char **) g_ptr_array_free (g_steal_pointer (&removed), FALSE);
  return change;
}

gboolean
lm_packages_resolve_change (LmPackages *packages, const char *const *wanted, guint n, gboolean recommended,
                            LmPackagesChange *out_change, GError **error)
{
  g_autoptr (GArray) ids = NULL;
  static const char *const nothing[] = { NULL };
  Queue jobs;
  if (packages->pool->installed == NULL && !lm_packages_set_installed (packages, nothing, error))
    return FALSE;
  lm_package_pool_prepare (packages);
  queue_init (&jobs);
  if (add_jobs (packages, wanted, n, &jobs, error)
      && (!packages->is_debian || (ids = lm_package_growth_run (packages, &jobs, recommended)) == NULL))
    ids = lm_package_solver_run (packages, &jobs, recommended, wanted, n, error);
  queue_free (&jobs);
  if (ids == NULL)
    return FALSE;
  g_auto (LmPackagesChange) change = compare_with_parent (packages->pool, ids);
  if (!check_foreign (packages, change.install, error) || !check_foreign (packages, change.upgrade, error))
    return FALSE;
  *out_change = change;
  change = (LmPackagesChange){ NULL };
  return TRUE;
}

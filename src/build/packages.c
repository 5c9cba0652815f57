/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "build/packages.h"
#include "build/numbers.h"
#include "build/package-growth.h"
#include "build/package-solver.h"
#include "plan/resolve.h"
#include "base/error.h"
#include "base/size.h"
#include "base/text.h"
#include "base/url.h"

#include <solv/repo_deb.h>
#include <solv/repo_rpmmd.h>
#include <solv/solver.h>
#include <stdio.h>
#include <string.h>

/* What is larger is a mistake, and sums of it could overflow. */
#define SIZE_MAX_OF_PACKAGE (1024 * LM_SIZE_GIB)
G_DEFINE_QUARK (lm-packages-error-quark, lm_packages_error)

LmPackages *
lm_packages_new (void)
{
  LmPackages *packages = g_new0 (LmPackages, 1);
  packages->pool = pool_create ();
  packages->extras = g_array_new (FALSE, TRUE, sizeof (LmPackageExtra));
  packages->bases = g_ptr_array_new_with_free_func (g_free);
  return packages;
}

void
lm_packages_free (LmPackages *packages)
{
  if (packages == NULL)
    return;
  pool_free (packages->pool);
  g_array_unref (packages->extras);
  g_ptr_array_unref (packages->bases);
  g_strfreev (packages->foreign);
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
add_index (LmPackages *packages, const char *text, gsize size, const char *base, const char *shown, GError **error)
{
  Repo *repo = repo_create (packages->pool, "");
  if (base != NULL)
    {
      repo->appdata = g_str_has_suffix (base, "/") ? g_strdup (base) : g_strconcat (base, "/", NULL);
      g_ptr_array_add (packages->bases, repo->appdata);
    }
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
lm_packages_add (LmPackages *packages, GBytes *index, const char *base, const char *shown, GError **error)
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
  return add_index (packages, text, size, base, shown, error);
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
    .download_size = packages->is_debian ? lm_package_pool_extra (packages, (Id) id).size
                                         : MIN (solvable_lookup_num (s, SOLVABLE_DOWNLOADSIZE, 0), SIZE_MAX_OF_PACKAGE),
    .installed_size = MIN (solvable_lookup_num (s, SOLVABLE_INSTALLSIZE, 0), SIZE_MAX_OF_PACKAGE),
  };
}

char **
lm_packages_list_essential (const LmPackages *packages)
{
  Pool *pool = packages->pool;
  g_autoptr (GHashTable) seen = g_hash_table_new (NULL, NULL);
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  for (guint id = 2; packages->is_debian && id < packages->extras->len; id++)
    {
      const Id name = pool_id2solvable (pool, (Id) id)->name;
      if (g_array_index (packages->extras, LmPackageExtra, id).essential && g_hash_table_add (seen, GINT_TO_POINTER (name)))
        g_ptr_array_add (names, g_strdup (pool_id2str (pool, name)));
    }
  g_ptr_array_sort (names, lm_text_compare);
  g_ptr_array_add (names, NULL);
  return (char **) g_ptr_array_free (g_steal_pointer (&names), FALSE);
}

/* ---- the file of a package */

/* The path of the package's file below its base, as an index has it: of Debian it is a path, of
 * rpm-md a relative URL. NULL if there is none. */
static char *
path_of_location (LmPackages *packages, Solvable *s)
{
  const char *location = solvable_lookup_location (s, NULL);
  char *path = location && !packages->is_debian ? g_uri_unescape_string (location, NULL) : NULL;
  return path ? path : g_strdup (location);
}

/* Whether @path cannot lead out of the directory that it is relative to. */
static gboolean
is_below (const char *path)
{
  g_auto (GStrv) segments = g_strsplit (path, "/", -1);
  for (char **segment = segments; *segment; segment++)
    if (**segment == '\0' || strcmp (*segment, ".") == 0 || strcmp (*segment, "..") == 0)
      return FALSE;
  return strstr (path, ":/") == NULL && strchr (path, '\\') == NULL && g_utf8_validate (path, -1, NULL)
         && lm_text_find_unprintable (path) == NULL;
}

/* The URL of the directory that the location of @s is relative to. */
static char *
dup_base (Solvable *s, const char *name, GError **error)
{
  const char *base = s->repo->appdata, *own = solvable_lookup_str (s, SOLVABLE_MEDIABASE);
  g_autofree char *shown = base ? lm_url_redact (base) : NULL;
  if (base == NULL)
    return lm_throw_null (error, LM_PACKAGES_ERROR, LM_PACKAGES_ERROR_INVALID,
                          "%s: it is not known where the packages of its index are", name);
  if (!lm_url_check_base (base, NULL))
    return lm_throw_null (error, LM_PACKAGES_ERROR, LM_PACKAGES_ERROR_INVALID,
                          "%s: packages cannot be fetched from %s: use a repository with http, https or file", name, shown);
  g_autofree char *url = own ? lm_url_resolve (base, own, NULL) : g_strdup (base);
  if (url == NULL)
    return lm_throw_null (error, LM_PACKAGES_ERROR, LM_PACKAGES_ERROR_INVALID,
                          "%s: the base URL that the index below %s gives cannot be used", name, shown);
  return g_str_has_suffix (url, "/") ? g_steal_pointer (&url) : g_strconcat (url, "/", NULL);
}

static gboolean
get_digest (const LmPackages *packages, Id id, LmDigest *out_digest)
{
  if (packages->is_debian)
    {
      const LmPackageExtra extra = lm_package_pool_extra (packages, id);
      *out_digest = extra.digest;
      return extra.has_digest;
    }
  Id type = 0;
  const unsigned char *sum = solvable_lookup_bin_checksum (pool_id2solvable (packages->pool, id), SOLVABLE_CHECKSUM, &type);
  if (sum == NULL || type != REPOKEY_TYPE_SHA256)
    return FALSE;
  memcpy (out_digest->bytes, sum, LM_DIGEST_SIZE);
  return TRUE;
}

LmBlob *
lm_packages_dup_blob (LmPackages *packages, guint id, GError **error)
{
  Solvable *s = pool_id2solvable (packages->pool, (Id) id);
  const LmPackage package = lm_packages_get (packages, id);
  g_autofree char *words = g_strdup_printf ("%s %s", package.name, package.version);
  g_autofree char *name = lm_text_escape (words, 200);
  g_autofree char *base = dup_base (s, name, error), *path = base ? path_of_location (packages, s) : NULL;
  g_autoptr (LmBlob) blob = g_new0 (LmBlob, 1);
  if (base == NULL)
    return NULL;
  if (path == NULL)
    return lm_throw_null (error, LM_PACKAGES_ERROR, LM_PACKAGES_ERROR_INVALID, "%s: the index does not say where its file is", name);
  if (!is_below (path))
    return lm_throw_null (error, LM_PACKAGES_ERROR, LM_PACKAGES_ERROR_INVALID,
                          "%s: the location that the index gives for its file is not a path below the repository", name);
  if (!get_digest (packages, (Id) id, &blob->digest))
    return lm_throw_null (error, LM_PACKAGES_ERROR, LM_PACKAGES_ERROR_INVALID,
                          "%s: the index has no SHA-256 digest of its file, without which it is not used", name);
  g_autofree char *escaped = g_uri_escape_string (path, "/+", FALSE);
  g_autofree char *url = g_strconcat (base, escaped, NULL);
  if (strlen (url) > LM_URL_MAX)
    return lm_throw_null (error, LM_PACKAGES_ERROR, LM_PACKAGES_ERROR_INVALID, "%s: the URL of its file is too long", name);
  blob->kind = LM_BLOB_FILE;
  blob->name = g_path_get_basename (path);
  blob->size = package.download_size;
  blob->urls = g_new0 (char *, 2);
  blob->urls[0] = g_steal_pointer (&url);
  return g_steal_pointer (&blob);
}

/* ---- resolving */

/* libsolv needs forty times as long as following the preferences, because it looks at all
 * alternatives of all packages; so only what that cannot resolve is left to it. */
static GArray *
resolve_jobs (LmPackages *packages, const Queue *jobs, gboolean recommended, const char *const *wanted, guint n, GError **error)
{
  GArray *ids = packages->is_debian ? lm_package_growth_run (packages, jobs, recommended) : NULL;
  return ids != NULL ? ids : lm_package_solver_run (packages, jobs, recommended, wanted, n, error);
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
      const Id dep = lm_package_pool_parse (packages, wanted[i], error);
      if (dep == 0)
        break;
      queue_push2 (&jobs, SOLVER_INSTALL | SOLVER_SOLVABLE_PROVIDES, dep);
    }
  if (i == n)
    ids = resolve_jobs (packages, &jobs, recommended, wanted, n, error);
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
  lm_package_pool_prepare (packages);
  add_needs (packages->pool, lm_package_pool_deps (s, s->requires), id, among, needs);
  if (recommended)
    add_needs (packages->pool, lm_package_pool_deps (s, s->recommends), id, among, needs);
  lm_numbers_sort (needs);
  return needs;
}

GArray *
lm_packages_list_dependents (LmPackages *packages, guint id)
{
  Queue found;
  GArray *dependents = lm_numbers_new ();
  lm_package_pool_prepare (packages);
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
  const Id dep = lm_package_pool_parse (packages, wanted, NULL), name = lm_package_pool_name (pool, dep);
  Id best = 0, id, offset;
  if (dep == 0)
    return 0;
  FOR_PROVIDES (id, offset, dep)
    if (lm_numbers_have (among, (guint) id) && (best == 0 || lm_package_pool_compare (packages, name, id, best) > 0))
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
  for (const Id *dep = lm_package_pool_deps (s, packages->is_debian ? 0 : s->obsoletes); *dep; dep++)
    if (is_provided (pool, *dep, among, self))
      return TRUE;
  return FALSE;
}

gboolean
lm_packages_fits (LmPackages *packages, guint id, const GArray *among)
{
  Pool *pool = packages->pool;
  Solvable *s = pool_id2solvable (pool, (Id) id);
  lm_package_pool_prepare (packages);
  for (const Id *dep = lm_package_pool_deps (s, s->requires); *dep; dep++)
    if (*dep != SOLVABLE_PREREQMARKER && !is_provided (pool, *dep, among, 0))
      return FALSE;
  for (const Id *dep = lm_package_pool_deps (s, s->conflicts); *dep; dep++)
    if (is_provided (pool, *dep, among, (Id) id))
      return FALSE;
  return !is_replaced (packages, s, (Id) id, among);
}

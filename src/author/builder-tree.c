/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "author/builder-tree.h"
#include "author/builder.h"
#include "base/error.h"
#include "base/file.h"
#include "io/run.h"

#include <errno.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* In the tree: the packages to install, and an archive of the recipe's files. */
#define PACKAGES_DIR "/lamina-packages"
#define FILES_ARCHIVE "/lamina-files.tar"
#define TIME_SECONDS 3600

/* ---- a repository of the locked packages */

/* Appends what apt has to know about the package to @index. */
static gboolean
describe_package (const char *path, const char *name, const LmLockedPackage *package, GString *index, GCancellable *cancellable,
                  GError **error)
{
  g_autofree char *control = NULL;
  const char *const argv[] = { "dpkg-deb", "--field", path, NULL };
  GStatBuf st;
  if (!lm_run (argv, NULL, &control, cancellable, error))
    return FALSE;
  if (g_stat (path, &st) < 0)
    return lm_throw_errno (error, "cannot examine %s", path);
  char digest[LM_DIGEST_STRING_SIZE];
  g_string_append_printf (index, "%s\nFilename: ./%s\nSize: %" G_GINT64_FORMAT "\nSHA256: %s\n\n", g_strchomp (control), name,
                          (gint64) st.st_size, strchr (lm_digest_format (&package->blob.digest, digest), ':') + 1);
  return TRUE;
}

/* Fills the directory @repository, from which mmdebstrap copies it into the tree, because the user
 * whose namespace it may run in cannot read what is in lamina's directories. */
static gboolean
make_repository (const LmBuilderDisk *build, const char *repository, GCancellable *cancellable, GError **error)
{
  g_autoptr (GString) index = g_string_new (NULL);
  g_autofree char *index_path = g_build_filename (repository, "Packages", NULL);
  if (!lm_file_make_dir (repository, 0755, error))
    return FALSE;
  for (guint i = 0; i < build->lock->packages->len; i++)
    {
      const LmLockedPackage *package = g_ptr_array_index (build->lock->packages, i);
      g_autofree char *name = g_strdup_printf ("%s_%s.deb", package->name, package->architecture);
      g_autofree char *path = lm_cache_get_path (build->cache, LM_BLOB_FILE, &package->blob.digest);
      g_autofree char *link = g_build_filename (repository, name, NULL);
      g_autoptr (GFile) from = g_file_new_for_path (path), to = g_file_new_for_path (link);
      if (!g_str_has_suffix (package->blob.urls[0], ".deb"))
        return lm_throw (error, LM_BUILDER_ERROR, LM_BUILDER_ERROR_REQUEST,
                         "%s: a base can be built only of packages of Debian's kind", build->recipe->path);
      if (!g_file_copy (from, to, G_FILE_COPY_TARGET_DEFAULT_PERMS, cancellable, NULL, NULL, error)
          || !describe_package (path, name, package, index, cancellable, error))
        return FALSE;
    }
  return lm_file_write_unsynced (index_path, index->str, index->len, 0644, error);
}

/* ---- the files of the recipe */

static gboolean
stage_item (const LmPayloadItem *item, const char *dir, GCancellable *cancellable, GError **error)
{
  g_autofree char *path = g_build_filename (dir, item->to, NULL), *parent = g_path_get_dirname (path);
  if (!lm_file_make_dir (item->is_dir ? path : parent, 0755, error))
    return FALSE;
  if (item->content != NULL
      && !lm_file_write_unsynced (path, g_bytes_get_data (item->content, NULL), g_bytes_get_size (item->content), 0600, error))
    return FALSE;
  if (item->copy != NULL)
    {
      g_autoptr (GFile) from = g_file_new_for_path (item->copy), to = g_file_new_for_path (path);
      if (!g_file_copy (from, to, G_FILE_COPY_OVERWRITE, cancellable, NULL, NULL, error))
        return FALSE;
    }
  /* A directory that its owner could not change could not be filled either. */
  return chmod (path, (mode_t) (item->is_dir ? item->mode | 0700 : item->mode)) == 0
         || lm_throw_errno (error, "cannot set the mode of %s", path);
}

static gboolean
make_archive (const LmBuilderDisk *build, const char *dir, const char *archive, GCancellable *cancellable, GError **error)
{
  const char *const argv[] = { "tar", "--create", "--file", archive, "--directory", dir, "--owner=0", "--group=0", "--numeric-owner", ".", NULL };
  if (!lm_file_make_dir (dir, 0755, error))
    return FALSE;
  for (guint i = 0; i < build->payload->len; i++)
    if (!stage_item (g_ptr_array_index (build->payload, i), dir, cancellable, error))
      return FALSE;
  return lm_run (argv, NULL, NULL, cancellable, error);
}

/* ---- mmdebstrap */

static char *
list_names (const GPtrArray *packages)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  for (guint i = 0; i < packages->len; i++)
    g_ptr_array_add (names, ((LmLockedPackage *) g_ptr_array_index (packages, i))->name);
  g_ptr_array_add (names, NULL);
  return g_strjoinv (",", (char **) names->pdata);
}

/* Nothing of this host's name and resolver gets into the tree. Every package was checked by its digest,
 * therefore apt may trust the repository. */
static const char setup[] = "--setup-hook=rm -f \"$1/etc/hostname\" \"$1/etc/resolv.conf\"; mkdir \"$1" PACKAGES_DIR "\"; "
                            "echo \"deb [trusted=yes] copy:$1" PACKAGES_DIR " ./\" >\"$1/etc/apt/sources.list\"";

/* Essential packages are there, and with them tar, but none of those for which the files matter. It runs in
 * the tree, so that no link leads out of it; it changes neither directories that are there nor links to them. */
static const char unpack_files[] = "--essential-hook=chroot \"$1\" tar --extract --preserve-permissions --no-overwrite-dir "
                                   "--keep-directory-symlink --file " FILES_ARCHIVE " && rm \"$1" FILES_ARCHIVE "\"";

static const char clean_up[] = "--customize-hook=rm -rf \"$1" PACKAGES_DIR "\" \"$1/etc/apt/sources.list\" "
                               "\"$1/etc/apt/apt.conf.d/99mmdebstrap\" \"$1/etc/dpkg/dpkg.cfg.d/99mmdebstrap\"";

/* Root's mmdebstrap mounts file systems below the work directory, and starts programs that do not end with it. In
 * namespaces of their own, none of them stays when it ends, or lamina does, however that happens. The shell is there for
 * processes that have lost their parent. Who may not make namespaces cannot mount either. */
#define ISOLATE "unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--", "sh", "-c", "\"$@\"; exit $?", "sh"

static gboolean
can_isolate (GCancellable *cancellable)
{
  static const char *const argv[] = { ISOLATE, "true", NULL };
  return geteuid () == 0 && lm_run (argv, NULL, NULL, cancellable, NULL);
}

static gboolean
run_mmdebstrap (const LmBuilderDisk *build, const char *repository, const char *archive, const char *to, GCancellable *cancellable,
                GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autofree char *names = list_names (build->lock->packages), *include = g_strconcat ("--include=", names, NULL);
  g_autofree char *from = g_shell_quote (repository), *files = g_shell_quote (archive);
  g_autofree char *copy_packages = g_strdup_printf ("--setup-hook=sync-in %s " PACKAGES_DIR, from);
  g_autofree char *copy_files = g_strdup_printf ("--essential-hook=upload %s " FILES_ARCHIVE, files);
  /* The tree is made there. Another user, as which a plain user's is made, cannot reach the work directory. */
  g_autofree char *scratch = g_strconcat ("TMPDIR=", geteuid () == 0 ? lm_work_dir_get_path (build->work) : "/var/tmp", NULL);
  /* What it would choose too; but then it says what is missing. */
  const char *mode = geteuid () == 0 ? "--mode=root" : "--mode=unshare";
  const char *const alone[] = { ISOLATE };
  const char *const argv[] = { ISOLATE, "env", scratch, "DEBIAN_FRONTEND=noninteractive", "mmdebstrap", mode, "--quiet", "--variant=essential", "--format=tar",
                               "--aptopt=APT::Sandbox::User \"root\"", "--dpkgopt=force-unsafe-io", include, setup, copy_packages, copy_files,
                               unpack_files, clean_up, "", to, "deb [trusted=yes] copy:" PACKAGES_DIR " ./", NULL };
  const LmRunLimits limits = { .time_seconds = TIME_SECONDS };
  if (lm_run (argv + (can_isolate (cancellable) ? 0 : G_N_ELEMENTS (alone)), &limits, NULL, cancellable, &failure))
    return TRUE;
  g_propagate_prefixed_error (error, g_steal_pointer (&failure), "%s: making the tree with mmdebstrap: ", build->recipe->path);
  return FALSE;
}

static gboolean
check_programs (GError **error)
{
  g_autofree char *maker = g_find_program_in_path ("mmdebstrap"), *mapper = g_find_program_in_path ("newuidmap");
  if (maker == NULL)
    return lm_throw (error, LM_RUN_ERROR, LM_RUN_ERROR_NOT_FOUND, "mmdebstrap, which makes the tree of a base, is not there; install mmdebstrap");
  return geteuid () == 0 || mapper != NULL
         || lm_throw (error, LM_RUN_ERROR, LM_RUN_ERROR_NOT_FOUND,
                      "newuidmap, which a plain user needs to make the tree of a base, is not there; install uidmap");
}

gboolean
lm_builder_tree_make (const LmBuilderDisk *build, const char *to, GCancellable *cancellable, GError **error)
{
  const char *work = lm_work_dir_get_path (build->work);
  g_autofree char *repository = g_build_filename (work, "packages", NULL), *files = g_build_filename (work, "files", NULL);
  g_autofree char *archive = g_build_filename (work, "files.tar", NULL);
  g_autofree char *what = g_strdup_printf ("installing %u packages", build->lock->packages->len);
  build->host->status (build->host->user_data, what);
  return check_programs (error) && make_repository (build, repository, cancellable, error) && make_archive (build, files, archive, cancellable, error)
         && run_mmdebstrap (build, repository, archive, to, cancellable, error) && lm_file_remove_tree (repository, error);
}

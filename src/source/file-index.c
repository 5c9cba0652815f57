/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "source/file-index.h"
#include "base/digest.h"
#include "base/fd.h"
#include "base/file.h"
#include "source/record.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A smaller file is read as fast as its index. */
#define SIZE_MIN (256 * 1024)
/* A file that was written so shortly before may be written again in the same tick of its clock. */
#define SETTLED_NS (G_GINT64_CONSTANT (2000) * 1000 * 1000)
#define UNUSED_SECONDS (30 * 24 * 3600)

static gboolean
is_ours (const struct stat *st)
{
  return (st->st_uid == geteuid () || st->st_uid == 0) && (st->st_mode & (S_IWGRP | S_IWOTH)) == 0;
}

/* @dir, if it can be written and nobody else can; made where its parent is. */
static gboolean
is_usable (const char *parent, const char *dir)
{
  struct stat st, above;
  if (!lm_file_make_dir (parent, 0755, NULL) || !lm_file_make_dir (dir, 0700, NULL))
    return FALSE;
  return lstat (dir, &st) == 0 && S_ISDIR (st.st_mode) && is_ours (&st) && stat (parent, &above) == 0 && is_ours (&above)
         && access (dir, W_OK) == 0;
}

/* Where indexes are kept; NULL: nowhere. The state directory is not made for them. */
static char *
find_dir (const char *state_dir)
{
  struct stat st;
  g_autofree char *catalogs = lm_source_record_dir (state_dir);
  g_autofree char *own = g_build_filename (catalogs, "files", NULL);
  if (stat (state_dir, &st) == 0 && is_ours (&st) && is_usable (catalogs, own))
    return g_steal_pointer (&own);
  g_autofree char *user = g_build_filename (g_get_user_cache_dir (), "lamina", NULL);
  g_autofree char *dir = g_build_filename (user, "catalogs", NULL);
  return is_usable (user, dir) ? g_steal_pointer (&dir) : NULL;
}

static gint64
nanoseconds (const struct timespec *time)
{
  return (gint64) time->tv_sec * 1000000000 + time->tv_nsec;
}

/* What tells one state of a file from another. */
static char *
make_stamp (const struct stat *st)
{
  return g_strdup_printf ("%" G_GUINT64_FORMAT " %" G_GUINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT " %" G_GINT64_FORMAT,
                          (guint64) st->st_dev, (guint64) st->st_ino, (gint64) st->st_size, nanoseconds (&st->st_mtim),
                          nanoseconds (&st->st_ctim));
}

static LmCatalog *
load_index (const char *index, const char *shown, const char *base_url, const char *stamp)
{
  struct stat st;
  lm_autofd int fd = open (index, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0 || fstat (fd, &st) < 0 || !S_ISREG (st.st_mode) || !is_ours (&st))
    return NULL;
  g_autoptr (GMappedFile) file = g_mapped_file_new_from_fd (fd, FALSE, NULL);
  g_autoptr (GBytes) bytes = file ? g_mapped_file_get_bytes (file) : NULL;
  return bytes ? lm_catalog_load (bytes, shown, base_url, stamp, NULL) : NULL;
}

/* Removes indexes that have not been written for long, and what killed runs left. */
static void
remove_unused (const char *dir)
{
  g_auto (GStrv) files = lm_file_list (dir, NULL);
  for (char **file = files; file && *file; file++)
    {
      struct stat st;
      g_autofree char *path = g_build_filename (dir, *file, NULL);
      if (lstat (path, &st) == 0 && S_ISREG (st.st_mode) && st.st_mtime < time (NULL) - UNUSED_SECONDS)
        (void) unlink (path);
    }
}

/* Whether the file is still the one that was read, and will not change unseen. */
static gboolean
is_settled (const char *path, const char *stamp)
{
  struct stat st;
  struct timespec now;
  if (stat (path, &st) < 0 || clock_gettime (CLOCK_REALTIME, &now) < 0)
    return FALSE;
  g_autofree char *later = make_stamp (&st);
  return g_str_equal (later, stamp) && nanoseconds (&now) - nanoseconds (&st.st_ctim) > SETTLED_NS;
}

LmCatalog *
lm_source_file_index_load (const char *state_dir, const char *path, const char *shown, const char *base_url, GPtrArray *warnings,
                           GCancellable *cancellable, GError **error)
{
  struct stat st;
  gboolean large = stat (path, &st) == 0 && S_ISREG (st.st_mode) && st.st_size >= SIZE_MIN;
  g_autofree char *dir = large ? find_dir (state_dir) : NULL;
  g_autofree char *stamp = dir ? make_stamp (&st) : NULL;
  LmDigest digest = lm_digest_of_text (path);
  g_autofree char *name = lm_digest_file_name (&digest, NULL);
  g_autofree char *index = dir ? g_build_filename (dir, name, NULL) : NULL;
  LmCatalog *catalog = dir ? load_index (index, shown, base_url, stamp) : NULL;
  if (catalog != NULL)
    return catalog;
  g_autoptr (GBytes) bytes = lm_file_read (path, LM_SOURCE_SIZE_MAX, cancellable, error);
  guint said = warnings->len;
  catalog = bytes ? lm_source_record_parse (shown, base_url, bytes, warnings, error) : NULL;
  if (catalog == NULL || dir == NULL || warnings->len > said || !is_settled (path, stamp))
    return catalog;
  g_autoptr (GBytes) block = lm_catalog_serialize (catalog, stamp);
  remove_unused (dir);
  /* Only an index: where it cannot be written, the next run reads the file again. */
  (void) !lm_file_write_unsynced (index, g_bytes_get_data (block, NULL), g_bytes_get_size (block), 0600, NULL);
  return catalog;
}

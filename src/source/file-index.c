/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "source/file-index.h"
#include "base/digest.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/identity.h"
#include "source/record.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* A smaller file is parsed as fast as its index is loaded. */
#define SIZE_MIN (256 * 1024)
#define UNUSED_SECONDS (30 * 24 * 3600)

/* Returns the directory of the indexes; NULL if there is none that can be written
 * and that no other user could have written to. The state directory is not created
 * for them. */
static LmStateDir *
open_index_dir (const char *state_dir)
{
  g_autoptr (LmStateDir) state = lm_state_dir_open_readonly (state_dir, NULL);
  g_autoptr (LmStateDir) catalogs
    = state != NULL && lm_state_dir_get_fd (state) >= 0 ? lm_source_record_open (state_dir, FALSE, NULL) : NULL;
  g_autoptr (LmStateDir) dir = catalogs != NULL ? lm_state_dir_open_below (catalogs, "files", 0700, NULL) : NULL;
  if (dir == NULL || faccessat (lm_state_dir_get_fd (dir), ".", W_OK, 0) < 0)
    {
      g_clear_pointer (&dir, lm_state_dir_close);
      g_autofree char *user = g_build_filename (g_get_user_cache_dir (), "lamina", NULL);
      g_autoptr (LmStateDir) own = lm_state_dir_open (user, NULL);
      dir = own != NULL ? lm_state_dir_open_below (own, "catalogs", 0700, NULL) : NULL;
    }
  return g_steal_pointer (&dir);
}

static LmCatalog *
load_file_index (const LmStateDir *dir, const char *name, const char *shown, const char *base_url, const char *stamp)
{
  g_autoptr (GBytes) bytes = lm_state_dir_read (dir, name, LM_SOURCE_SIZE_MAX, NULL);
  return bytes ? lm_catalog_load (bytes, shown, NULL, base_url, stamp, NULL) : NULL;
}

static gboolean
is_index_name (const char *name)
{
  LmDigest digest;
  return lm_digest_from_file_name (name, "", &digest);
}

/* Removes indexes that have not been written for a long time, and what killed runs left. */
static void
remove_unused_indexes (const LmStateDir *dir)
{
  lm_state_dir_remove_leftovers (dir, is_index_name);
  g_autoptr (GPtrArray) names = lm_state_dir_list (dir, NULL);
  for (guint i = 0; names != NULL && i < names->len; i++)
    {
      struct stat st;
      const char *name = g_ptr_array_index (names, i);
      if (is_index_name (name) && fstatat (lm_state_dir_get_fd (dir), name, &st, AT_SYMLINK_NOFOLLOW) == 0
          && S_ISREG (st.st_mode)
          && st.st_mtime < time (NULL) - UNUSED_SECONDS)
        (void) unlinkat (lm_state_dir_get_fd (dir), name, 0);
    }
}

/* Whether the file is still the one that was read. */
static gboolean
is_unchanged (const char *path, const LmIdentity *identity)
{
  struct stat st;
  if (stat (path, &st) < 0)
    return FALSE;
  const LmIdentity now = lm_identity_of (&st);
  return lm_identity_is_equal (&now, identity);
}

LmCatalog *
lm_source_file_index_load (const char *state_dir, const char *path, const char *shown, const char *base_url, GPtrArray *warnings,
                           GCancellable *cancellable, GError **error)
{
  struct stat st;
  gboolean large = stat (path, &st) == 0 && S_ISREG (st.st_mode) && st.st_size >= SIZE_MIN;
  g_autoptr (LmStateDir) dir = large ? open_index_dir (state_dir) : NULL;
  const LmIdentity identity = large ? lm_identity_of (&st) : (LmIdentity){ 0 };
  g_autofree char *stamp = lm_identity_format_all (&identity);
  /* Before it is read: a change during the reading might not show otherwise. */
  gboolean settled = lm_identity_is_settled (identity.ctime);
  LmDigest digest = lm_digest_of_text (path);
  g_autofree char *name = lm_digest_file_name (&digest, NULL);
  LmCatalog *catalog = dir ? load_file_index (dir, name, shown, base_url, stamp) : NULL;
  if (catalog != NULL)
    return catalog;
  g_autoptr (GBytes) bytes = lm_file_read (path, LM_SOURCE_SIZE_MAX, cancellable, error);
  guint said = warnings->len;
  catalog = bytes ? lm_source_record_parse (shown, NULL, base_url, bytes, warnings, error) : NULL;
  if (catalog == NULL || dir == NULL || !settled || warnings->len > said || !is_unchanged (path, &identity))
    return catalog;
  g_autoptr (GBytes) block = lm_catalog_serialize (catalog, stamp);
  remove_unused_indexes (dir);
  /* If the index cannot be written, the next run parses the file again. */
  g_autofree char *index = g_build_filename (lm_state_dir_get_path (dir), name, NULL);
  (void) !lm_file_write_unsynced (index, g_bytes_get_data (block, NULL), g_bytes_get_size (block), 0600, NULL);
  return catalog;
}

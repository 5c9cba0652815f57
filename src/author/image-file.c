/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "author/image-file.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/hasher.h"
#include "base/identity.h"
#include "base/size.h"
#include "base/url.h"
#include "fetch/download.h"
#include "image/foreign.h"
#include "io/unpack.h"
#include "ops/room.h"
#include "source/source.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define LIST_SIZE_MAX (4 * 1024 * 1024)
#define LIST_SECONDS 60
#define HOLE_SIZE (64 * 1024)
#define PROGRESS_US (100 * 1000)
#define SPACE_STEP (64 * 1024 * 1024)
/* As in the entry of a layer, where checksums come before it. */
#define ORIGIN_URL_MAX 700

G_DEFINE_QUARK (lm-image-file-error-quark, lm_image_file_error)

struct _LmImageFile
{
  const LmHost *host;
  LmCache *cache;
  GCancellable *cancellable;
  char *url;        /* of what the user named; file:// for a file */
  gboolean is_local; /* it is a file of the user, which stays as it is */
  char *shown;      /* without credentials */
  char *path;       /* where the bytes are now */
  LmPartial *partial;      /* of path; NULL if it is the user's file */
  LmPartial *download;     /* kept until the layer is there, so that a later run need not begin again */
  LmIdentity identity;     /* of the user's file */
  LmChecksum sha256, sha512; /* of what was published */
  gboolean has_sha512;
  GPtrArray *reserved;     /* LmBlob: scratch files */
  GPtrArray *leases;       /* LmLock */
  gint64 next_report;      /* monotonic time, in microseconds */
  LmDigest wanted;         /* for reports: what a SHA-256 checksum says; otherwise zeros */
};

void
lm_image_file_free (LmImageFile *file)
{
  if (file == NULL)
    return;
  /* What was made of the download or of the user's file is made anew. */
  if (file->partial != NULL && (file->download != NULL || file->is_local))
    lm_partial_discard (g_steal_pointer (&file->partial));
  lm_partial_close (file->partial);
  lm_partial_close (file->download);
  lm_room_release (file->cache, file->reserved);
  g_ptr_array_unref (file->leases);
  g_ptr_array_unref (file->reserved);
  g_free (file->url);
  g_free (file->shown);
  g_free (file->path);
  g_free (file);
}

char *
lm_image_file_name (const char *url_or_file)
{
  g_autoptr (GUri) uri = lm_store_knows (url_or_file) ? g_uri_parse (url_or_file, G_URI_FLAGS_NONE, NULL) : NULL;
  return g_path_get_basename (uri != NULL ? g_uri_get_path (uri) : url_or_file);
}

gboolean
lm_image_file_checksum (const char *text, const char *url_or_file, LmChecksum *out_checksum, GCancellable *cancellable,
                        GError **error)
{
  if (lm_checksum_is_meant (text))
    return lm_checksum_parse (text, out_checksum, error);
  g_autofree char *url = lm_source_url_of (text, error);
  if (url == NULL)
    return FALSE;
  const LmStoreRead request = { .url = url, .max_size = LIST_SIZE_MAX, .seconds = LIST_SECONDS };
  g_autoptr (LmStoreObject) list = lm_store_read (&request, cancellable, error);
  if (list == NULL)
    return FALSE;
  g_autofree char *shown = lm_url_redact (text);
  g_autofree char *name = lm_image_file_name (url_or_file);
  gsize size;
  const char *data = g_bytes_get_data (list->body, &size);
  return lm_checksum_find (data != NULL ? data : "", size, name, shown, out_checksum, error);
}

static void
announce (const LmImageFile *file, const char *what)
{
  g_autofree char *text = g_strdup_printf ("%s %s", what, file->shown);
  file->host->status (file->host->user_data, text);
}

static void
on_wait (gpointer user_data)
{
  announce (user_data, "waiting for another lamina process that imports");
}

/* Makes room for the scratch file @name; what is in its .part file is protected until the end. */
static gboolean
make_room (gpointer user_data, const LmDigest *name, guint64 size, GError **error)
{
  LmImageFile *file = user_data;
  LmBlob *blob = g_new0 (LmBlob, 1);
  g_autoptr (GPtrArray) one = g_ptr_array_new ();
  blob->kind = LM_BLOB_FILE;
  blob->name = g_strdup (file->shown);
  blob->digest = *name;
  blob->size = size;
  g_ptr_array_add (file->reserved, blob);
  g_ptr_array_add (one, blob);
  LmLock *lease = lm_cache_lease (file->cache, one, file->cancellable, error);
  if (lease == NULL)
    return FALSE;
  g_ptr_array_add (file->leases, lease);
  return lm_room_make (file->host, file->cache, one, file->cancellable, error);
}

/* Makes @partial what the file is now. The first that is replaced was downloaded, if anything was. */
static void
replace_content (LmImageFile *file, LmPartial *partial)
{
  if (file->partial != NULL && file->download == NULL && !file->is_local)
    file->download = g_steal_pointer (&file->partial);
  if (file->partial != NULL)
    lm_partial_discard (file->partial);
  file->partial = partial;
  g_free (file->path);
  file->path = g_strdup (lm_partial_get_path (partial));
}

void
lm_image_file_discard (LmImageFile *file)
{
  if (file->partial != NULL)
    lm_partial_discard (g_steal_pointer (&file->partial));
  if (file->download != NULL)
    lm_partial_discard (g_steal_pointer (&file->download));
}

static void
report_download (gpointer user_data, guint64 done, guint64 total)
{
  LmImageFile *file = user_data;
  const gint64 now = g_get_monotonic_time ();
  if (file->host->progress == NULL || (now < file->next_report && done != total))
    return;
  file->next_report = now + PROGRESS_US;
  g_autofree char *name = lm_image_file_name (file->shown);
  LmBlob blob = { .kind = LM_BLOB_FILE, .name = name, .digest = file->wanted, .size = total };
  const LmFetchItemProgress item = { .blob = &blob, .done = done, .state = LM_FETCH_TRANSFERRING, .url = file->url };
  const LmFetchProgress progress = { .items = &item, .n_items = 1, .done = done, .total = total, .what = LM_FETCH_PULL };
  file->host->progress (&progress, file->host->user_data);
}

/* @data: two hashers, of which the second may be NULL */
static gboolean
hash_block (gpointer data, const void *block, gsize size, GError **error)
{
  LmHasher *const *hashers = data;
  lm_hasher_update (hashers[0], block, size);
  if (hashers[1] != NULL)
    lm_hasher_update (hashers[1], block, size);
  return TRUE;
}

/* Computes the SHA-256 and, unless it is NULL, the SHA-512 of what the file is now. */
static gboolean
hash_content (const LmImageFile *file, LmChecksum *out_sha256, LmChecksum *out_sha512, GError **error)
{
  lm_autofd int fd = open (file->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  g_autoptr (LmHasher) hasher = lm_hasher_new (), wide = NULL;
  if (fd < 0)
    return lm_throw_errno (error, "cannot open %s", file->path);
  if (out_sha512 != NULL)
    wide = lm_hasher_new_for (LM_CHECKSUM_SHA512);
  LmHasher *hashers[] = { hasher, wide };
  if (!lm_fd_read_blocks (fd, hash_block, hashers, file->cancellable, error))
    return FALSE;
  lm_hasher_get_checksum (hasher, out_sha256);
  if (wide != NULL)
    lm_hasher_get_checksum (wide, out_sha512);
  return TRUE;
}

/* SHA-512 is computed only if @wanted is of that kind. */
static gboolean
hash_published (LmImageFile *file, const LmChecksum *wanted, GError **error)
{
  file->has_sha512 = wanted != NULL && wanted->kind == LM_CHECKSUM_SHA512;
  return hash_content (file, &file->sha256, file->has_sha512 ? &file->sha512 : NULL, error);
}

static gboolean
check_checksum (const LmImageFile *file, const LmChecksum *wanted, GError **error)
{
  const LmChecksum *got = wanted == NULL ? NULL : wanted->kind == LM_CHECKSUM_SHA512 ? &file->sha512 : &file->sha256;
  if (got == NULL || lm_checksum_equal (got, wanted))
    return TRUE;
  g_autofree char *expected = lm_checksum_to_string (wanted);
  g_autofree char *found = lm_checksum_to_string (got);
  return lm_throw (error, LM_IMAGE_FILE_ERROR, LM_IMAGE_FILE_ERROR_CHECKSUM, "%s: wrong checksum: expected %s, got %s", file->shown,
                   expected, found);
}

/* Downloads the file; if its beginning is from an earlier answer and the whole is wrong, once more. */
static gboolean
download_file (LmImageFile *file, const LmChecksum *wanted, gboolean *out_waited, GError **error)
{
  g_autofree char *text = wanted != NULL ? lm_checksum_to_string (wanted) : NULL;
  if (wanted != NULL && wanted->kind == LM_CHECKSUM_SHA256)
    memcpy (file->wanted.bytes, wanted->bytes, sizeof file->wanted.bytes);
  const LmDownload download
    = { .url = file->url, .checksum = text, .make_room = make_room, .progress = report_download, .on_wait = on_wait, .user_data = file };
  for (gboolean again = TRUE;;)
    {
      gboolean resumed = FALSE;
      g_autoptr (GError) failure = NULL;
      LmPartial *partial = lm_download_run (file->cache, &download, &resumed, out_waited, file->cancellable, error);
      if (partial == NULL)
        return FALSE;
      g_clear_pointer (&file->path, g_free);
      file->path = g_strdup (lm_partial_get_path (partial));
      file->partial = partial;
      if (*out_waited)
        return TRUE;
      if (!hash_published (file, wanted, error))
        return FALSE;
      if (check_checksum (file, wanted, &failure))
        return TRUE;
      lm_partial_discard (g_steal_pointer (&file->partial));
      if (!resumed || !again)
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return FALSE;
        }
      again = FALSE;
    }
}

static gboolean
open_local (LmImageFile *file, GError **error)
{
  struct stat st;
  g_autofree char *path = g_filename_from_uri (file->url, NULL, error);
  if (path == NULL)
    return FALSE;
  /* A link such as "latest.qcow2" is followed once, so that all that is read is the same file. */
  char *real = realpath (path, NULL);
  if (real == NULL)
    return lm_throw_errno (error, "cannot open %s", path);
  file->path = g_strdup (real);
  free (real);
  if (stat (file->path, &st) < 0)
    return lm_throw_errno (error, "cannot open %s", file->path);
  if (!S_ISREG (st.st_mode))
    return lm_throw (error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE, "%s is not a regular file", file->path);
  file->identity = lm_identity_of (&st);
  return TRUE;
}

/* What was read of the user's file must be one state of it. */
static gboolean
check_unchanged (const LmImageFile *file, GError **error)
{
  struct stat st;
  if (file->partial != NULL)
    return TRUE;
  if (stat (file->path, &st) < 0)
    return lm_throw_errno (error, "cannot open %s", file->path);
  const LmIdentity now = lm_identity_of (&st);
  return lm_identity_has_same_content (&now, &file->identity)
         || lm_throw (error, G_IO_ERROR, G_IO_ERROR_BUSY, "%s was changed while it was read; try again", file->path);
}

LmImageFile *
lm_image_file_open (const LmHost *host, LmCache *cache, const char *url_or_file, const LmChecksum *checksum, gboolean *out_waited,
                    GCancellable *cancellable, GError **error)
{
  g_autoptr (LmImageFile) file = g_new0 (LmImageFile, 1);
  file->host = host;
  file->cache = cache;
  file->cancellable = cancellable;
  file->reserved = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_blob_free);
  file->leases = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_lock_release);
  file->shown = lm_url_redact (url_or_file);
  file->url = lm_source_url_of (url_or_file, error);
  if (file->url == NULL)
    return NULL;
  file->is_local = lm_store_class_of (file->url, NULL) == &lm_store_file_class;
  announce (file, file->is_local ? "reading" : "downloading");
  if (!file->is_local)
    {
      if (!download_file (file, checksum, out_waited, error) || *out_waited)
        return NULL;
      return g_steal_pointer (&file);
    }
  if (!open_local (file, error) || !hash_published (file, checksum, error) || !check_unchanged (file, error)
      || !check_checksum (file, checksum, error))
    return NULL;
  return g_steal_pointer (&file);
}

char *
lm_image_file_get_origin (const LmImageFile *file)
{
  g_autoptr (GString) text = g_string_new (NULL);
  g_autofree char *sha256 = lm_checksum_to_string (&file->sha256);
  g_autofree char *sha512 = file->has_sha512 ? lm_checksum_to_string (&file->sha512) : NULL;
  /* The catalog may be published, and a path of this host is nobody's business. */
  g_autofree char *from = file->is_local ? lm_image_file_name (file->shown) : g_strdup (file->shown);
  g_autofree char *safe = g_utf8_make_valid (from, -1);
  g_string_append (text, sha256);
  if (sha512 != NULL)
    g_string_append_printf (text, " %s", sha512);
  for (char *p = safe; *p != '\0'; p++)
    if (g_ascii_iscntrl (*p))
      *p = '?';
  if (strlen (safe) <= ORIGIN_URL_MAX)
    g_string_append_printf (text, " %s", safe);
  return g_string_free (g_steal_pointer (&text), FALSE);
}

/* Returns an empty scratch file for the result of @step; NULL without an error if *out_waited. */
static LmPartial *
open_scratch (LmImageFile *file, const char *step, guint64 size, gboolean *out_waited, GError **error)
{
  g_autofree char *sum = lm_checksum_to_string (&file->sha256);
  g_autofree char *what = g_strdup_printf ("%s\n%s", step, sum);
  const LmDigest name = lm_scratch_name (what);
  if (!make_room (file, &name, size, error))
    return NULL;
  g_autoptr (LmPartial) partial = lm_scratch_open (file->cache, what, on_wait, file, out_waited, file->cancellable, error);
  if (partial == NULL || *out_waited || !lm_partial_truncate (partial, error))
    return NULL;
  return g_steal_pointer (&partial);
}

static gboolean
is_zero (const char *data, gsize size)
{
  return size > 0 && data[0] == 0 && memcmp (data, data + 1, size - 1) == 0;
}

/* Writes the bytes at @offset, with holes for zeros, because a raw image consists mostly of them. */
static gboolean
write_sparse (int fd, const char *shown, const char *data, gsize size, guint64 offset, GError **error)
{
  for (gsize done = 0; done < size;)
    {
      gsize want = (gsize) MIN (size - done, HOLE_SIZE - (offset + done) % HOLE_SIZE);
      ssize_t n = is_zero (data + done, want) ? (ssize_t) want : pwrite (fd, data + done, want, (off_t) (offset + done));
      if (n < 0 && errno == EINTR)
        continue;
      if (n < 0)
        return lm_throw_errno (error, "cannot write %s", shown);
      done += (gsize) n;
    }
  return TRUE;
}

static gboolean
unpack_to (LmImageFile *file, LmUnpack *unpack, LmPartial *to, GError **error)
{
  guint64 offset = 0, checked = 0;
  const char *path = lm_partial_get_path (to);
  for (gsize n = 1; n > 0;)
    {
      const void *data;
      if (g_cancellable_set_error_if_cancelled (file->cancellable, error) || !lm_unpack_read (unpack, &data, &n, error))
        return FALSE;
      /* What it will be is not known before; the disk of the host must not fill up. */
      if (offset + n > checked)
        {
          if (!lm_cache_check_space (file->cache, SPACE_STEP, error))
            return FALSE;
          checked = offset + n + SPACE_STEP;
        }
      if (!write_sparse (lm_partial_get_fd (to), path, data, n, offset, error))
        return FALSE;
      offset += n;
    }
  if (ftruncate (lm_partial_get_fd (to), (off_t) offset) < 0)
    return lm_throw_errno (error, "cannot write %s", path);
  return lm_fault_point ("unpack-after-write", error);
}

static gboolean
unpack_file (LmImageFile *file, GPtrArray *changes, gboolean *out_waited, GError **error)
{
  lm_autofd int fd = open (file->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  char head[8];
  gsize n;
  if (fd < 0)
    return lm_throw_errno (error, "cannot open %s", file->path);
  if (!lm_fd_read_full (fd, head, sizeof head, &n, error))
    return FALSE;
  const char *format = lm_unpack_recognize (head, n);
  if (format == NULL)
    return TRUE;
  g_autoptr (LmUnpack) unpack = lm_unpack_new (fd, format, file->shown, error);
  g_autoptr (LmPartial) to = unpack != NULL ? open_scratch (file, "unpack", 0, out_waited, error) : NULL;
  if (to == NULL)
    return unpack != NULL && *out_waited;
  announce (file, "unpacking");
  if (!unpack_to (file, unpack, to, error))
    {
      lm_partial_discard (g_steal_pointer (&to));
      return FALSE;
    }
  if (!check_unchanged (file, error))
    return FALSE;
  g_ptr_array_add (changes, g_strdup_printf ("unpacked (%s)", format));
  replace_content (file, g_steal_pointer (&to));
  return TRUE;
}

static void
list_changes (const LmForeign *foreign, GPtrArray *changes)
{
  if (foreign->is_raw)
    g_ptr_array_add (changes, g_strdup ("converted from raw to qcow2"));
  if (foreign->compressed)
    g_ptr_array_add (changes, g_strdup ("converted, because clusters were compressed"));
  if (foreign->snapshots > 0)
    g_ptr_array_add (changes, g_strdup_printf ("converted without its %u internal %s", foreign->snapshots,
                                               foreign->snapshots == 1 ? "snapshot" : "snapshots"));
  else if (foreign->has_extras)
    g_ptr_array_add (changes, g_strdup ("converted without its bitmaps"));
}

static gboolean
convert_file (LmImageFile *file, const LmForeign *foreign, GPtrArray *changes, gboolean *out_waited, GError **error)
{
  guint64 size;
  if (!lm_foreign_measure (foreign, file->path, file->shown, &size, file->cancellable, error))
    return FALSE;
  g_autoptr (LmPartial) to = open_scratch (file, "convert", size, out_waited, error);
  if (to == NULL)
    return *out_waited;
  announce (file, "converting");
  if (!lm_foreign_convert (foreign, file->path, file->shown, lm_partial_get_path (to), file->cancellable, error))
    {
      lm_partial_discard (g_steal_pointer (&to));
      return FALSE;
    }
  if (!check_unchanged (file, error))
    return FALSE;
  list_changes (foreign, changes);
  replace_content (file, g_steal_pointer (&to));
  return TRUE;
}

static gboolean
append_block (gpointer data, const void *block, gsize size, GError **error)
{
  return lm_partial_append (data, block, size, error);
}

/* The user keeps his file, so the layer is a copy of it. */
static gboolean
copy_file (LmImageFile *file, gboolean *out_waited, GError **error)
{
  lm_autofd int fd = open (file->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (fd < 0)
    return lm_throw_errno (error, "cannot open %s", file->path);
  g_autoptr (LmPartial) to = open_scratch (file, "copy", file->identity.size, out_waited, error);
  if (to == NULL)
    return *out_waited;
  if (!lm_fd_read_blocks (fd, append_block, to, file->cancellable, error) || !check_unchanged (file, error))
    return FALSE;
  replace_content (file, g_steal_pointer (&to));
  return TRUE;
}

static gboolean
hash_layer (LmImageFile *file, LmBlob *out_blob, GError **error)
{
  LmChecksum sum;
  if (!hash_content (file, &sum, NULL, error))
    return FALSE;
  memcpy (out_blob->digest.bytes, sum.bytes, sizeof out_blob->digest.bytes);
  out_blob->size = lm_partial_get_size (file->partial);
  return TRUE;
}

gboolean
lm_image_file_make_layer (LmImageFile *file, GPtrArray *changes, LmBlob *out_blob, guint64 *out_virtual_size, gboolean *out_waited,
                          GError **error)
{
  LmForeign foreign;
  if (!unpack_file (file, changes, out_waited, error) || *out_waited)
    return *out_waited;
  if (!lm_foreign_examine (file->path, file->shown, &foreign, file->cancellable, error))
    {
      /* It would be refused again. */
      if (error != NULL && g_error_matches (*error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_REFUSED))
        lm_image_file_discard (file);
      return FALSE;
    }
  *out_virtual_size = foreign.virtual_size;
  if (lm_foreign_needs_conversion (&foreign) && (!convert_file (file, &foreign, changes, out_waited, error) || *out_waited))
    return *out_waited;
  if (file->partial == NULL && (!copy_file (file, out_waited, error) || *out_waited))
    return *out_waited;
  return hash_layer (file, out_blob, error);
}

gboolean
lm_image_file_publish (LmImageFile *file, const LmBlob *blob, gboolean *out_waited, GError **error)
{
  return lm_scratch_publish (file->cache, g_steal_pointer (&file->partial), blob, out_waited, file->cancellable, error);
}

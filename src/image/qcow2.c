/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "image/qcow2.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/content.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* A layer:
 *  - has no feature bit set that lamina does not know, be it incompatible,
 *    compatible or auto-clear. A reader may ignore unknown bits of the last two
 *    kinds, but the QEMU that opens the layer may be newer than lamina and act on
 *    them. Without an unknown bit, unknown header extensions have no effect, so
 *    they are allowed;
 *  - is neither dirty nor corrupt, and has no external data file, encryption,
 *    internal snapshot or bitmap, and no header extension for one of these;
 *  - has exactly its parent's file as backing file, with the format qcow2, or
 *    neither a backing file nor a backing format;
 *  - has tables that do not overlap, lie within the file, and are no larger than
 *    QEMU accepts;
 *  - has a plausible size. */

#define MAGIC 0x514649fbu /* "QFI\xfb" */
#define V2_HEADER_LENGTH 72
#define V3_HEADER_LENGTH 104
#define COMPRESSION_TYPE_AT 104

#define MIN_CLUSTER_BITS 9
#define MAX_CLUSTER_BITS 21 /* "Header": QEMU's limit of 2 MiB */
#define MIN_EXTENDED_CLUSTER_BITS 14
#define MAX_REFCOUNT_ORDER 6
#define MAX_L1_BYTES (32u << 20)      /* "Header", bytes 24-31: QEMU's limit */
#define MAX_REFCOUNT_BYTES (8u << 20) /* "Host cluster management": QEMU's limit */
#define SECTOR 512

#define INCOMPATIBLE_DIRTY (G_GUINT64_CONSTANT (1) << 0)
#define INCOMPATIBLE_CORRUPT (G_GUINT64_CONSTANT (1) << 1)
#define INCOMPATIBLE_DATA_FILE (G_GUINT64_CONSTANT (1) << 2)
#define INCOMPATIBLE_COMPRESSION (G_GUINT64_CONSTANT (1) << 3)
#define INCOMPATIBLE_EXTENDED_L2 (G_GUINT64_CONSTANT (1) << 4)
/* As in QEMU. */
#define MAX_SNAPSHOTS 65536
#define AUTOCLEAR_BITMAPS (G_GUINT64_CONSTANT (1) << 0)
#define COMPATIBLE_LAZY_REFCOUNTS (G_GUINT64_CONSTANT (1) << 0)
#define COMPRESSION_ZSTD 1

#define EXTENSION_END 0u
#define EXTENSION_BACKING_FORMAT 0xe2792acau
#define EXTENSION_BITMAPS 0x23852875u
#define EXTENSION_CRYPTO 0x0537be77u
#define EXTENSION_DATA_FILE 0x44415441u

static gboolean G_GNUC_PRINTF (2, 3)
throw_refused (GError **error, const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  return lm_throw (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_REFUSED, "%s", text);
}

static guint32
read_be32 (const guint8 *p)
{
  return (guint32) p[0] << 24 | (guint32) p[1] << 16 | (guint32) p[2] << 8 | p[3];
}

static guint64
read_be64 (const guint8 *p)
{
  return (guint64) read_be32 (p) << 32 | read_be32 (p + 4);
}

static gboolean
parse_fixed_header (const guint8 *data, gsize size, LmQcow2Header *h, GError **error)
{
  if (size < V2_HEADER_LENGTH || read_be32 (data) != MAGIC)
    {
      g_autofree char *what = lm_content_describe (data, size);
      return throw_refused (error, "not a qcow2 file%s", what);
    }
  h->version = read_be32 (data + 4);
  if (h->version != 2 && h->version != 3)
    return throw_refused (error, "qcow2 version %u is not supported (2 and 3 are)", h->version);
  h->cluster_bits = read_be32 (data + 20);
  if (h->cluster_bits < MIN_CLUSTER_BITS || h->cluster_bits > MAX_CLUSTER_BITS)
    return throw_refused (error, "cluster_bits is %u, not %d to %d", h->cluster_bits, MIN_CLUSTER_BITS,
                          MAX_CLUSTER_BITS);
  h->virtual_size = read_be64 (data + 24);
  h->crypt_method = read_be32 (data + 32);
  h->l1_size = read_be32 (data + 36);
  h->l1_table_offset = read_be64 (data + 40);
  h->refcount_table_offset = read_be64 (data + 48);
  h->refcount_table_clusters = read_be32 (data + 56);
  h->nb_snapshots = read_be32 (data + 60);
  /* "For version 2, the header is exactly 72 bytes in length", refcounts have 16 bits. */
  h->header_length = V2_HEADER_LENGTH;
  h->refcount_order = 4;
  if (h->version == 2)
    return TRUE;

  if (size < V3_HEADER_LENGTH)
    return throw_refused (error, "the file ends within the qcow2 header");
  h->incompatible_features = read_be64 (data + 72);
  h->compatible_features = read_be64 (data + 80);
  h->autoclear_features = read_be64 (data + 88);
  h->refcount_order = read_be32 (data + 96);
  h->header_length = read_be32 (data + 100);
  if (h->header_length < V3_HEADER_LENGTH || h->header_length % 8 != 0)
    return throw_refused (error, "header_length is %u, not a multiple of 8 and at least %d", h->header_length,
                          V3_HEADER_LENGTH);
  return TRUE;
}

/* Copies a string that is not NUL-terminated. One that contains a NUL is refused,
 * because another program would read it differently. */
static gboolean
copy_string (char *to, gsize to_size, const guint8 *from, gsize length, const char *what, GError **error)
{
  if (length >= to_size || memchr (from, '\0', length) != NULL)
    return throw_refused (error, "the %s is too long or contains a NUL byte", what);
  memcpy (to, from, length);
  to[length] = '\0';
  return TRUE;
}

static gboolean
parse_extension (guint32 type, const guint8 *data, gsize length, LmQcow2Header *h, GError **error)
{
  guint bit;
  switch (type)
    {
    case EXTENSION_BACKING_FORMAT:
      bit = LM_QCOW2_HAS_BACKING_FORMAT;
      break;
    case EXTENSION_BITMAPS:
      bit = LM_QCOW2_HAS_BITMAPS;
      break;
    case EXTENSION_CRYPTO:
      bit = LM_QCOW2_HAS_CRYPTO;
      break;
    case EXTENSION_DATA_FILE:
      bit = LM_QCOW2_HAS_DATA_FILE;
      break;
    default:
      return TRUE;
    }
  if ((h->extensions & bit) != 0)
    return throw_refused (error, "header extension 0x%08x occurs twice", type);
  h->extensions |= bit;
  if (type == EXTENSION_BACKING_FORMAT)
    return copy_string (h->backing_format, sizeof h->backing_format, data, length, "backing format", error);
  return TRUE;
}

/* "Header extensions": from the end of the header to the end mark, or to @limit,
 * where the backing file name or the next cluster begins. Without an end mark QEMU
 * would read beyond the @available bytes, so that is refused. */
static gboolean
parse_extensions (const guint8 *data, gsize available, guint64 limit, LmQcow2Header *h, GError **error)
{
  gsize at = h->header_length;
  gsize end = (gsize) MIN (available, limit);
  while (at < limit)
    {
      if (at > end || end - at < 8)
        return throw_refused (error, "the header extensions are truncated");
      guint32 type = read_be32 (data + at);
      guint32 length = read_be32 (data + at + 4);
      at += 8;
      if (type == EXTENSION_END)
        return TRUE;
      if (length > end - at)
        return throw_refused (error, "header extension 0x%08x of %u bytes does not fit", type, length);
      if (!parse_extension (type, data + at, length, h, error))
        return FALSE;
      at += ((gsize) length + 7) & ~(gsize) 7;
    }
  return TRUE;
}

gboolean
lm_qcow2_parse (const guint8 *data, gsize size, guint64 file_size, LmQcow2Header *out_header, GError **error)
{
  LmQcow2Header h = { 0 };
  if (!parse_fixed_header (data, size, &h, error))
    return FALSE;
  guint64 cluster_size = G_GUINT64_CONSTANT (1) << h.cluster_bits;
  /* The whole header lies in the first cluster. */
  guint64 end = MIN (MIN (cluster_size, LM_QCOW2_HEADER_MAX), MIN (file_size, size));
  if (h.header_length > end)
    return throw_refused (error, "header_length is %u, beyond the first cluster or the end of the file",
                          h.header_length);
  if (h.header_length > COMPRESSION_TYPE_AT)
    h.compression_type = data[COMPRESSION_TYPE_AT];

  guint64 name_at = read_be64 (data + 8);
  guint32 name_length = read_be32 (data + 16);
  if (name_at != 0)
    {
      if (name_at < h.header_length || name_at > end || name_length > end - name_at)
        return throw_refused (error,
                              "the backing file name (%u bytes at %" G_GUINT64_FORMAT ") is not in the first cluster",
                              name_length, name_at);
      if (name_length == 0)
        return throw_refused (error, "the backing file name is empty");
      if (!copy_string (h.backing_name, sizeof h.backing_name, data + name_at, name_length, "backing file name",
                        error))
        return FALSE;
    }
  if (!parse_extensions (data, (gsize) end, name_at != 0 ? name_at : cluster_size, &h, error))
    return FALSE;
  *out_header = h;
  return TRUE;
}

gboolean
lm_qcow2_has_extended_l2 (const LmQcow2Header *header)
{
  return (header->incompatible_features & INCOMPATIBLE_EXTENDED_L2) != 0;
}

gboolean
lm_qcow2_has_data_file (const LmQcow2Header *header)
{
  return (header->incompatible_features & INCOMPATIBLE_DATA_FILE) != 0 || (header->extensions & LM_QCOW2_HAS_DATA_FILE) != 0;
}

/* If @foreign is set, what a conversion drops is tolerated. */
static gboolean
check_features (const LmQcow2Header *h, gboolean foreign, GError **error)
{
  static const guint64 known = INCOMPATIBLE_COMPRESSION | INCOMPATIBLE_EXTENDED_L2;
  if (lm_qcow2_has_data_file (h))
    return throw_refused (error, "it has an external data file");
  if ((h->incompatible_features & (INCOMPATIBLE_DIRTY | INCOMPATIBLE_CORRUPT)) != 0)
    return throw_refused (error, "it is marked as dirty or corrupt");
  if ((h->incompatible_features & ~known) != 0)
    return throw_refused (error, "it has unknown incompatible features 0x%" G_GINT64_MODIFIER "x",
                          h->incompatible_features & ~known);
  if (h->crypt_method != 0 || (h->extensions & LM_QCOW2_HAS_CRYPTO) != 0)
    return throw_refused (error, "it is encrypted");
  if (h->nb_snapshots > (foreign ? MAX_SNAPSHOTS : 0))
    return throw_refused (error, foreign ? "it has too many internal snapshots" : "it has internal snapshots");
  guint64 bitmaps = foreign ? AUTOCLEAR_BITMAPS : 0;
  if ((h->autoclear_features & ~bitmaps) != 0 || ((h->extensions & LM_QCOW2_HAS_BITMAPS) != 0 && !foreign))
    return throw_refused (error, "it has bitmaps or unknown auto-clear features 0x%" G_GINT64_MODIFIER "x",
                          h->autoclear_features);
  if ((h->compatible_features & ~COMPATIBLE_LAZY_REFCOUNTS) != 0)
    return throw_refused (error, "it has unknown compatible features 0x%" G_GINT64_MODIFIER "x",
                          h->compatible_features);
  gboolean compression = (h->incompatible_features & INCOMPATIBLE_COMPRESSION) != 0;
  if (h->compression_type != (compression ? COMPRESSION_ZSTD : 0))
    return throw_refused (error, "its compression type is %u, which its features do not allow", h->compression_type);
  if (lm_qcow2_has_extended_l2 (h) && h->cluster_bits < MIN_EXTENDED_CLUSTER_BITS)
    return throw_refused (error, "its clusters are too small for extended L2 entries");
  return TRUE;
}

/* A table must begin at a cluster after the header and lie within the file; its
 * last cluster may be truncated by the end of the file. */
static gboolean
check_table (const char *what, guint64 offset, guint64 bytes, guint64 cluster_size, guint64 file_size, GError **error)
{
  if (offset == 0 || offset % cluster_size != 0 || offset > file_size || bytes > file_size - offset)
    return throw_refused (error,
                          "its %s (%" G_GUINT64_FORMAT " bytes at %" G_GUINT64_FORMAT ") is not inside the file", what,
                          bytes, offset);
  return TRUE;
}

static gboolean
check_tables (const LmQcow2Header *h, guint64 file_size, GError **error)
{
  guint64 cluster_size = G_GUINT64_CONSTANT (1) << h->cluster_bits;
  guint64 l1_bytes = (guint64) h->l1_size * 8;
  guint64 refcount_bytes = (guint64) h->refcount_table_clusters * cluster_size;
  if (l1_bytes > MAX_L1_BYTES)
    return throw_refused (error, "its L1 table of %u entries is too large", h->l1_size);
  if (h->refcount_table_clusters == 0 || refcount_bytes > MAX_REFCOUNT_BYTES || h->refcount_order > MAX_REFCOUNT_ORDER)
    return throw_refused (error, "its refcount table of %u clusters, order %u, is not valid",
                          h->refcount_table_clusters, h->refcount_order);
  if (!check_table ("L1 table", h->l1_table_offset, l1_bytes, cluster_size, file_size, error)
      || !check_table ("refcount table", h->refcount_table_offset, refcount_bytes, cluster_size, file_size, error))
    return FALSE;
  if (h->l1_table_offset < h->refcount_table_offset + refcount_bytes
      && h->refcount_table_offset < h->l1_table_offset + l1_bytes)
    return throw_refused (error, "its L1 and refcount tables overlap");

  /* "Cluster mapping": an L1 entry refers to an L2 table of one cluster. */
  guint64 entries = cluster_size / (lm_qcow2_has_extended_l2 (h) ? 16 : 8);
  guint64 covered = cluster_size * entries;
  guint64 needed = h->virtual_size / covered + (h->virtual_size % covered != 0);
  if (h->l1_size < needed)
    return throw_refused (error, "its L1 table of %u entries is too small for its virtual size", h->l1_size);
  return TRUE;
}

static gboolean
check_backing (const LmQcow2Header *h, const LmDigest *parent, GError **error)
{
  g_autofree char *shown = g_strescape (h->backing_name, NULL);
  if (parent == NULL)
    {
      if (*h->backing_name != '\0')
        return throw_refused (error, "it is declared as a base but has the backing file \"%.200s\"", shown);
      if ((h->extensions & LM_QCOW2_HAS_BACKING_FORMAT) != 0)
        return throw_refused (error, "it has a backing format but no backing file");
      return TRUE;
    }
  g_autofree char *wanted = lm_digest_file_name (parent, ".qcow2");
  if (strcmp (h->backing_name, wanted) != 0)
    return throw_refused (error, "its backing file is \"%.200s\", not its declared parent's %s", shown, wanted);
  if (strcmp (h->backing_format, "qcow2") != 0)
    {
      g_autofree char *format = g_strescape (h->backing_format, NULL);
      return throw_refused (error, "its backing format is \"%s\", not qcow2", format);
    }
  return TRUE;
}

static gboolean
check_image (const LmQcow2Header *header, guint64 file_size, const LmDigest *parent, gboolean foreign, GError **error)
{
  if (header->virtual_size == 0 || header->virtual_size % SECTOR != 0
      || header->virtual_size > LM_QCOW2_VIRTUAL_SIZE_MAX)
    return throw_refused (error, "its virtual size of %" G_GUINT64_FORMAT " bytes is not a multiple of %d up to 64 TiB",
                          header->virtual_size, SECTOR);
  return check_features (header, foreign, error) && check_tables (header, file_size, error)
         && check_backing (header, parent, error);
}

gboolean
lm_qcow2_check_layer (const LmQcow2Header *header, guint64 file_size, const LmDigest *parent, GError **error)
{
  return check_image (header, file_size, parent, FALSE, error);
}

gboolean
lm_qcow2_check_foreign (const LmQcow2Header *header, guint64 file_size, GError **error)
{
  return check_image (header, file_size, NULL, TRUE, error);
}

gboolean
lm_qcow2_has_extras (const LmQcow2Header *header)
{
  return header->nb_snapshots != 0 || header->autoclear_features != 0 || (header->extensions & LM_QCOW2_HAS_BITMAPS) != 0;
}

/* qemu-img writes less than this. */
#define USUAL_SIZE 4096

static gboolean
read_header (const char *path, gboolean may_be_device, LmQcow2Header *out_header, guint64 *out_file_size, GError **error)
{
  /* O_NONBLOCK, because opening a FIFO must not wait. */
  lm_autofd int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NOCTTY | O_NONBLOCK);
  struct stat st;
  guint64 file_size;
  if (fd < 0 || fstat (fd, &st) < 0)
    return lm_throw_errno (error, "cannot open %s", path);
  if (!S_ISREG (st.st_mode) && !(may_be_device && S_ISBLK (st.st_mode)))
    return throw_refused (error, may_be_device ? "not a regular file or block device" : "not a regular file");
  if (!lm_fd_get_size (fd, &file_size, error))
    return FALSE;
  if (out_file_size != NULL)
    *out_file_size = file_size;
  /* If all of the header is in the first bytes, as almost always, the rest makes no difference. */
  guint8 first[USUAL_SIZE];
  gsize size, rest;
  if (!lm_fd_read_full (fd, first, sizeof first, &size, error))
    return FALSE;
  if (lm_qcow2_parse (first, size, file_size, out_header, NULL))
    return TRUE;
  g_autofree guint8 *data = g_malloc (LM_QCOW2_HEADER_MAX);
  memcpy (data, first, size);
  return lm_fd_read_full (fd, data + size, LM_QCOW2_HEADER_MAX - size, &rest, error)
         && lm_qcow2_parse (data, size + rest, file_size, out_header, error);
}

gboolean
lm_qcow2_read_content (const char *path, LmQcow2Header *out_header, guint64 *out_file_size, GError **error)
{
  return read_header (path, FALSE, out_header, out_file_size, error);
}

/* Puts @path before what @failure says about the content. */
static gboolean
throw_with_path (const char *path, GError *failure, GError **error)
{
  if (failure->domain == LM_IMAGE_ERROR)
    g_prefix_error (&failure, "%s: ", path);
  g_propagate_error (error, failure);
  return FALSE;
}

gboolean
lm_qcow2_read (const char *path, LmQcow2Header *out_header, guint64 *out_file_size, GError **error)
{
  GError *failure = NULL;
  return read_header (path, FALSE, out_header, out_file_size, &failure) || throw_with_path (path, failure, error);
}

gboolean
lm_qcow2_read_disk (const char *path, LmQcow2Header *out_header, GError **error)
{
  GError *failure = NULL;
  return read_header (path, TRUE, out_header, NULL, &failure) || throw_with_path (path, failure, error);
}

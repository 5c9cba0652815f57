/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Parses the header of a qcow2 file and decides whether the file may be a layer.
 * Pure functions over bytes: no process, no other file. Of the tables after the
 * header only their position is considered. The format is defined by QEMU's
 * docs/interop/qcow2.txt; comments give section names of that text. */
#include "base/digest.h"
#include "image/error.h"
#include <gio/gio.h>

/* How much of a file is read. The header, its extensions and the name of the
 * backing file must lie within it; qemu-img needs less than 2 KiB. */
#define LM_QCOW2_HEADER_MAX (64 * 1024)
/* The maximum length of the backing file name ("Header", bytes 16-19). */
#define LM_QCOW2_NAME_MAX 1023
#define LM_QCOW2_FORMAT_MAX 15
/* The maximum virtual size of a layer. */
#define LM_QCOW2_VIRTUAL_SIZE_MAX (G_GUINT64_CONSTANT (64) << 40)

/* Header extensions that matter here ("Header extensions"). */
typedef enum
{
  LM_QCOW2_HAS_BACKING_FORMAT = 1 << 0,
  LM_QCOW2_HAS_BITMAPS = 1 << 1,
  LM_QCOW2_HAS_CRYPTO = 1 << 2,
  LM_QCOW2_HAS_DATA_FILE = 1 << 3,
} LmQcow2Extensions;

/* Field names as in section "Header". */
typedef struct
{
  guint32 version;
  guint32 cluster_bits;
  guint64 virtual_size; /* in bytes; called "size" there */
  guint32 crypt_method;
  guint32 l1_size; /* number of entries of 8 bytes */
  guint64 l1_table_offset;
  guint64 refcount_table_offset;
  guint32 refcount_table_clusters;
  guint32 nb_snapshots;
  guint64 incompatible_features;
  guint64 compatible_features;
  guint64 autoclear_features;
  guint32 refcount_order;
  guint32 header_length;
  guint8 compression_type;
  guint extensions;                                /* LmQcow2Extensions */
  char backing_name[LM_QCOW2_NAME_MAX + 1];        /* "" if none */
  char backing_format[LM_QCOW2_FORMAT_MAX + 1];    /* "" if not given */
} LmQcow2Header;

/** lm_qcow2_parse: parses the header of a file of @file_size bytes that begins with
 * the @size bytes at @data. The first LM_QCOW2_HEADER_MAX bytes, or all of a
 * smaller file, are sufficient. Success means that the header is well-formed, not
 * that it is harmless. Error: LM_IMAGE_ERROR_REFUSED. */
gboolean lm_qcow2_parse (const guint8 *data, gsize size, guint64 file_size, LmQcow2Header *out_header,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_qcow2_check_layer: whether a file of @file_size bytes with @header may be a
 * layer with exactly the parent @parent (NULL for a base). qcow2.c lists the
 * conditions. Error: LM_IMAGE_ERROR_REFUSED. */
gboolean lm_qcow2_check_layer (const LmQcow2Header *header, guint64 file_size, const LmDigest *parent,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_qcow2_check_foreign: likewise whether an image of others is harmless enough for qemu-img
 * to read it, and is a whole disk; it may have internal snapshots and bitmaps. Error:
 * LM_IMAGE_ERROR_REFUSED. */
gboolean lm_qcow2_check_foreign (const LmQcow2Header *header, guint64 file_size, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_qcow2_has_extras: whether the image has internal snapshots or bitmaps, which a layer must not have. */
gboolean lm_qcow2_has_extras (const LmQcow2Header *header);

/** lm_qcow2_has_extended_l2: whether the image has extended L2 entries (subclusters). */
gboolean lm_qcow2_has_extended_l2 (const LmQcow2Header *header);

/** lm_qcow2_has_data_file: whether the data of the image is in another file. */
gboolean lm_qcow2_has_data_file (const LmQcow2Header *header);

/** lm_qcow2_read: does lm_qcow2_parse() for the regular file @path; a symbolic link
 * is not followed. @out_file_size (in bytes) may be NULL. Messages about its
 * content begin with @path. Errors: LM_IMAGE_ERROR_REFUSED, G_IO_ERROR. */
gboolean lm_qcow2_read (const char *path, LmQcow2Header *out_header, guint64 *out_file_size,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_qcow2_read_disk: like lm_qcow2_read(), but @path may also be a block device, as the
 * disk of a domain may; what may be a layer is never on one. */
gboolean lm_qcow2_read_disk (const char *path, LmQcow2Header *out_header, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_qcow2_read_content: like lm_qcow2_read(), but messages about its content do not begin with @path. */
gboolean lm_qcow2_read_content (const char *path, LmQcow2Header *out_header, guint64 *out_file_size,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What a qcow2 header says, and whether a file that says it may be a layer.
 * Pure functions over bytes: no process, no other file. They know nothing of
 * the tables behind the header beyond where those lie. The format is QEMU's
 * docs/interop/qcow2.txt; section names in comments are of that text. */
#include "base/digest.h"
#include "image/error.h"
#include <gio/gio.h>

/* As much of a file as is looked at: the header, its extensions and the
 * backing file's name must lie in it. qemu-img needs under 2 KiB. */
#define LM_QCOW2_HEADER_MAX (64 * 1024)
/* The longest backing file name ("Header", bytes 16-19). */
#define LM_QCOW2_NAME_MAX 1023
#define LM_QCOW2_FORMAT_MAX 15
/* Larger disks are refused as layers. */
#define LM_QCOW2_VIRTUAL_SIZE_MAX (G_GUINT64_CONSTANT (64) << 40)

/* Header extensions of note ("Header extensions"). */
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
  guint64 virtual_size; /* bytes; "size" there */
  guint32 crypt_method;
  guint32 l1_size; /* entries of 8 bytes */
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
  char backing_name[LM_QCOW2_NAME_MAX + 1];        /* "": none */
  char backing_format[LM_QCOW2_FORMAT_MAX + 1];    /* "": not said */
} LmQcow2Header;

/** lm_qcow2_parse: reads the header of a file of @file_size bytes that begins
 * with the @size bytes at @data; the first LM_QCOW2_HEADER_MAX bytes, or all
 * of a smaller file, are enough. It says that the header is well-formed, not
 * that it is harmless. Error: LM_IMAGE_ERROR_REFUSED. */
gboolean lm_qcow2_parse (const guint8 *data, gsize size, guint64 file_size, LmQcow2Header *out_header,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_qcow2_check_layer: whether @header may be the header of a layer in a
 * file of @file_size bytes whose parent is exactly @parent (NULL: a base).
 * What it demands is listed in qcow2.c. Error: LM_IMAGE_ERROR_REFUSED. */
gboolean lm_qcow2_check_layer (const LmQcow2Header *header, guint64 file_size, const LmDigest *parent,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_qcow2_has_extended_l2: whether clusters have subclusters. */
gboolean lm_qcow2_has_extended_l2 (const LmQcow2Header *header);

/** lm_qcow2_read: lm_qcow2_parse() of the regular file @path, which is not
 * followed if it is a symbolic link. @out_file_size (bytes) may be NULL.
 * Errors: LM_IMAGE_ERROR_REFUSED, G_IO_ERROR. */
gboolean lm_qcow2_read (const char *path, LmQcow2Header *out_header, guint64 *out_file_size,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

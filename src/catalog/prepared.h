/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The block of bytes that a catalog is: a header, then sections of fixed-size
 * records and one of strings, each 8-aligned, in the machine's own byte
 * order. Records refer to strings by offset and to each other by number, so a
 * block is usable wherever it is mapped, and nothing is decoded before it is
 * asked for. For src/model/catalog*.c only. */
#include "base/digest.h"

#define LM_PREPARED_NONE G_MAXUINT32

typedef enum
{
  LM_PREPARED_STRINGS, /* bytes; NUL-terminated each, offset 0 means none */
  LM_PREPARED_LISTS,   /* guint32: offsets of strings */
  LM_PREPARED_GROUPS,
  LM_PREPARED_LAYERS,
  LM_PREPARED_BUILDS,
  LM_PREPARED_BLOBS,
  LM_PREPARED_PROVIDES,
  /* Hash tables of guint32: number of a record + 1, 0 for empty; their length
   * is a power of two, collisions go to the next slot. */
  LM_PREPARED_NAME_SLOTS,    /* first layer of a name */
  LM_PREPARED_PROVIDE_SLOTS, /* first provide of a name */
  LM_PREPARED_BUILD_SLOTS,   /* build of a digest */
  LM_PREPARED_N_SECTIONS
} LmPreparedSection;

typedef struct
{
  guint32 first, n;
} LmPreparedSpan;

typedef struct
{
  guint32 name, title, required, multiple;
} LmPreparedGroup;

typedef struct
{
  guint32 name, version, group, summary, osinfo, arch, ready, cmdline;
  LmPreparedSpan provides, requires, conflicts; /* lists */
  LmPreparedSpan builds;
  guint32 kernel, initrd; /* blobs, or LM_PREPARED_NONE */
  guint32 next;           /* a later layer of the same name, or LM_PREPARED_NONE */
  guint32 unused;
  guint64 memory, disk;
} LmPreparedLayer;

typedef struct
{
  LmDigest digest, parent;
  guint64 size;
  LmPreparedSpan urls; /* lists; each absolute, or to be put after the base's directory */
  guint32 layer;
  guint32 has_parent;
} LmPreparedBuild;

typedef struct
{
  LmDigest digest;
  guint64 size;
  LmPreparedSpan urls;
} LmPreparedBlob;

typedef struct
{
  guint32 name;
  guint32 layer;
  guint32 next; /* a later provide of the same name, or LM_PREPARED_NONE */
  guint32 unused;
} LmPreparedProvide;

typedef struct
{
  char magic[8];
  guint32 byte_order;
  guint32 format;
  guint64 size;    /* of the whole block */
  LmDigest digest; /* of all that follows it; zero until written out */
  guint32 base_url; /* strings */
  guint32 unused;
  guint64 stamp; /* offset in the block of a NUL-terminated text; 0: none */
  struct
  {
    guint64 offset; /* in the block */
    guint64 count;  /* of records */
  } sections[LM_PREPARED_N_SECTIONS];
} LmPreparedHeader;

#define LM_PREPARED_MAGIC "lmcat\r\n\032"
#define LM_PREPARED_BYTE_ORDER 0x01020304u
/* To be raised whenever anything in this file changes. */
#define LM_PREPARED_FORMAT 2u

/* A block, opened. Points into the block. */
typedef struct
{
  const LmPreparedHeader *header;
  const char *strings;
  const guint32 *lists;
  const LmPreparedGroup *groups;
  const LmPreparedLayer *layers;
  const LmPreparedBuild *builds;
  const LmPreparedBlob *blobs;
  const LmPreparedProvide *provides;
  const guint32 *name_slots, *provide_slots, *build_slots;
  guint32 count[LM_PREPARED_N_SECTIONS];
} LmPrepared;

/** lm_prepared_record_size: bytes of one record of @section. */
gsize lm_prepared_record_size (LmPreparedSection section);

/** lm_prepared_open: finds the sections of a block that this process made. */
void lm_prepared_open (const guint8 *data, LmPrepared *out);

/** lm_prepared_check: whether the 8-aligned block of @size bytes is whole and
 * no reference in it leads astray; then opens it. FALSE: *out_why (static)
 * says what is wrong. */
gboolean lm_prepared_check (const guint8 *data, gsize size, LmPrepared *out, const char **out_why);

/** lm_prepared_seal: a copy of the block with @stamp and its digest set. */
GBytes *lm_prepared_seal (const guint8 *data, gsize size, const char *stamp);

/** lm_prepared_stamp: the stamp it was sealed with; "" for none. */
const char *lm_prepared_stamp (const LmPrepared *prepared);

/** lm_prepared_string: the string at @offset, NULL for offset 0. */
static inline const char *
lm_prepared_string (const LmPrepared *prepared, guint32 offset)
{
  return offset ? prepared->strings + offset : NULL;
}

/** lm_prepared_hash: where in a hash table a text is looked for first (FNV-1a). */
guint32 lm_prepared_hash (const char *text);

/* The first layer called @name, provide of @name, or build with @digest; LM_PREPARED_NONE. */
guint32 lm_prepared_find_layer (const LmPrepared *prepared, const char *name);
guint32 lm_prepared_find_provide (const LmPrepared *prepared, const char *name);
guint32 lm_prepared_find_build (const LmPrepared *prepared, const LmDigest *digest);

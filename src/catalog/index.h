/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The index of a catalog, one block of bytes: a header, then sections of fixed-size
 * records and one of strings, each 8-aligned, in the byte order of the host.
 * Records refer to strings by offset and to each other by number, so the block can
 * be anywhere in memory, and nothing is decoded until it is needed. For
 * src/catalog/catalog*.c only. */
#include "base/digest.h"

#define LM_INDEX_NONE G_MAXUINT32

typedef enum
{
  LM_INDEX_STRINGS, /* bytes, each string NUL-terminated; offset 0 means no string */
  LM_INDEX_LISTS,   /* guint32: offsets of strings */
  LM_INDEX_GROUPS,
  LM_INDEX_LAYERS,
  LM_INDEX_BUILDS,
  LM_INDEX_CONTENTS,
  LM_INDEX_BLOBS,
  LM_INDEX_PROVIDES,
  /* Hash tables of guint32: the number of a record + 1, or 0 for an empty slot. The
   * length is a power of two; on a collision the next slot is used. */
  LM_INDEX_NAME_SLOTS,    /* first layer of a name */
  LM_INDEX_PROVIDE_SLOTS, /* first provide of a name */
  LM_INDEX_BUILD_SLOTS,   /* build of a digest */
  LM_INDEX_N_SECTIONS
} LmIndexSection;

typedef struct
{
  guint32 first, n;
} LmIndexSpan;

typedef struct
{
  guint32 name, title, required, multiple;
} LmIndexGroup;

typedef struct
{
  guint32 name, version, group, summary, osinfo, arch, ready, cmdline;
  LmIndexSpan provides, requires, conflicts; /* lists */
  LmIndexSpan builds;
  guint32 kernel, initrd; /* blobs, or LM_INDEX_NONE */
  guint32 next;           /* a later layer of the same name, or LM_INDEX_NONE */
  guint32 origin;
  guint64 memory, disk;
} LmIndexLayer;

typedef struct
{
  LmDigest digest, parent;
  guint64 size;
  LmIndexSpan urls; /* lists; each absolute, or to be appended to the directories of requested_url and base_url */
  guint32 layer;
  guint32 has_parent : 1;
  guint32 contents : 31; /* number of the record + 1; 0 for none */
} LmIndexBuild;

/* What few builds have, so that it does not make the others larger. */
typedef struct
{
  LmDigest lock;
  LmIndexSpan packages, removed; /* lists */
  guint32 has_packages, has_lock;
} LmIndexContents;

typedef struct
{
  LmDigest digest;
  guint64 size;
  LmIndexSpan urls;
} LmIndexBlob;

typedef struct
{
  guint32 name;
  guint32 layer;
  guint32 next; /* a later provide of the same name, or LM_INDEX_NONE */
  guint32 unused;
} LmIndexProvide;

typedef struct
{
  char magic[8];
  guint32 byte_order;
  guint32 format;
  guint64 size;    /* of the whole block */
  LmDigest digest; /* of everything after this field; zero until serialized */
  guint32 base_url;      /* string offset */
  guint32 requested_url; /* string offset; 0 if it is base_url */
  guint32 name;          /* string offset; 0 if it has none */
  guint32 unused;
  guint64 stamp; /* offset in the block of a NUL-terminated text; 0 for none */
  struct
  {
    guint64 offset; /* in the block */
    guint64 count;  /* of records */
  } sections[LM_INDEX_N_SECTIONS];
} LmIndexHeader;

#define LM_INDEX_MAGIC "lmcat\r\n\032"
#define LM_INDEX_BYTE_ORDER 0x01020304u
/* Increment this whenever anything in this file changes. */
#define LM_INDEX_FORMAT 6u

/* An open index; points into the block. */
typedef struct
{
  const LmIndexHeader *header;
  const char *strings;
  const guint32 *lists;
  const LmIndexGroup *groups;
  const LmIndexLayer *layers;
  const LmIndexBuild *builds;
  const LmIndexContents *contents;
  const LmIndexBlob *blobs;
  const LmIndexProvide *provides;
  const guint32 *name_slots, *provide_slots, *build_slots;
  guint32 count[LM_INDEX_N_SECTIONS];
} LmIndex;

/** lm_index_record_size: returns the size of one record of @section in bytes. */
gsize lm_index_record_size (LmIndexSection section);

/** lm_index_open: finds the sections of a block that this process created. */
void lm_index_open (const guint8 *data, LmIndex *out);

/** lm_index_check: checks that the 8-aligned block of @size bytes is complete and
 * that every reference in it is within bounds, then opens it. On FALSE *out_why
 * (static) says what is wrong. */
gboolean lm_index_check (const guint8 *data, gsize size, LmIndex *out, const char **out_why);

/** lm_index_serialize: returns a copy of the block with @stamp and the digest filled in. */
GBytes *lm_index_serialize (const guint8 *data, gsize size, const char *stamp);

/** lm_index_stamp: returns the stamp with which the index was serialized; "" if there is none. */
const char *lm_index_stamp (const LmIndex *index);

/** lm_index_string: returns the string at @offset; NULL for offset 0. */
static inline const char *
lm_index_string (const LmIndex *index, guint32 offset)
{
  return offset ? index->strings + offset : NULL;
}

/** lm_index_hash: returns the hash of @text (FNV-1a), which selects its first slot in a hash table. */
guint32 lm_index_hash (const char *text);

/* Return the number of the first layer called @name, the first provide of @name, or
 * the build with @digest; LM_INDEX_NONE if there is none. */
guint32 lm_index_find_layer (const LmIndex *index, const char *name);
guint32 lm_index_find_provide (const LmIndex *index, const char *name);
guint32 lm_index_find_build (const LmIndex *index, const LmDigest *digest);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "catalog/index.h"
#include "base/hasher.h"

#include <string.h>

/* The structs have no padding, so a block contains no uninitialized bytes. */
G_STATIC_ASSERT (sizeof (LmIndexLayer) == 8 * 4 + 4 * 8 + 4 * 4 + 2 * 8);
G_STATIC_ASSERT (sizeof (LmIndexBuild) == 64 + 8 + 8 + 8);
G_STATIC_ASSERT (sizeof (LmIndexContents) == 32 + 2 * 8 + 2 * 4);
G_STATIC_ASSERT (sizeof (LmIndexBlob) == 32 + 8 + 8);
G_STATIC_ASSERT (sizeof (LmIndexHeader) == 8 + 8 + 8 + 32 + 8 + 8 + 8 + 16 * LM_INDEX_N_SECTIONS);

gsize
lm_index_record_size (LmIndexSection section)
{
  static const gsize sizes[LM_INDEX_N_SECTIONS] = {
    [LM_INDEX_STRINGS] = 1,
    [LM_INDEX_LISTS] = sizeof (guint32),
    [LM_INDEX_GROUPS] = sizeof (LmIndexGroup),
    [LM_INDEX_LAYERS] = sizeof (LmIndexLayer),
    [LM_INDEX_BUILDS] = sizeof (LmIndexBuild),
    [LM_INDEX_CONTENTS] = sizeof (LmIndexContents),
    [LM_INDEX_BLOBS] = sizeof (LmIndexBlob),
    [LM_INDEX_PROVIDES] = sizeof (LmIndexProvide),
    [LM_INDEX_NAME_SLOTS] = sizeof (guint32),
    [LM_INDEX_PROVIDE_SLOTS] = sizeof (guint32),
    [LM_INDEX_BUILD_SLOTS] = sizeof (guint32),
  };
  return sizes[section];
}

void
lm_index_open (const guint8 *data, LmIndex *out)
{
  const LmIndexHeader *header = (const void *) data;
  gconstpointer start[LM_INDEX_N_SECTIONS];
  for (guint i = 0; i < LM_INDEX_N_SECTIONS; i++)
    {
      start[i] = data + header->sections[i].offset;
      out->count[i] = (guint32) header->sections[i].count;
    }
  out->header = header;
  out->strings = start[LM_INDEX_STRINGS];
  out->lists = start[LM_INDEX_LISTS];
  out->groups = start[LM_INDEX_GROUPS];
  out->layers = start[LM_INDEX_LAYERS];
  out->builds = start[LM_INDEX_BUILDS];
  out->contents = start[LM_INDEX_CONTENTS];
  out->blobs = start[LM_INDEX_BLOBS];
  out->provides = start[LM_INDEX_PROVIDES];
  out->name_slots = start[LM_INDEX_NAME_SLOTS];
  out->provide_slots = start[LM_INDEX_PROVIDE_SLOTS];
  out->build_slots = start[LM_INDEX_BUILD_SLOTS];
}

static void
digest_block (const guint8 *data, gsize size, LmDigest *out)
{
  g_autoptr (LmHasher) hasher = lm_hasher_new ();
  gsize skip = G_STRUCT_OFFSET (LmIndexHeader, digest) + sizeof (LmDigest);
  lm_hasher_update (hasher, data + skip, size - skip);
  lm_hasher_peek (hasher, out);
}

static gboolean
check_header (const guint8 *data, gsize size, const char **out_why)
{
  const LmIndexHeader *h = (const void *) data;
  LmDigest digest;
  if (size < sizeof *h || memcmp (h->magic, LM_INDEX_MAGIC, sizeof h->magic) != 0)
    return *out_why = "it is not a catalog index", FALSE;
  if (h->byte_order != LM_INDEX_BYTE_ORDER || h->format != LM_INDEX_FORMAT)
    return *out_why = "it was made by another version of lamina", FALSE;
  if (h->size != size)
    return *out_why = "it is truncated", FALSE;
  digest_block (data, size, &digest);
  if (!lm_digest_equal (&digest, &h->digest))
    return *out_why = "its digest is wrong", FALSE;
  if (h->stamp != 0 && (h->stamp < sizeof *h || h->stamp >= size || data[size - 1] != '\0'))
    return *out_why = "its stamp is out of bounds", FALSE;
  return TRUE;
}

static gboolean
check_sections (const guint8 *data, gsize size)
{
  const LmIndexHeader *h = (const void *) data;
  for (guint i = 0; i < LM_INDEX_N_SECTIONS; i++)
    {
      guint64 offset = h->sections[i].offset, count = h->sections[i].count;
      if (offset < sizeof *h || offset > size || offset % 8 != 0 || count >= LM_INDEX_NONE
          || count > (size - offset) / lm_index_record_size (i))
        return FALSE;
      gboolean slots = i == LM_INDEX_NAME_SLOTS || i == LM_INDEX_PROVIDE_SLOTS || i == LM_INDEX_BUILD_SLOTS;
      if (slots && (count == 0 || (count & (count - 1)) != 0))
        return FALSE;
    }
  guint64 strings = h->sections[LM_INDEX_STRINGS].count;
  return strings > 0 && data[h->sections[LM_INDEX_STRINGS].offset + strings - 1] == '\0';
}

static gboolean
is_in_bounds (const LmIndex *p, LmIndexSection section, guint32 number)
{
  return number < p->count[section];
}

static gboolean
is_span_in_bounds (const LmIndex *p, LmIndexSection section, LmIndexSpan span)
{
  return span.first <= p->count[section] && span.n <= p->count[section] - span.first;
}

/* Whether @offset is that of a string; 0 is not allowed. */
static gboolean
is_string_offset (const LmIndex *p, guint32 offset)
{
  return offset != 0 && is_in_bounds (p, LM_INDEX_STRINGS, offset);
}

static gboolean
owns_its_builds (const LmIndex *p, guint32 i)
{
  LmIndexSpan span = p->layers[i].builds;
  if (!is_span_in_bounds (p, LM_INDEX_BUILDS, span))
    return FALSE;
  for (guint32 b = span.first; b < span.first + span.n; b++)
    if (p->builds[b].layer != i)
      return FALSE;
  return TRUE;
}

static gboolean
check_index_layer (const LmIndex *p, guint32 i)
{
  const LmIndexLayer *l = &p->layers[i];
  return is_string_offset (p, l->name) && is_string_offset (p, l->version) && is_string_offset (p, l->group)
         && is_in_bounds (p, LM_INDEX_STRINGS, l->summary) && is_in_bounds (p, LM_INDEX_STRINGS, l->osinfo)
         && is_in_bounds (p, LM_INDEX_STRINGS, l->arch) && is_in_bounds (p, LM_INDEX_STRINGS, l->ready)
         && is_in_bounds (p, LM_INDEX_STRINGS, l->cmdline) && is_in_bounds (p, LM_INDEX_STRINGS, l->origin)
         && is_span_in_bounds (p, LM_INDEX_LISTS, l->provides)
         && is_span_in_bounds (p, LM_INDEX_LISTS, l->requires) && is_span_in_bounds (p, LM_INDEX_LISTS, l->conflicts)
         && owns_its_builds (p, i)
         && (l->kernel == LM_INDEX_NONE || is_in_bounds (p, LM_INDEX_BLOBS, l->kernel))
         && (l->initrd == LM_INDEX_NONE || is_in_bounds (p, LM_INDEX_BLOBS, l->initrd))
         /* only later layers, so that following "next" always ends */
         && (l->next == LM_INDEX_NONE || (l->next > i && is_in_bounds (p, LM_INDEX_LAYERS, l->next)));
}

static gboolean
check_records (const LmIndex *p)
{
  gboolean good = is_string_offset (p, p->header->base_url)
                  && is_in_bounds (p, LM_INDEX_STRINGS, p->header->requested_url)
                  && is_in_bounds (p, LM_INDEX_STRINGS, p->header->name);
  for (guint32 i = 0; good && i < p->count[LM_INDEX_LISTS]; i++)
    good = is_string_offset (p, p->lists[i]);
  for (guint32 i = 0; good && i < p->count[LM_INDEX_GROUPS]; i++)
    good = is_string_offset (p, p->groups[i].name) && is_in_bounds (p, LM_INDEX_STRINGS, p->groups[i].title);
  guint64 owned = 0;
  for (guint32 i = 0; good && i < p->count[LM_INDEX_LAYERS]; i++)
    {
      good = check_index_layer (p, i);
      owned += p->layers[i].builds.n;
    }
  /* no two layers own the same build, so if the numbers agree each build has an owner */
  good = good && owned == p->count[LM_INDEX_BUILDS];
  for (guint32 i = 0; good && i < p->count[LM_INDEX_BUILDS]; i++)
    good = is_span_in_bounds (p, LM_INDEX_LISTS, p->builds[i].urls) && p->builds[i].contents <= p->count[LM_INDEX_CONTENTS];
  for (guint32 i = 0; good && i < p->count[LM_INDEX_CONTENTS]; i++)
    good = is_span_in_bounds (p, LM_INDEX_LISTS, p->contents[i].packages)
           && is_span_in_bounds (p, LM_INDEX_LISTS, p->contents[i].removed);
  for (guint32 i = 0; good && i < p->count[LM_INDEX_BLOBS]; i++)
    good = is_span_in_bounds (p, LM_INDEX_LISTS, p->blobs[i].urls);
  for (guint32 i = 0; good && i < p->count[LM_INDEX_PROVIDES]; i++)
    {
      const LmIndexProvide *r = &p->provides[i];
      good = is_string_offset (p, r->name) && is_in_bounds (p, LM_INDEX_LAYERS, r->layer)
             && (r->next == LM_INDEX_NONE || (r->next > i && is_in_bounds (p, LM_INDEX_PROVIDES, r->next)));
    }
  return good;
}

static gboolean
check_slots (const guint32 *slots, guint32 n, guint32 records)
{
  for (guint32 i = 0; i < n; i++)
    if (slots[i] > records)
      return FALSE;
  return TRUE;
}

gboolean
lm_index_check (const guint8 *data, gsize size, LmIndex *out, const char **out_why)
{
  if (!check_header (data, size, out_why))
    return FALSE;
  *out_why = "it has a reference that is out of bounds";
  if (!check_sections (data, size))
    return FALSE;
  lm_index_open (data, out);
  const guint32 *n = out->count;
  return check_records (out) && check_slots (out->name_slots, n[LM_INDEX_NAME_SLOTS], n[LM_INDEX_LAYERS])
         && check_slots (out->provide_slots, n[LM_INDEX_PROVIDE_SLOTS], n[LM_INDEX_PROVIDES])
         && check_slots (out->build_slots, n[LM_INDEX_BUILD_SLOTS], n[LM_INDEX_BUILDS]);
}

GBytes *
lm_index_serialize (const guint8 *data, gsize size, const char *stamp)
{
  /* remove the stamp of an earlier serialization */
  const LmIndexHeader *old = (const void *) data;
  if (old->stamp != 0)
    size = old->stamp;
  gsize total = size + strlen (stamp) + 1;
  guint8 *copy = g_malloc (total);
  memcpy (copy, data, size);
  memcpy (copy + size, stamp, strlen (stamp) + 1);
  LmIndexHeader *header = (void *) copy;
  header->size = total;
  header->stamp = size;
  digest_block (copy, total, &header->digest);
  return g_bytes_new_take (copy, total);
}

const char *
lm_index_stamp (const LmIndex *index)
{
  guint64 offset = index->header->stamp;
  return offset ? (const char *) index->header + offset : "";
}

guint32
lm_index_hash (const char *text)
{
  guint32 hash = 2166136261u;
  for (const char *p = text; *p; p++)
    hash = (hash ^ (guint8) *p) * 16777619u;
  return hash;
}

guint32
lm_index_find_layer (const LmIndex *index, const char *name)
{
  guint32 n = index->count[LM_INDEX_NAME_SLOTS], slot = lm_index_hash (name);
  for (guint32 i = 0; i < n; i++)
    {
      guint32 found = index->name_slots[(slot + i) & (n - 1)];
      if (found == 0)
        break;
      if (strcmp (lm_index_string (index, index->layers[found - 1].name), name) == 0)
        return found - 1;
    }
  return LM_INDEX_NONE;
}

guint32
lm_index_find_provide (const LmIndex *index, const char *name)
{
  guint32 n = index->count[LM_INDEX_PROVIDE_SLOTS], slot = lm_index_hash (name);
  for (guint32 i = 0; i < n; i++)
    {
      guint32 found = index->provide_slots[(slot + i) & (n - 1)];
      if (found == 0)
        break;
      if (strcmp (lm_index_string (index, index->provides[found - 1].name), name) == 0)
        return found - 1;
    }
  return LM_INDEX_NONE;
}

guint32
lm_index_find_build (const LmIndex *index, const LmDigest *digest)
{
  guint32 n = index->count[LM_INDEX_BUILD_SLOTS], slot = lm_digest_hash (digest);
  for (guint32 i = 0; i < n; i++)
    {
      guint32 found = index->build_slots[(slot + i) & (n - 1)];
      if (found == 0)
        break;
      if (lm_digest_equal (&index->builds[found - 1].digest, digest))
        return found - 1;
    }
  return LM_INDEX_NONE;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "catalog/index-builder.h"

#include <string.h>

#define MAX_PROBES 1000

enum
{
  NAMES,
  PROVIDES,
  BUILDS
};

LmIndexBuilder *
lm_index_builder_new (void)
{
  LmIndexBuilder *b = g_new0 (LmIndexBuilder, 1);
  b->strings = g_string_sized_new (1 << 16);
  /* offset 0 means no string */
  g_string_append_c (b->strings, '\0');
  b->lists = g_array_new (FALSE, FALSE, sizeof (guint32));
  b->groups = g_array_new (FALSE, FALSE, sizeof (LmIndexGroup));
  b->layers = g_array_new (FALSE, FALSE, sizeof (LmIndexLayer));
  b->builds = g_array_new (FALSE, FALSE, sizeof (LmIndexBuild));
  b->contents = g_array_new (FALSE, FALSE, sizeof (LmIndexContents));
  b->blobs = g_array_new (FALSE, FALSE, sizeof (LmIndexBlob));
  b->provides = g_array_new (FALSE, FALSE, sizeof (LmIndexProvide));
  for (guint i = 0; i < G_N_ELEMENTS (b->slots); i++)
    b->slots[i] = g_array_new (FALSE, TRUE, sizeof (guint32));
  return b;
}

void
lm_index_builder_free (LmIndexBuilder *builder)
{
  if (builder == NULL)
    return;
  g_string_free (builder->strings, TRUE);
  g_array_unref (builder->lists);
  g_array_unref (builder->groups);
  g_array_unref (builder->layers);
  g_array_unref (builder->builds);
  g_array_unref (builder->contents);
  g_array_unref (builder->blobs);
  g_array_unref (builder->provides);
  for (guint i = 0; i < G_N_ELEMENTS (builder->slots); i++)
    g_array_unref (builder->slots[i]);
  g_free (builder);
}

guint32
lm_index_builder_add_string (LmIndexBuilder *builder, const char *text, gsize length)
{
  guint32 offset = (guint32) builder->strings->len;
  g_string_append_len (builder->strings, text, (gssize) length);
  g_string_append_c (builder->strings, '\0');
  return offset;
}

guint32
lm_index_builder_add_common (LmIndexBuilder *builder, const char *text, gsize length)
{
  guint32 hash = lm_index_hash (text);
  LmIndexRecent *recent = &builder->recent[hash % G_N_ELEMENTS (builder->recent)];
  /* The hash first, because another string is probably no longer in the processor's cache. */
  if (recent->offset == 0 || recent->hash != hash || strcmp (builder->strings->str + recent->offset, text) != 0)
    *recent = (LmIndexRecent){ .hash = hash, .offset = lm_index_builder_add_string (builder, text, length) };
  return recent->offset;
}

static guint32
adjust_reference (guint32 reference, guint32 none, guint32 by)
{
  return reference == none ? none : reference + by;
}

static void
append_layers (LmIndexBuilder *builder, const LmIndexBuilder *other, guint32 strings, guint32 lists)
{
  guint32 first = builder->layers->len;
  g_array_append_vals (builder->layers, other->layers->data, other->layers->len);
  for (guint32 i = first; i < builder->layers->len; i++)
    {
      LmIndexLayer *layer = &g_array_index (builder->layers, LmIndexLayer, i);
      guint32 *texts[] = { &layer->name, &layer->version, &layer->group, &layer->summary,
                           &layer->osinfo, &layer->arch, &layer->ready, &layer->cmdline, &layer->origin };
      for (guint j = 0; j < G_N_ELEMENTS (texts); j++)
        *texts[j] = adjust_reference (*texts[j], 0, strings);
      layer->provides.first += lists;
      layer->requires.first += lists;
      layer->conflicts.first += lists;
      layer->builds.first += builder->builds->len;
      layer->kernel = adjust_reference (layer->kernel, LM_INDEX_NONE, builder->blobs->len);
      layer->initrd = adjust_reference (layer->initrd, LM_INDEX_NONE, builder->blobs->len);
    }
}

static void
append_builds (LmIndexBuilder *builder, const LmIndexBuilder *other, guint32 layers, guint32 lists)
{
  guint32 first = builder->builds->len, contents = builder->contents->len;
  g_array_append_vals (builder->builds, other->builds->data, other->builds->len);
  for (guint32 i = first; i < builder->builds->len; i++)
    {
      LmIndexBuild *build = &g_array_index (builder->builds, LmIndexBuild, i);
      build->layer += layers;
      build->urls.first += lists;
      build->contents = adjust_reference (build->contents, 0, contents);
    }
  g_array_append_vals (builder->contents, other->contents->data, other->contents->len);
  for (guint32 i = contents; i < builder->contents->len; i++)
    {
      LmIndexContents *record = &g_array_index (builder->contents, LmIndexContents, i);
      record->packages.first += lists;
      record->removed.first += lists;
    }
}

void
lm_index_builder_append (LmIndexBuilder *builder, const LmIndexBuilder *other)
{
  guint32 strings = (guint32) builder->strings->len, lists = builder->lists->len, layers = builder->layers->len;
  append_layers (builder, other, strings, lists);
  g_string_append_len (builder->strings, other->strings->str, (gssize) other->strings->len);
  g_array_append_vals (builder->lists, other->lists->data, other->lists->len);
  for (guint32 i = lists; i < builder->lists->len; i++)
    g_array_index (builder->lists, guint32, i) += strings;
  append_builds (builder, other, layers, lists);
  for (guint32 i = 0; i < other->blobs->len; i++)
    {
      LmIndexBlob blob = g_array_index (other->blobs, LmIndexBlob, i);
      blob.urls.first += lists;
      g_array_append_val (builder->blobs, blob);
    }
  for (guint32 i = 0; i < other->provides->len; i++)
    {
      LmIndexProvide provide = g_array_index (other->provides, LmIndexProvide, i);
      provide.name += strings;
      provide.layer += layers;
      g_array_append_val (builder->provides, provide);
    }
}

static GArray *
make_slots (LmIndexBuilder *builder, guint which, guint32 records)
{
  guint32 n = 1;
  while (n < 2 * (guint64) records && n < (1u << 31))
    n *= 2;
  g_array_set_size (builder->slots[which], 0);
  g_array_set_size (builder->slots[which], n);
  return builder->slots[which];
}

static const char *
builder_string (const LmIndexBuilder *builder, guint32 offset)
{
  return builder->strings->str + offset;
}

static LmIndexLayer *
builder_layer (const LmIndexBuilder *builder, guint32 i)
{
  return &g_array_index (builder->layers, LmIndexLayer, i);
}

/* Returns the slot that holds a record for which @same is true, else the empty slot
 * for it; LM_INDEX_NONE if there are too many collisions. The keys are not trusted;
 * they must not make this quadratic. */
typedef gboolean (*SameFunc) (const LmIndexBuilder *builder, guint32 a, guint32 b);

static guint32
find_slot (const LmIndexBuilder *builder, const GArray *slots, guint32 hash, SameFunc same, guint32 record)
{
  const guint32 *slot = (const void *) slots->data;
  for (guint32 i = 0; i < MIN (MAX_PROBES, slots->len); i++)
    {
      guint32 at = (hash + i) & (slots->len - 1);
      if (slot[at] == 0 || same (builder, slot[at] - 1, record))
        return at;
    }
  return LM_INDEX_NONE;
}

static gboolean
same_name (const LmIndexBuilder *builder, guint32 a, guint32 b)
{
  const LmIndexLayer *one = builder_layer (builder, a), *two = builder_layer (builder, b);
  return strcmp (builder_string (builder, one->name), builder_string (builder, two->name)) == 0;
}

/* From last to first, so that "next" always refers to a later record. */
static LmIndexResult
index_names (LmIndexBuilder *builder)
{
  GArray *slots = make_slots (builder, NAMES, builder->layers->len);
  for (guint32 i = builder->layers->len; i-- > 0;)
    {
      LmIndexLayer *layer = builder_layer (builder, i);
      guint32 hash = lm_index_hash (builder_string (builder, layer->name));
      guint32 at = find_slot (builder, slots, hash, same_name, i);
      if (at == LM_INDEX_NONE)
        return LM_INDEX_TOO_MANY_COLLISIONS;
      guint32 *slot = &g_array_index (slots, guint32, at);
      layer->next = *slot ? *slot - 1 : LM_INDEX_NONE;
      *slot = i + 1;
    }
  return LM_INDEX_GOOD;
}

static gboolean
same_provide (const LmIndexBuilder *builder, guint32 a, guint32 b)
{
  const LmIndexProvide *provides = (const void *) builder->provides->data;
  return strcmp (builder_string (builder, provides[a].name), builder_string (builder, provides[b].name)) == 0;
}

static LmIndexResult
index_provides (LmIndexBuilder *builder)
{
  GArray *slots = make_slots (builder, PROVIDES, builder->provides->len);
  for (guint32 i = builder->provides->len; i-- > 0;)
    {
      LmIndexProvide *provide = &g_array_index (builder->provides, LmIndexProvide, i);
      guint32 hash = lm_index_hash (builder_string (builder, provide->name));
      guint32 at = find_slot (builder, slots, hash, same_provide, i);
      if (at == LM_INDEX_NONE)
        return LM_INDEX_TOO_MANY_COLLISIONS;
      guint32 *slot = &g_array_index (slots, guint32, at);
      provide->next = *slot ? *slot - 1 : LM_INDEX_NONE;
      *slot = i + 1;
    }
  return LM_INDEX_GOOD;
}

static gboolean
same_digest (const LmIndexBuilder *builder, guint32 a, guint32 b)
{
  const LmIndexBuild *builds = (const void *) builder->builds->data;
  return lm_digest_equal (&builds[a].digest, &builds[b].digest);
}

static gboolean
same_layer (const LmIndexBuilder *builder, guint32 a, guint32 b)
{
  const LmIndexLayer *one = builder_layer (builder, a), *two = builder_layer (builder, b);
  return strcmp (builder_string (builder, one->name), builder_string (builder, two->name)) == 0
         && strcmp (builder_string (builder, one->version), builder_string (builder, two->version)) == 0
         && strcmp (builder_string (builder, one->arch), builder_string (builder, two->arch)) == 0;
}

static guint32
hash_digest (const LmIndexBuilder *builder, guint32 i)
{
  return lm_digest_hash (&g_array_index (builder->builds, LmIndexBuild, i).digest);
}

static guint32
hash_layer (const LmIndexBuilder *builder, guint32 i)
{
  const LmIndexLayer *layer = builder_layer (builder, i);
  return lm_index_hash (builder_string (builder, layer->name)) * 31
         + lm_index_hash (builder_string (builder, layer->version));
}

/* For records that must be distinct. FALSE with *out_a and *out_b set if two are
 * the same, or with *out_a LM_INDEX_NONE if there are too many collisions. */
static gboolean
index_unique (LmIndexBuilder *builder, GArray *slots, guint32 records,
              guint32 (*hash) (const LmIndexBuilder *, guint32), SameFunc same, guint32 *out_a, guint32 *out_b)
{
  for (guint32 i = 0; i < records; i++)
    {
      guint32 at = find_slot (builder, slots, hash (builder, i), same, i);
      guint32 *slot = at == LM_INDEX_NONE ? NULL : &g_array_index (slots, guint32, at);
      if (slot == NULL || *slot != 0)
        {
          *out_a = slot ? *slot - 1 : LM_INDEX_NONE;
          *out_b = i;
          return FALSE;
        }
      *slot = i + 1;
    }
  return TRUE;
}

LmIndexResult
lm_index_builder_make_tables (LmIndexBuilder *builder, guint32 *out_a, guint32 *out_b)
{
  /* the table of layers serves only this check; the table of names replaces it */
  GArray *slots = make_slots (builder, NAMES, builder->layers->len);
  if (!index_unique (builder, slots, builder->layers->len, hash_layer, same_layer, out_a, out_b))
    return *out_a == LM_INDEX_NONE ? LM_INDEX_TOO_MANY_COLLISIONS : LM_INDEX_SAME_LAYER;
  slots = make_slots (builder, BUILDS, builder->builds->len);
  if (!index_unique (builder, slots, builder->builds->len, hash_digest, same_digest, out_a, out_b))
    return *out_a == LM_INDEX_NONE ? LM_INDEX_TOO_MANY_COLLISIONS : LM_INDEX_SAME_BUILD;
  LmIndexResult names = index_names (builder);
  return names == LM_INDEX_GOOD ? index_provides (builder) : names;
}

GBytes *
lm_index_builder_finish (LmIndexBuilder *builder, guint32 name, guint32 requested_url, guint32 base_url)
{
  const GArray *arrays[LM_INDEX_N_SECTIONS] = {
    [LM_INDEX_LISTS] = builder->lists,           [LM_INDEX_GROUPS] = builder->groups,
    [LM_INDEX_LAYERS] = builder->layers,         [LM_INDEX_BUILDS] = builder->builds,
    [LM_INDEX_CONTENTS] = builder->contents,     [LM_INDEX_BLOBS] = builder->blobs,
    [LM_INDEX_PROVIDES] = builder->provides,     [LM_INDEX_NAME_SLOTS] = builder->slots[0],
    [LM_INDEX_PROVIDE_SLOTS] = builder->slots[1], [LM_INDEX_BUILD_SLOTS] = builder->slots[2],
  };
  LmIndexHeader header = { .byte_order = LM_INDEX_BYTE_ORDER,
                              .format = LM_INDEX_FORMAT,
                              .name = name,
                              .base_url = base_url,
                              .requested_url = requested_url };
  memcpy (header.magic, LM_INDEX_MAGIC, sizeof header.magic);
  guint64 end = sizeof header;
  for (guint i = 0; i < LM_INDEX_N_SECTIONS; i++)
    {
      guint64 count = arrays[i] ? arrays[i]->len : builder->strings->len;
      header.sections[i].offset = end;
      header.sections[i].count = count;
      end = (end + count * lm_index_record_size (i) + 7) & ~G_GUINT64_CONSTANT (7);
    }
  header.size = end;
  guint8 *data = g_malloc (end);
  memcpy (data, &header, sizeof header);
  for (guint i = 0; i < LM_INDEX_N_SECTIONS; i++)
    {
      guint64 from = header.sections[i].offset, size = header.sections[i].count * lm_index_record_size (i);
      guint64 next = i + 1 < LM_INDEX_N_SECTIONS ? header.sections[i + 1].offset : end;
      if (size > 0)
        memcpy (data + from, arrays[i] ? arrays[i]->data : builder->strings->str, size);
      memset (data + from + size, 0, next - from - size);
    }
  return g_bytes_new_take (data, end);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "catalog/prepared-builder.h"

#include <string.h>

#define MAX_PROBES 1000

enum
{
  NAMES,
  PROVIDES,
  BUILDS
};

LmPreparedBuilder *
lm_prepared_builder_new (void)
{
  LmPreparedBuilder *b = g_new0 (LmPreparedBuilder, 1);
  b->strings = g_string_sized_new (1 << 16);
  /* offset 0 means none */
  g_string_append_c (b->strings, '\0');
  b->lists = g_array_new (FALSE, FALSE, sizeof (guint32));
  b->groups = g_array_new (FALSE, FALSE, sizeof (LmPreparedGroup));
  b->layers = g_array_new (FALSE, FALSE, sizeof (LmPreparedLayer));
  b->builds = g_array_new (FALSE, FALSE, sizeof (LmPreparedBuild));
  b->blobs = g_array_new (FALSE, FALSE, sizeof (LmPreparedBlob));
  b->provides = g_array_new (FALSE, FALSE, sizeof (LmPreparedProvide));
  for (guint i = 0; i < G_N_ELEMENTS (b->slots); i++)
    b->slots[i] = g_array_new (FALSE, TRUE, sizeof (guint32));
  return b;
}

void
lm_prepared_builder_free (LmPreparedBuilder *builder)
{
  if (builder == NULL)
    return;
  g_string_free (builder->strings, TRUE);
  g_array_unref (builder->lists);
  g_array_unref (builder->groups);
  g_array_unref (builder->layers);
  g_array_unref (builder->builds);
  g_array_unref (builder->blobs);
  g_array_unref (builder->provides);
  for (guint i = 0; i < G_N_ELEMENTS (builder->slots); i++)
    g_array_unref (builder->slots[i]);
  g_free (builder);
}

guint32
lm_prepared_builder_add_string (LmPreparedBuilder *builder, const char *text, gsize length)
{
  guint32 offset = (guint32) builder->strings->len;
  g_string_append_len (builder->strings, text, (gssize) length);
  g_string_append_c (builder->strings, '\0');
  return offset;
}

guint32
lm_prepared_builder_add_common (LmPreparedBuilder *builder, const char *text, gsize length)
{
  guint32 *recent = &builder->recent[lm_prepared_hash (text) % G_N_ELEMENTS (builder->recent)];
  if (*recent == 0 || strcmp (builder->strings->str + *recent, text) != 0)
    *recent = lm_prepared_builder_add_string (builder, text, length);
  return *recent;
}

static guint32
moved (guint32 reference, guint32 none, guint32 by)
{
  return reference == none ? none : reference + by;
}

static void
append_layers (LmPreparedBuilder *builder, const LmPreparedBuilder *other, guint32 strings, guint32 lists)
{
  for (guint32 i = 0; i < other->layers->len; i++)
    {
      LmPreparedLayer layer = g_array_index (other->layers, LmPreparedLayer, i);
      guint32 *texts[] = { &layer.name, &layer.version, &layer.group, &layer.summary,
                           &layer.osinfo, &layer.arch, &layer.ready, &layer.cmdline };
      for (guint j = 0; j < G_N_ELEMENTS (texts); j++)
        *texts[j] = moved (*texts[j], 0, strings);
      layer.provides.first += lists;
      layer.requires.first += lists;
      layer.conflicts.first += lists;
      layer.builds.first += builder->builds->len;
      layer.kernel = moved (layer.kernel, LM_PREPARED_NONE, builder->blobs->len);
      layer.initrd = moved (layer.initrd, LM_PREPARED_NONE, builder->blobs->len);
      g_array_append_val (builder->layers, layer);
    }
}

void
lm_prepared_builder_append (LmPreparedBuilder *builder, const LmPreparedBuilder *other)
{
  guint32 strings = (guint32) builder->strings->len, lists = builder->lists->len, layers = builder->layers->len;
  append_layers (builder, other, strings, lists);
  g_string_append_len (builder->strings, other->strings->str, (gssize) other->strings->len);
  for (guint32 i = 0; i < other->lists->len; i++)
    {
      guint32 text = g_array_index (other->lists, guint32, i) + strings;
      g_array_append_val (builder->lists, text);
    }
  for (guint32 i = 0; i < other->builds->len; i++)
    {
      LmPreparedBuild build = g_array_index (other->builds, LmPreparedBuild, i);
      build.layer += layers;
      build.urls.first += lists;
      g_array_append_val (builder->builds, build);
    }
  for (guint32 i = 0; i < other->blobs->len; i++)
    {
      LmPreparedBlob blob = g_array_index (other->blobs, LmPreparedBlob, i);
      blob.urls.first += lists;
      g_array_append_val (builder->blobs, blob);
    }
  for (guint32 i = 0; i < other->provides->len; i++)
    {
      LmPreparedProvide provide = g_array_index (other->provides, LmPreparedProvide, i);
      provide.name += strings;
      provide.layer += layers;
      g_array_append_val (builder->provides, provide);
    }
}

static GArray *
make_slots (LmPreparedBuilder *builder, guint which, guint32 records)
{
  guint32 n = 1;
  while (n < 2 * (guint64) records && n < (1u << 31))
    n *= 2;
  g_array_set_size (builder->slots[which], 0);
  g_array_set_size (builder->slots[which], n);
  return builder->slots[which];
}

static const char *
string_at (const LmPreparedBuilder *builder, guint32 offset)
{
  return builder->strings->str + offset;
}

static LmPreparedLayer *
layer_at (const LmPreparedBuilder *builder, guint32 i)
{
  return &g_array_index (builder->layers, LmPreparedLayer, i);
}

/* The slot that holds a record for which @same is true, else the empty one
 * where it would go; LM_PREPARED_NONE when the search is too long. The keys
 * come from strangers, who must not be able to make this quadratic. */
typedef gboolean (*SameFunc) (const LmPreparedBuilder *builder, guint32 a, guint32 b);

static guint32
find_slot (const LmPreparedBuilder *builder, const GArray *slots, guint32 hash, SameFunc same, guint32 record)
{
  const guint32 *slot = (const void *) slots->data;
  for (guint32 i = 0; i < MIN (MAX_PROBES, slots->len); i++)
    {
      guint32 at = (hash + i) & (slots->len - 1);
      if (slot[at] == 0 || same (builder, slot[at] - 1, record))
        return at;
    }
  return LM_PREPARED_NONE;
}

static gboolean
same_name (const LmPreparedBuilder *builder, guint32 a, guint32 b)
{
  return strcmp (string_at (builder, layer_at (builder, a)->name), string_at (builder, layer_at (builder, b)->name)) == 0;
}

/* From the last to the first, so that each one's next comes later. */
static LmPreparedIndexing
index_names (LmPreparedBuilder *builder)
{
  GArray *slots = make_slots (builder, NAMES, builder->layers->len);
  for (guint32 i = builder->layers->len; i-- > 0;)
    {
      LmPreparedLayer *layer = layer_at (builder, i);
      guint32 hash = lm_prepared_hash (string_at (builder, layer->name));
      guint32 at = find_slot (builder, slots, hash, same_name, i);
      if (at == LM_PREPARED_NONE)
        return LM_PREPARED_CROWDED;
      guint32 *slot = &g_array_index (slots, guint32, at);
      layer->next = *slot ? *slot - 1 : LM_PREPARED_NONE;
      *slot = i + 1;
    }
  return LM_PREPARED_INDEXED;
}

static gboolean
same_provide (const LmPreparedBuilder *builder, guint32 a, guint32 b)
{
  const LmPreparedProvide *provides = (const void *) builder->provides->data;
  return strcmp (string_at (builder, provides[a].name), string_at (builder, provides[b].name)) == 0;
}

static LmPreparedIndexing
index_provides (LmPreparedBuilder *builder)
{
  GArray *slots = make_slots (builder, PROVIDES, builder->provides->len);
  for (guint32 i = builder->provides->len; i-- > 0;)
    {
      LmPreparedProvide *provide = &g_array_index (builder->provides, LmPreparedProvide, i);
      guint32 hash = lm_prepared_hash (string_at (builder, provide->name));
      guint32 at = find_slot (builder, slots, hash, same_provide, i);
      if (at == LM_PREPARED_NONE)
        return LM_PREPARED_CROWDED;
      guint32 *slot = &g_array_index (slots, guint32, at);
      provide->next = *slot ? *slot - 1 : LM_PREPARED_NONE;
      *slot = i + 1;
    }
  return LM_PREPARED_INDEXED;
}

static gboolean
same_digest (const LmPreparedBuilder *builder, guint32 a, guint32 b)
{
  const LmPreparedBuild *builds = (const void *) builder->builds->data;
  return lm_digest_equal (&builds[a].digest, &builds[b].digest);
}

static gboolean
same_layer (const LmPreparedBuilder *builder, guint32 a, guint32 b)
{
  const LmPreparedLayer *one = layer_at (builder, a), *two = layer_at (builder, b);
  return strcmp (string_at (builder, one->name), string_at (builder, two->name)) == 0
         && strcmp (string_at (builder, one->version), string_at (builder, two->version)) == 0
         && strcmp (string_at (builder, one->arch), string_at (builder, two->arch)) == 0;
}

static guint32
hash_digest (const LmPreparedBuilder *builder, guint32 i)
{
  return lm_digest_hash (&g_array_index (builder->builds, LmPreparedBuild, i).digest);
}

static guint32
hash_layer (const LmPreparedBuilder *builder, guint32 i)
{
  const LmPreparedLayer *layer = layer_at (builder, i);
  return lm_prepared_hash (string_at (builder, layer->name)) * 31 + lm_prepared_hash (string_at (builder, layer->version));
}

/* For records of which no two may be the same: FALSE with *out_a and *out_b
 * when two are, or with *out_a LM_PREPARED_NONE when there are too many collisions. */
static gboolean
index_unique (LmPreparedBuilder *builder, GArray *slots, guint32 records,
              guint32 (*hash) (const LmPreparedBuilder *, guint32), SameFunc same, guint32 *out_a, guint32 *out_b)
{
  for (guint32 i = 0; i < records; i++)
    {
      guint32 at = find_slot (builder, slots, hash (builder, i), same, i);
      guint32 *slot = at == LM_PREPARED_NONE ? NULL : &g_array_index (slots, guint32, at);
      if (slot == NULL || *slot != 0)
        {
          *out_a = slot ? *slot - 1 : LM_PREPARED_NONE;
          *out_b = i;
          return FALSE;
        }
      *slot = i + 1;
    }
  return TRUE;
}

LmPreparedIndexing
lm_prepared_builder_index (LmPreparedBuilder *builder, guint32 *out_a, guint32 *out_b)
{
  /* the table of layers is for this check only; names take its place */
  GArray *slots = make_slots (builder, NAMES, builder->layers->len);
  if (!index_unique (builder, slots, builder->layers->len, hash_layer, same_layer, out_a, out_b))
    return *out_a == LM_PREPARED_NONE ? LM_PREPARED_CROWDED : LM_PREPARED_SAME_LAYER;
  slots = make_slots (builder, BUILDS, builder->builds->len);
  if (!index_unique (builder, slots, builder->builds->len, hash_digest, same_digest, out_a, out_b))
    return *out_a == LM_PREPARED_NONE ? LM_PREPARED_CROWDED : LM_PREPARED_SAME_BUILD;
  LmPreparedIndexing names = index_names (builder);
  return names == LM_PREPARED_INDEXED ? index_provides (builder) : names;
}

GBytes *
lm_prepared_builder_finish (LmPreparedBuilder *builder, guint32 base_url)
{
  const GArray *arrays[LM_PREPARED_N_SECTIONS] = {
    [LM_PREPARED_LISTS] = builder->lists,           [LM_PREPARED_GROUPS] = builder->groups,
    [LM_PREPARED_LAYERS] = builder->layers,         [LM_PREPARED_BUILDS] = builder->builds,
    [LM_PREPARED_BLOBS] = builder->blobs,           [LM_PREPARED_PROVIDES] = builder->provides,
    [LM_PREPARED_NAME_SLOTS] = builder->slots[0],   [LM_PREPARED_PROVIDE_SLOTS] = builder->slots[1],
    [LM_PREPARED_BUILD_SLOTS] = builder->slots[2],
  };
  LmPreparedHeader header = { .byte_order = LM_PREPARED_BYTE_ORDER,
                              .format = LM_PREPARED_FORMAT,
                              .base_url = base_url };
  memcpy (header.magic, LM_PREPARED_MAGIC, sizeof header.magic);
  guint64 end = sizeof header;
  for (guint i = 0; i < LM_PREPARED_N_SECTIONS; i++)
    {
      guint64 count = arrays[i] ? arrays[i]->len : builder->strings->len;
      header.sections[i].offset = end;
      header.sections[i].count = count;
      end = (end + count * lm_prepared_record_size (i) + 7) & ~G_GUINT64_CONSTANT (7);
    }
  header.size = end;
  guint8 *data = g_malloc (end);
  memcpy (data, &header, sizeof header);
  for (guint i = 0; i < LM_PREPARED_N_SECTIONS; i++)
    {
      guint64 from = header.sections[i].offset, size = header.sections[i].count * lm_prepared_record_size (i);
      guint64 next = i + 1 < LM_PREPARED_N_SECTIONS ? header.sections[i + 1].offset : end;
      if (size > 0)
        memcpy (data + from, arrays[i] ? arrays[i]->data : builder->strings->str, size);
      memset (data + from + size, 0, next - from - size);
    }
  return g_bytes_new_take (data, end);
}

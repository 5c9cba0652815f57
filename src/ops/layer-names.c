/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/layer-names.h"
#include "base/error.h"
#include "base/text.h"
#include "cache/database.h"
#include "catalog/contents.h"
#include "catalog/selection.h"
#include "machine/machine.h"
#include "source/source.h"

#include <string.h>

#define SHORT_DIGITS 12
#define PREFIX_DIGITS_MIN 4 /* fewer are more likely a name that was mistyped */
#define CANDIDATES_SHOWN 10

G_DEFINE_QUARK (lm-layer-names-error-quark, lm_layer_names_error)

struct _LmLayerNames
{
  LmCatalogSet *set;
  GPtrArray *machines; /* LmMachine; NULL if the catalogs list everything */
  GHashTable *packages; /* LmDigest -> LmDatabasePackage; NULL if the catalogs list everything */
  GPtrArray *entries;  /* LmCacheEntry */
  GHashTable *known[LM_BLOB_N_KINDS]; /* LmDigest -> LmLayerName, both owned by others or below */
  GPtrArray *owned;                   /* LmLayerName */
  guint digits;
};

void
lm_layer_names_free (LmLayerNames *names)
{
  if (names == NULL)
    return;
  for (guint i = 0; i < LM_BLOB_N_KINDS; i++)
    g_hash_table_unref (names->known[i]);
  g_ptr_array_unref (names->owned);
  g_ptr_array_unref (names->entries);
  g_clear_pointer (&names->machines, g_ptr_array_unref);
  g_clear_pointer (&names->packages, g_hash_table_unref);
  lm_catalog_set_free (names->set);
  g_free (names);
}

/* Records what is found first, which is what has precedence. */
static void
add_name (LmLayerNames *names, LmBlobKind kind, const LmDigest *digest, const LmLayerName *name)
{
  if (digest == NULL || g_hash_table_contains (names->known[kind], digest))
    return;
  LmLayerName *copy = g_memdup2 (name, sizeof *name);
  g_ptr_array_add (names->owned, copy);
  g_hash_table_insert (names->known[kind], (gpointer) digest, copy);
}

static LmLayerName
get_listed_name (const LmCatalog *catalog, guint layer)
{
  return (LmLayerName){ .name = lm_catalog_get_layer_name (catalog, layer),
                        .version = lm_catalog_get_layer_version (catalog, layer),
                        .group = lm_catalog_get_layer_group (catalog, layer),
                        .source = lm_catalog_get_source (catalog),
                        .listed = TRUE };
}

/* An index of a catalog finds layers, but not kernels and initrds, of which there are few. */
static void
add_listed_boot_files (LmLayerNames *names)
{
  for (guint i = 0; i < lm_catalog_set_get_length (names->set); i++)
    {
      const LmCatalog *catalog = lm_catalog_set_get (names->set, i);
      for (guint layer = 0; layer < lm_catalog_get_n_layers (catalog); layer++)
        {
          LmLayerName name = get_listed_name (catalog, layer);
          name.part = "kernel";
          const LmDigest *digest = lm_catalog_get_layer_kernel (catalog, layer, &name.size);
          add_name (names, LM_BLOB_FILE, digest, &name);
          name.part = "initrd";
          digest = lm_catalog_get_layer_initrd (catalog, layer, &name.size);
          add_name (names, LM_BLOB_FILE, digest, &name);
        }
    }
}

static void
add_listed_layer (LmLayerNames *names, const LmDigest *digest)
{
  for (guint i = 0; i < lm_catalog_set_get_length (names->set); i++)
    {
      const LmCatalog *catalog = lm_catalog_set_get (names->set, i);
      guint number = lm_catalog_find_build (catalog, digest);
      if (number == LM_CATALOG_NONE)
        continue;
      LmCatalogBuild build = lm_catalog_get_build (catalog, number);
      LmLayerName name = get_listed_name (catalog, build.layer);
      name.size = build.size;
      add_name (names, LM_BLOB_LAYER, build.digest, &name);
      return;
    }
}

static void
add_recorded (LmLayerNames *names, const LmMachine *machine)
{
  for (guint i = 0; i < machine->layers->len; i++)
    {
      const LmDomainLayer *layer = g_ptr_array_index (machine->layers, i);
      const LmLayerName name = { .name = layer->blob.name, .version = layer->version, .group = layer->group,
                                 .source = layer->source, .size = layer->blob.size };
      add_name (names, LM_BLOB_LAYER, &layer->blob.digest, &name);
    }
  const LmBlob *const files[] = { machine->kernel_blob, machine->initrd_blob };
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    if (files[i] != NULL)
      {
        /* The record does not say which of its layers it belongs to. */
        const LmLayerName name = { .part = files[i]->name, .size = files[i]->size };
        add_name (names, LM_BLOB_FILE, &files[i]->digest, &name);
      }
}

/* Without these names the others are useful, too. */
static void
add_packages (LmLayerNames *names, const LmHost *host, GPtrArray *warnings)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (LmDatabase) database = lm_database_open_readonly (host->state_dir, NULL, &failure);
  names->packages = database != NULL ? lm_database_list_packages (database, &failure) : NULL;
  if (names->packages == NULL)
    g_ptr_array_add (warnings, g_strdup_printf ("packages are shown without their names: %s", failure->message));
  for (guint i = 0; names->packages != NULL && i < names->entries->len; i++)
    {
      const LmCacheEntry *entry = g_ptr_array_index (names->entries, i);
      const LmDatabasePackage *package
        = entry->kind == LM_BLOB_FILE ? g_hash_table_lookup (names->packages, &entry->digest) : NULL;
      if (package == NULL)
        continue;
      const LmLayerName name = { .name = package->name, .version = package->version, .package = TRUE };
      add_name (names, LM_BLOB_FILE, &package->digest, &name);
    }
}

/* Adds the names that the catalogs have; FALSE if they do not have all. */
static gboolean
add_listed (LmLayerNames *names)
{
  gboolean all = TRUE, files = FALSE;
  for (guint i = 0; i < names->entries->len; i++)
    {
      const LmCacheEntry *entry = g_ptr_array_index (names->entries, i);
      if (entry->kind == LM_BLOB_FILE && !files)
        {
          files = TRUE;
          add_listed_boot_files (names);
        }
      if (entry->kind == LM_BLOB_LAYER)
        add_listed_layer (names, &entry->digest);
      all = all && g_hash_table_contains (names->known[entry->kind], &entry->digest);
    }
  return all;
}

static int
compare_digests (gconstpointer a, gconstpointer b)
{
  return lm_digest_compare (*(const LmDigest *const *) a, *(const LmDigest *const *) b);
}

/* Returns how many hexadecimal digits two digests have in common. */
static guint
count_common_digits (const LmDigest *a, const LmDigest *b)
{
  guint i = 0;
  while (i < LM_DIGEST_SIZE && a->bytes[i] == b->bytes[i])
    i++;
  return 2 * i + (i < LM_DIGEST_SIZE && (a->bytes[i] ^ b->bytes[i]) < 16 ? 1 : 0);
}

static guint
count_distinct_digits (const GPtrArray *entries)
{
  guint digits = SHORT_DIGITS;
  g_autoptr (GPtrArray) digests = g_ptr_array_sized_new (entries->len);
  for (guint i = 0; i < entries->len; i++)
    g_ptr_array_add (digests, &((LmCacheEntry *) g_ptr_array_index (entries, i))->digest);
  g_ptr_array_sort (digests, compare_digests);
  for (guint i = 1; i < digests->len; i++)
    {
      const LmDigest *one = digests->pdata[i - 1], *other = digests->pdata[i];
      if (!lm_digest_equal (one, other)) /* a layer and a file may be the same */
        digits = MAX (digits, count_common_digits (one, other) + 1);
    }
  return digits;
}

LmLayerNames *
lm_layer_names_load (const LmHost *host, GPtrArray *entries, GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (LmLayerNames) names = g_new0 (LmLayerNames, 1);
  names->entries = g_ptr_array_ref (entries);
  names->owned = g_ptr_array_new_with_free_func (g_free);
  names->digits = count_distinct_digits (entries);
  for (guint i = 0; i < LM_BLOB_N_KINDS; i++)
    names->known[i] = g_hash_table_new (lm_digest_hash, lm_digest_equal_func);
  names->set = lm_source_load_all (host->state_dir, host->catalogs, warnings, cancellable, error);
  const gboolean incomplete = names->set != NULL && !add_listed (names);
  if (incomplete)
    names->machines = lm_machine_list (host->state_dir, warnings, error);
  for (guint i = 0; names->machines != NULL && i < names->machines->len; i++)
    add_recorded (names, g_ptr_array_index (names->machines, i));
  if (names->machines != NULL)
    add_packages (names, host, warnings);
  for (guint i = 0; i < warnings->len; i++)
    host->warning (host->user_data, g_ptr_array_index (warnings, i));
  if (names->set == NULL || (incomplete && names->machines == NULL))
    return NULL;
  return g_steal_pointer (&names);
}

gboolean
lm_layer_names_find (const LmLayerNames *names, LmBlobKind kind, const LmDigest *digest, LmLayerName *out)
{
  const LmLayerName *found = g_hash_table_lookup (names->known[kind], digest);
  *out = found != NULL ? *found : (LmLayerName){ 0 };
  return found != NULL;
}

const char *
lm_layer_names_get_kind (const LmLayerNames *names, LmBlobKind kind, const LmDigest *digest)
{
  LmLayerName name = { 0 };
  if (kind == LM_BLOB_LAYER)
    return "layer";
  if (names != NULL)
    (void) lm_layer_names_find (names, kind, digest, &name);
  return name.package ? "package" : "blob";
}

char **
lm_layer_names_list_packages (const LmLayerNames *names, const LmDigest *digest)
{
  return lm_contents_of_build (names->set, digest);
}

char *
lm_layer_names_shorten (const LmLayerNames *names, const LmDigest *digest)
{
  char text[LM_DIGEST_STRING_SIZE];
  return g_strndup (lm_digest_format (digest, text) + strlen ("sha256:"), names->digits);
}

char *
lm_layer_names_describe (const LmLayerNames *names, LmBlobKind kind, const LmDigest *digest)
{
  LmLayerName name;
  g_autofree char *digits = lm_layer_names_shorten (names, digest);
  if (!lm_layer_names_find (names, kind, digest, &name))
    return g_steal_pointer (&digits);
  if (name.package)
    return g_strconcat ("package ", name.name, " ", name.version, " (", digits, ")", NULL);
  if (name.name != NULL && name.version != NULL && name.part == NULL) /* without printf, because there may be thousands */
    return g_strconcat (name.name, " ", name.version, " (", digits, ")", NULL);
  if (name.name == NULL)
    return g_strdup_printf ("%s (%s)", name.part, digits);
  return g_strdup_printf ("%s%s%s %s (%s)", name.part ? name.part : "", name.part ? " of " : "", name.name, name.version,
                          digits);
}

/* Returns the digits in @word if it may be a digest or the beginning of one; otherwise NULL. */
static const char *
get_prefix_digits (const char *word)
{
  const char *digits = g_str_has_prefix (word, "sha256:") ? word + strlen ("sha256:") : word;
  gsize n = strspn (digits, "0123456789abcdef");
  return n >= PREFIX_DIGITS_MIN && n <= 2 * LM_DIGEST_SIZE && digits[n] == '\0' ? digits : NULL;
}

static gboolean
entry_matches (const LmLayerNames *names, const LmCacheEntry *entry, const LmSelection *selection, const char *digits)
{
  char text[LM_DIGEST_STRING_SIZE];
  if (digits != NULL && g_str_has_prefix (lm_digest_format (&entry->digest, text) + strlen ("sha256:"), digits))
    return TRUE;
  LmLayerName name;
  if (selection == NULL || entry->kind != LM_BLOB_LAYER
      || !lm_layer_names_find (names, entry->kind, &entry->digest, &name))
    return FALSE;
  /* Nothing of it is changed. */
  const LmLayer layer = { .name = (char *) name.name, .version = (char *) name.version, .group = (char *) name.group };
  return lm_selection_matches (selection, &layer);
}

static gpointer
throw_ambiguous (const LmLayerNames *names, const char *word, const GPtrArray *found, GError **error)
{
  g_autoptr (GString) list = g_string_new (NULL);
  for (guint i = 0; i < MIN (found->len, CANDIDATES_SHOWN); i++)
    {
      const LmCacheEntry *entry = g_ptr_array_index (found, i);
      g_autofree char *text = lm_layer_names_describe (names, entry->kind, &entry->digest);
      g_string_append_printf (list, "%s%s", i > 0 ? ", " : "", text);
    }
  if (found->len > CANDIDATES_SHOWN)
    g_string_append_printf (list, " and %u more", found->len - CANDIDATES_SHOWN);
  return lm_throw_null (error, LM_LAYER_NAMES_ERROR, LM_LAYER_NAMES_ERROR_AMBIGUOUS,
                        "\"%s\" stands for %u cached files: %s; name one by the first digits of its digest", word,
                        found->len, list->str);
}

GPtrArray *
lm_layer_names_resolve (const LmLayerNames *names, const char *word, gboolean several, GError **error)
{
  const char *digits = get_prefix_digits (word);
  gboolean is_whole = digits != NULL && strlen (digits) == 2 * LM_DIGEST_SIZE;
  g_autoptr (LmSelection) selection = is_whole ? NULL : lm_selection_parse (word, NULL);
  g_autoptr (GPtrArray) found = g_ptr_array_new ();
  g_autofree char *shown = lm_text_escape (word, 100);
  for (guint i = 0; i < names->entries->len; i++)
    {
      LmCacheEntry *entry = g_ptr_array_index (names->entries, i);
      if (entry_matches (names, entry, selection, digits))
        g_ptr_array_add (found, entry);
    }
  if (found->len == 0)
    return lm_throw_null (error, LM_LAYER_NAMES_ERROR, LM_LAYER_NAMES_ERROR_UNKNOWN,
                          "no cached file is called \"%s\" or has such a digest; \"lamina cache list\" shows them",
                          shown);
  if (found->len > 1 && !several)
    return throw_ambiguous (names, shown, found, error);
  return g_steal_pointer (&found);
}

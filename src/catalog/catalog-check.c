/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "catalog/catalog-check.h"
#include "base/url.h"
#include "catalog/catalog-part.h"
#include "catalog/installed.h"
#include "catalog/relation.h"

#include <string.h>

#define CHAIN_MAX 64 /* as for a machine */

/* A layer as far as it could be read; its strings belong to the part. */
typedef struct
{
  LmLayer layer;
  guint line;
  GArray *builds; /* guint: numbers in the part */
} Entry;

typedef struct
{
  LmCatalogReport *report;
  const LmCatalogSet *others;
  const LmCatalogPart *part;
  GPtrArray *entries;   /* Entry */
  GHashTable *by_name;  /* name, also of what is provided -> GPtrArray of Entry */
  GHashTable *by_digest; /* LmDigest -> number of the build + 1 */
  GHashTable *circles;  /* LmDigest: builds in circles that were reported */
} Check;

static void
problem_free (LmCatalogProblem *problem)
{
  g_free (problem->text);
  g_free (problem);
}

static void
file_free (LmCatalogFile *file)
{
  g_strfreev (file->urls);
  g_free (file);
}

static void
entry_free (Entry *entry)
{
  g_free (entry->layer.provides);
  g_free (entry->layer.requires);
  g_free (entry->layer.conflicts);
  g_array_unref (entry->builds);
  g_free (entry);
}

static void
check_clear (Check *check)
{
  g_clear_pointer (&check->by_name, g_hash_table_unref);
  g_clear_pointer (&check->by_digest, g_hash_table_unref);
  g_clear_pointer (&check->circles, g_hash_table_unref);
  g_clear_pointer (&check->entries, g_ptr_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Check, check_clear)

void
lm_catalog_report_free (LmCatalogReport *report)
{
  if (report == NULL)
    return;
  g_ptr_array_unref (report->problems);
  g_ptr_array_unref (report->files);
  g_free (report);
}

void
lm_catalog_report_add (LmCatalogReport *report, guint line, gboolean warning, const char *format, ...)
{
  LmCatalogProblem *problem = g_new0 (LmCatalogProblem, 1);
  va_list args;
  va_start (args, format);
  problem->text = g_strdup_vprintf (format, args);
  va_end (args);
  problem->line = line;
  problem->warning = warning;
  g_ptr_array_add (report->problems, problem);
}

static int
compare_problems (gconstpointer a, gconstpointer b)
{
  const LmCatalogProblem *one = *(LmCatalogProblem *const *) a, *other = *(LmCatalogProblem *const *) b;
  return one->line != other->line ? (one->line < other->line ? -1 : 1) : strcmp (one->text, other->text);
}

void
lm_catalog_report_sort (LmCatalogReport *report)
{
  g_ptr_array_sort (report->problems, compare_problems);
}

/* Adds a message that begins with "DOCUMENT:LINE: ", or with "DOCUMENT: ". */
static void
add_message (LmCatalogReport *report, const char *document, const char *message, gboolean warning)
{
  guint64 line = 0;
  if (g_str_has_prefix (message, document) && message[strlen (document)] == ':')
    {
      message += strlen (document) + 1;
      gsize digits = strspn (message, "0123456789");
      g_autofree char *number = g_strndup (message, digits);
      if (digits > 0 && message[digits] == ':' && g_ascii_string_to_unsigned (number, 10, 0, G_MAXUINT, &line, NULL))
        message += digits + 1;
      message += strspn (message, " ");
    }
  lm_catalog_report_add (report, (guint) line, warning, "%s", message);
}

/* ---- what the part has ---- */

static char *
get_string (const LmCatalogPart *part, guint32 offset)
{
  return offset != 0 ? part->builder->strings->str + offset : NULL;
}

static char **
get_list (const LmCatalogPart *part, LmIndexSpan span)
{
  char **list = g_new0 (char *, span.n + 1);
  for (guint32 i = 0; i < span.n; i++)
    list[i] = get_string (part, g_array_index (part->builder->lists, guint32, span.first + i));
  return list;
}

static LmIndexBuild *
get_build (const LmCatalogPart *part, guint number)
{
  return &g_array_index (part->builder->builds, LmIndexBuild, number);
}

static guint
get_build_line (const LmCatalogPart *part, guint number)
{
  return g_array_index (part->build_lines, guint, number);
}

static gboolean
is_zero (const LmDigest *digest)
{
  static const LmDigest zero = { { 0 } };
  return lm_digest_equal (digest, &zero);
}

static void
add_by_name (Check *check, const char *name, Entry *entry)
{
  GPtrArray *list = g_hash_table_lookup (check->by_name, name);
  if (list == NULL)
    g_hash_table_insert (check->by_name, g_strdup (name), list = g_ptr_array_new ());
  g_ptr_array_add (list, entry);
}

/* Only what has a name, a version and a group, without which a problem was reported already. */
static void
add_entry (Check *check, const LmIndexLayer *from, guint number)
{
  Entry *entry = g_new0 (Entry, 1);
  entry->line = g_array_index (check->part->layer_lines, guint, number);
  entry->builds = g_array_new (FALSE, FALSE, sizeof (guint));
  entry->layer.name = get_string (check->part, from->name);
  entry->layer.version = get_string (check->part, from->version);
  entry->layer.group = get_string (check->part, from->group);
  entry->layer.arch = get_string (check->part, from->arch);
  entry->layer.provides = get_list (check->part, from->provides);
  entry->layer.requires = get_list (check->part, from->requires);
  entry->layer.conflicts = get_list (check->part, from->conflicts);
  g_ptr_array_add (check->entries, entry);
  if (entry->layer.name == NULL || entry->layer.version == NULL || entry->layer.group == NULL)
    return;
  add_by_name (check, entry->layer.name, entry);
  for (char **text = entry->layer.provides; *text != NULL; text++)
    {
      LmRelation relation;
      if (lm_relation_parse (*text, &relation))
        add_by_name (check, relation.name, entry);
    }
}

static gboolean
is_usable (const Entry *entry)
{
  return entry->layer.name != NULL && entry->layer.version != NULL && entry->layer.group != NULL;
}

/* ---- duplicates and groups ---- */

static void
check_duplicates (Check *check)
{
  g_autoptr (GHashTable) known = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  for (guint i = 0; i < check->entries->len; i++)
    {
      const Entry *entry = g_ptr_array_index (check->entries, i);
      if (!is_usable (entry))
        continue;
      g_autofree char *key = g_strdup_printf ("%s %s %s", entry->layer.name, entry->layer.version, entry->layer.arch ? entry->layer.arch : "");
      guint first = GPOINTER_TO_UINT (g_hash_table_lookup (known, key));
      if (first != 0)
        lm_catalog_report_add (check->report, entry->line, FALSE, "line %u has the same version of the layer \"%s\"", first, entry->layer.name);
      else
        g_hash_table_insert (known, g_steal_pointer (&key), GUINT_TO_POINTER (entry->line));
    }
}

/* Also fills by_digest, and the builds of the entries. */
static void
check_builds (Check *check)
{
  for (guint i = 0; i < check->part->builder->builds->len; i++)
    {
      const LmIndexBuild *build = get_build (check->part, i);
      if (build->layer < check->entries->len)
        g_array_append_val (((Entry *) g_ptr_array_index (check->entries, build->layer))->builds, i);
      if (is_zero (&build->digest))
        continue;
      guint first = GPOINTER_TO_UINT (g_hash_table_lookup (check->by_digest, &build->digest));
      if (first != 0)
        lm_catalog_report_add (check->report, get_build_line (check->part, i), FALSE, "line %u has a build with the same digest",
                               get_build_line (check->part, first - 1));
      else
        g_hash_table_insert (check->by_digest, (gpointer) &build->digest, GUINT_TO_POINTER (i + 1));
    }
}

static void
check_groups (Check *check)
{
  g_autoptr (GHashTable) known = g_hash_table_new (g_str_hash, g_str_equal), used = g_hash_table_new (g_str_hash, g_str_equal);
  const GArray *groups = check->part->builder->groups;
  for (guint i = 0; i < groups->len; i++)
    if (g_array_index (groups, LmIndexGroup, i).name != 0)
      g_hash_table_add (known, get_string (check->part, g_array_index (groups, LmIndexGroup, i).name));
  for (guint i = 0; i < check->entries->len; i++)
    {
      const Entry *entry = g_ptr_array_index (check->entries, i);
      if (!is_usable (entry))
        continue;
      g_hash_table_add (used, entry->layer.group);
      if (!g_hash_table_contains (known, entry->layer.group))
        lm_catalog_report_add (check->report, entry->line, FALSE, "the layer \"%s\" belongs to the group \"%s\", which is not listed in \"groups\"",
                               entry->layer.name, entry->layer.group);
    }
  for (guint i = 0; i < groups->len; i++)
    {
      const LmIndexGroup *group = &g_array_index (groups, LmIndexGroup, i);
      if (group->required && group->name != 0 && !g_hash_table_contains (used, get_string (check->part, group->name)))
        lm_catalog_report_add (check->report, 0, TRUE, "the group \"%s\" is required, but no layer belongs to it", get_string (check->part, group->name));
    }
}

/* ---- chains ---- */

static gboolean
others_have_build (const Check *check, const LmDigest *digest)
{
  for (guint i = 0; check->others != NULL && i < lm_catalog_set_get_length (check->others); i++)
    if (lm_catalog_find_build (lm_catalog_set_get (check->others, i), digest) != LM_CATALOG_NONE)
      return TRUE;
  return FALSE;
}

static void
report_circle (Check *check, guint build)
{
  const LmDigest *digest = &get_build (check->part, build)->digest;
  guint line = get_build_line (check->part, build);
  if (g_hash_table_contains (check->circles, digest))
    return;
  for (const LmDigest *one = digest; g_hash_table_add (check->circles, (gpointer) one);)
    {
      guint next = GPOINTER_TO_UINT (g_hash_table_lookup (check->by_digest, one));
      one = &get_build (check->part, next - 1)->parent;
    }
  lm_catalog_report_add (check->report, line, FALSE, "the parents of this build form a circle");
}

/* Follows the parents of @build; *out_below are the numbers of the builds below it. FALSE if the
 * chain is not complete in this catalog. Problems are reported only for the first build above. */
static gboolean
follow_parents (Check *check, guint build, guint *out_below, guint *out_n)
{
  const LmIndexBuild *current = get_build (check->part, build);
  for (*out_n = 0; current->has_parent;)
    {
      guint next = GPOINTER_TO_UINT (g_hash_table_lookup (check->by_digest, &current->parent));
      if (next == 0 || is_zero (&current->parent))
        {
          if (*out_n == 0 && !is_zero (&current->parent) && !others_have_build (check, &current->parent))
            {
              char text[LM_DIGEST_STRING_SIZE];
              lm_catalog_report_add (check->report, get_build_line (check->part, build), FALSE,
                                     "no layer has the parent %s (if another catalog does, give that with --catalog)",
                                     lm_digest_format (&current->parent, text));
            }
          return FALSE;
        }
      gboolean circle = next - 1 == build;
      for (guint i = 0; i < *out_n && !circle; i++)
        circle = out_below[i] == next - 1;
      if (circle)
        report_circle (check, next - 1);
      else if (*out_n + 1 == CHAIN_MAX)
        lm_catalog_report_add (check->report, get_build_line (check->part, build), FALSE, "its chain has more than %d layers", CHAIN_MAX);
      if (circle || *out_n + 1 == CHAIN_MAX)
        return FALSE;
      out_below[(*out_n)++] = next - 1;
      current = get_build (check->part, next - 1);
    }
  return TRUE;
}

static const Entry *
entry_of_build (const Check *check, guint build)
{
  guint layer = get_build (check->part, build)->layer;
  const Entry *entry = layer < check->entries->len ? g_ptr_array_index (check->entries, layer) : NULL;
  return entry != NULL && is_usable (entry) ? entry : NULL;
}

static gboolean
is_met_somewhere (const Check *check, const LmRelation *relation)
{
  const GPtrArray *list = g_hash_table_lookup (check->by_name, relation->name);
  for (guint i = 0; list != NULL && i < list->len; i++)
    if (lm_relation_matches (relation, &((const Entry *) g_ptr_array_index (list, i))->layer))
      return TRUE;
  if (check->others == NULL)
    return FALSE;
  g_autoptr (GArray) refs = g_array_new (FALSE, FALSE, sizeof (LmLayerRef));
  lm_catalog_set_find_name (check->others, relation->name, refs);
  lm_catalog_set_find_provided (check->others, relation->name, refs);
  for (guint i = 0; i < refs->len; i++)
    {
      g_autoptr (LmLayer) layer = lm_catalog_set_load_layer (check->others, g_array_index (refs, LmLayerRef, i));
      if (lm_relation_matches (relation, layer))
        return TRUE;
    }
  return FALSE;
}

/* Marks those of the entry's requirements that the chain below one of its builds meets, and reports conflicts in it. */
static void
examine_chain (Check *check, const Entry *entry, guint build, const guint *below, guint n, gboolean *met)
{
  for (guint i = 0; i < n; i++)
    {
      const Entry *other = entry_of_build (check, below[i]);
      if (other == NULL)
        continue;
      for (guint r = 0; entry->layer.requires[r] != NULL; r++)
        {
          LmRelation relation;
          met[r] = met[r] || (lm_relation_parse (entry->layer.requires[r], &relation) && lm_relation_matches (&relation, &other->layer));
        }
      if (lm_relations_match (entry->layer.conflicts, &other->layer) || lm_relations_match (other->layer.conflicts, &entry->layer))
        lm_catalog_report_add (check->report, get_build_line (check->part, build), FALSE,
                               "this build of \"%s\" stands on \"%s\", with which it conflicts", entry->layer.name, other->layer.name);
      else if (strcmp (entry->layer.name, other->layer.name) == 0)
        lm_catalog_report_add (check->report, get_build_line (check->part, build), FALSE,
                               "this build of \"%s\" stands on another version of it", entry->layer.name);
    }
}

/* Returns what @build records about its packages; NULL if nothing. */
static const LmIndexContents *
get_contents (const Check *check, guint build)
{
  guint32 number = get_build (check->part, build)->contents;
  const LmIndexContents *contents
    = number != 0 ? &g_array_index (check->part->builder->contents, LmIndexContents, number - 1) : NULL;
  return contents != NULL && contents->has_packages ? contents : NULL;
}

/* Warns if what @build records is of no use, or contradicts itself. @below is the number of its parent. */
static void
check_contents (Check *check, guint build, const guint *below)
{
  const LmIndexContents *contents = get_contents (check, build);
  if (contents == NULL)
    return;
  guint line = get_build_line (check->part, build);
  if (below != NULL && get_contents (check, *below) == NULL)
    lm_catalog_report_add (check->report, line, TRUE, "this build records its packages, but its parent in line %u does not, so "
                           "that nobody knows all that it contains", get_build_line (check->part, *below));
  g_autoptr (GHashTable) removed = g_hash_table_new (lm_installed_hash_name, lm_installed_same_name);
  const guint32 *lists = (const void *) check->part->builder->lists->data;
  for (guint32 i = 0; i < contents->removed.n; i++)
    g_hash_table_add (removed, (gpointer) get_string (check->part, lists[contents->removed.first + i]));
  for (guint32 i = 0; i < contents->packages.n; i++)
    {
      const char *package = get_string (check->part, lists[contents->packages.first + i]);
      if (g_hash_table_contains (removed, package))
        lm_catalog_report_add (check->report, line, TRUE, "this build removes what it also lists, %s", package);
    }
}

static void
check_entry (Check *check, const Entry *entry)
{
  guint below[CHAIN_MAX], n, complete = 0;
  g_autofree gboolean *met = g_new0 (gboolean, g_strv_length (entry->layer.requires) + 1);
  for (guint i = 0; i < entry->builds->len; i++)
    {
      guint build = g_array_index (entry->builds, guint, i);
      gboolean whole = follow_parents (check, build, below, &n);
      check_contents (check, build, n > 0 ? below : NULL);
      if (!whole)
        continue;
      complete++;
      if (is_usable (entry))
        examine_chain (check, entry, build, below, n, met);
    }
  for (guint r = 0; is_usable (entry) && entry->layer.requires[r] != NULL; r++)
    {
      LmRelation relation;
      if (!lm_relation_parse (entry->layer.requires[r], &relation))
        continue;
      if (!is_met_somewhere (check, &relation))
        lm_catalog_report_add (check->report, entry->line, FALSE, "no layer meets \"%s\", which \"%s\" requires", entry->layer.requires[r],
                               entry->layer.name);
      /* Of a chain that goes on in another catalog nothing more is known. */
      else if (!met[r] && complete > 0 && complete == entry->builds->len)
        lm_catalog_report_add (check->report, entry->line, FALSE, "no build of \"%s\" stands on a layer that meets \"%s\", which it requires",
                               entry->layer.name, entry->layer.requires[r]);
    }
}

/* ---- files ---- */

static void
add_file (Check *check, const char *directory, guint line, const LmDigest *digest, guint64 size, LmIndexSpan urls)
{
  LmCatalogFile *file = g_new0 (LmCatalogFile, 1);
  file->line = line;
  file->digest = *digest;
  file->size = size;
  file->urls = g_new0 (char *, urls.n + 1);
  for (guint32 i = 0; i < urls.n; i++)
    {
      const char *url = get_string (check->part, g_array_index (check->part->builder->lists, guint32, urls.first + i));
      file->urls[i] = strchr (url, ':') != NULL ? g_strdup (url) : g_strconcat (directory, url, NULL);
    }
  g_ptr_array_add (check->report->files, file);
}

static void
add_blob (Check *check, const char *directory, guint line, guint32 number)
{
  if (number == LM_INDEX_NONE || number >= check->part->builder->blobs->len)
    return;
  const LmIndexBlob *blob = &g_array_index (check->part->builder->blobs, LmIndexBlob, number);
  add_file (check, directory, line, &blob->digest, blob->size, blob->urls);
}

static void
list_files (Check *check, const char *base_url)
{
  g_autofree char *directory = lm_url_directory (base_url);
  for (guint i = 0; i < check->part->builder->builds->len; i++)
    {
      const LmIndexBuild *build = get_build (check->part, i);
      add_file (check, directory, get_build_line (check->part, i), &build->digest, build->size, build->urls);
    }
  for (guint i = 0; i < check->part->builder->layers->len; i++)
    {
      const LmIndexLayer *layer = &g_array_index (check->part->builder->layers, LmIndexLayer, i);
      guint line = g_array_index (check->part->layer_lines, guint, i);
      add_blob (check, directory, line, layer->kernel);
      if (layer->initrd != layer->kernel)
        add_blob (check, directory, line, layer->initrd);
    }
}

static void
check_whole (Check *check, const char *base_url)
{
  for (guint i = 0; i < check->part->builder->layers->len; i++)
    add_entry (check, &g_array_index (check->part->builder->layers, LmIndexLayer, i), i);
  check_duplicates (check);
  check_builds (check);
  check_groups (check);
  for (guint i = 0; i < check->entries->len; i++)
    check_entry (check, g_ptr_array_index (check->entries, i));
  list_files (check, base_url);
  check->report->layers = check->entries->len;
  check->report->builds = check->part->builder->builds->len;
}

LmCatalogReport *
lm_catalog_check (const char *base_url, const char *text, gsize size, const LmCatalogSet *others)
{
  LmCatalogReport *report = g_new0 (LmCatalogReport, 1);
  report->problems = g_ptr_array_new_with_free_func ((GDestroyNotify) problem_free);
  report->files = g_ptr_array_new_with_free_func ((GDestroyNotify) file_free);
  const LmCatalogOrigin origin = { .document = "catalog", .base_url = base_url };
  g_autoptr (LmCatalogPart) part = lm_catalog_part_new (&origin, TRUE);
  g_autoptr (GPtrArray) problems = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;
  part->fields.problems = problems;
  gboolean whole = lm_catalog_part_read (part, text, size, 1, FALSE, &error);
  for (guint i = 0; i < problems->len; i++)
    add_message (report, origin.document, g_ptr_array_index (problems, i), FALSE);
  for (guint i = 0; i < part->fields.warnings->len; i++)
    add_message (report, origin.document, g_ptr_array_index (part->fields.warnings, i), TRUE);
  if (!whole)
    {
      add_message (report, origin.document, error->message, FALSE);
      lm_catalog_report_sort (report);
      return report;
    }
  g_auto (Check) check = { .report = report, .others = others, .part = part };
  check.entries = g_ptr_array_new_with_free_func ((GDestroyNotify) entry_free);
  check.by_name = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, (GDestroyNotify) g_ptr_array_unref);
  check.by_digest = g_hash_table_new (lm_digest_hash, lm_digest_equal_func);
  check.circles = g_hash_table_new (lm_digest_hash, lm_digest_equal_func);
  check_whole (&check, base_url);
  lm_catalog_report_sort (report);
  return report;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Measures the parts of "lamina plan" with a catalog of many layers: 20 systems,
 * runtimes built on two systems each, and applications in five versions each, which
 * require a runtime and are built on two builds of it.
 *
 *   bench-plan DIRECTORY LAYERS RUNS */
#include "config.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/hasher.h"
#include "plan/plan.h"

#include <fcntl.h>
#include <glib/gstdio.h>
#include <yaml.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define URL "http://lab.example/catalog/lab.yaml"
#define SYSTEMS 20
#define RUNTIMES 1000 /* number of layers: names times versions */
#define VERSIONS 5

/* Digests that do not belong to any file, but are as different from each other as real ones. */
static char *
digest (const char *kind, guint i, guint build)
{
  g_autofree char *text = g_strdup_printf ("%s %u %u", kind, i, build);
  g_autoptr (LmHasher) hasher = lm_hasher_new ();
  LmDigest d;
  lm_hasher_update (hasher, text, strlen (text));
  lm_hasher_peek (hasher, &d);
  return lm_digest_to_string (&d);
}

/* A catalog as people write it, or as programs write it. */
typedef struct
{
  const char *begin, *osinfo, *provides, *builds, *next_build, *end_layer, *next_layer, *end;
  gboolean json;
} Style;

static const Style yaml = {
  "lamina-catalog: 1\nname: lab\ngroups:\n  - {name: os, required: true}\n  - {name: runtime}\n"
  "  - {name: app, multiple: true}\nlayers:\n",
  "    osinfo: debian12\n    arch: x86_64\n", "    provides: [interpreter]\n", "    builds:\n", "", "", "", "", FALSE,
};

static const Style json = {
  "{\"lamina-catalog\": 1, \"name\": \"lab\", \"groups\": [{\"name\": \"os\", \"required\": true}, {\"name\": \"runtime\"}, "
  "{\"name\": \"app\", \"multiple\": true}], \"layers\": [",
  "\"osinfo\": \"debian12\", \"arch\": \"x86_64\", ", "\"provides\": [\"interpreter\"], ", "\"builds\": [", ", ", "]}", ", ", "]}", TRUE,
};

static void
add_build (const Style *style, GString *text, const char *kind, guint i, guint build, const char *parent_kind, guint parent,
           guint parent_build)
{
  g_autofree char *own = digest (kind, i, build);
  g_autofree char *below = parent_kind ? digest (parent_kind, parent, parent_build) : NULL;
  const char *quote = style->json ? "\"" : "";
  g_string_append (text, style->json ? "{" : "      - {");
  if (below != NULL)
    g_string_append_printf (text, "%sparent%s: \"%s\", ", quote, quote, below);
  g_string_append_printf (text, "%sdigest%s: \"%s\", %ssize%s: %u, %surls%s: [%s%s-%u-%u.qcow2%s]}%s", quote, quote, own, quote,
                          quote, 1000000 + i % 977, quote, quote, quote, kind, i, build, quote, style->json ? "" : "\n");
}

static void
add_head (const Style *style, GString *text, const char *kind, guint i, const char *group)
{
  guint name = i / VERSIONS, version = i % VERSIONS + 1;
  if (style->json)
    g_string_append_printf (text,
                            "{\"name\": \"%s-%u\", \"version\": \"%u.%u\", \"group\": \"%s\", "
                            "\"summary\": \"Layer %u of the kind %s\", ",
                            kind, name, version, i % 7, group, i, kind);
  else
    g_string_append_printf (text,
                            "  - name: %s-%u\n    version: \"%u.%u\"\n    group: %s\n    summary: Layer %u of the kind %s\n",
                            kind, name, version, i % 7, group, i, kind);
}

static void
add_requires (const Style *style, GString *text, const char *kind, guint i, guint version)
{
  if (style->json)
    g_string_append_printf (text, "\"requires\": [\"%s-%u >= %u\"], ", kind, i, version);
  else
    g_string_append_printf (text, "    requires: [\"%s-%u >= %u\"]\n", kind, i, version);
}

static char *
make_catalog (const Style *style, guint layers)
{
  GString *text = g_string_new (style->begin);
  for (guint i = 0; i < SYSTEMS; i++)
    {
      add_head (style, text, "system", i, "os");
      g_string_append_printf (text, "%s%s", style->osinfo, style->builds);
      add_build (style, text, "system", i, 0, NULL, 0, 0);
      g_string_append_printf (text, "%s%s", style->end_layer, style->next_layer);
    }
  for (guint i = 0; i < RUNTIMES; i++)
    {
      guint system = i / VERSIONS % (SYSTEMS / VERSIONS) * VERSIONS + VERSIONS - 1;
      add_head (style, text, "runtime", i, "runtime");
      g_string_append (text, style->provides);
      add_requires (style, text, "system", system / VERSIONS, 4);
      g_string_append (text, style->builds);
      add_build (style, text, "runtime", i, 0, "system", system, 0);
      g_string_append (text, style->next_build);
      add_build (style, text, "runtime", i, 1, "system", system - 1, 0);
      g_string_append_printf (text, "%s%s", style->end_layer, style->next_layer);
    }
  guint apps = layers - SYSTEMS - RUNTIMES;
  for (guint i = 0; i < apps; i++)
    {
      guint runtime = i / VERSIONS % (RUNTIMES / VERSIONS) * VERSIONS + VERSIONS - 1;
      add_head (style, text, "app", i, "app");
      add_requires (style, text, "runtime", runtime / VERSIONS, 2);
      g_string_append (text, style->builds);
      add_build (style, text, "app", i, 0, "runtime", runtime, 0);
      g_string_append (text, style->next_build);
      add_build (style, text, "app", i, 1, "runtime", runtime, 1);
      g_string_append_printf (text, "%s%s", style->end_layer, i + 1 < apps ? style->next_layer : style->end);
    }
  return g_string_free (text, FALSE);
}

static int
compare (const void *a, const void *b)
{
  double x = *(const double *) a, y = *(const double *) b;
  return (x > y) - (x < y);
}

static double
median (double *times, guint n)
{
  qsort (times, n, sizeof *times, compare);
  return (times[(n - 1) / 2] + times[n / 2]) / 2;
}

static gboolean
report (const char *what, double time, const char *against, double other, double bound)
{
  printf ("plan %s: %.1f ms, %s: %.1f ms; %.3f (bound %.3f)\n", what, time, against, other, time / other, bound);
  return time / other <= bound;
}

static double
now (void)
{
  return (double) g_get_monotonic_time () / 1000;
}

static gboolean
lookup (gpointer user_data, LmBlob *blob, gboolean *out_cached, char **out_path, GError **error)
{
  *out_path = lm_digest_file_name (&blob->digest, ".qcow2");
  *out_cached = blob->digest.bytes[0] & 1;
  return TRUE;
}

static LmCatalog *
load_text (const char *path)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) bytes = lm_file_read (path, G_MAXINT, NULL, &error);
  g_assert_no_error (error);
  gsize size;
  const char *text = g_bytes_get_data (bytes, &size);
  LmCatalog *catalog = lm_catalog_parse ("lab", NULL, URL, text, size, NULL, &error);
  g_assert_no_error (error);
  return catalog;
}

static LmCatalog *
load_index (const char *path)
{
  g_autoptr (GError) error = NULL;
  lm_autofd int fd = open (path, O_RDONLY | O_CLOEXEC);
  g_autoptr (GBytes) bytes = lm_fd_read_bytes (fd, path, G_MAXINT, &error);
  g_assert_no_error (error);
  LmCatalog *catalog = lm_catalog_load (bytes, "lab", NULL, URL, "stamp", &error);
  g_assert_no_error (error);
  return catalog;
}

static double
time_load (LmCatalog *(*load) (const char *), const char *path)
{
  double start = now ();
  LmCatalog *catalog = load (path);
  double end = now ();
  lm_catalog_free (catalog);
  return end - start;
}

/* Returns whether the end was reached; a text that is cut may end in an error. */
static gpointer
scan (gpointer bytes)
{
  yaml_parser_t parser;
  g_assert_true (yaml_parser_initialize (&parser));
  yaml_parser_set_input_string (&parser, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  gboolean ended = FALSE, good = TRUE;
  while (good && !ended)
    {
      yaml_token_t token;
      good = yaml_parser_scan (&parser, &token);
      ended = good && token.type == YAML_STREAM_END_TOKEN;
      yaml_token_delete (&token);
    }
  yaml_parser_delete (&parser);
  return GINT_TO_POINTER (ended);
}

/* Returns the time that libyaml alone needs to scan the same bytes. */
static double
time_scan (const char *path)
{
  double start = now ();
  g_autoptr (GBytes) bytes = lm_file_read (path, G_MAXINT, NULL, NULL);
  g_assert_nonnull (bytes);
  g_assert_nonnull (scan (bytes));
  return now () - start;
}

/* Returns the time that two threads need to scan half of the bytes each. With two idle
 * processors it is half of the above; with less it limits what lamina can reach. */
static double
time_two_scans (const char *path)
{
  double start = now ();
  g_autoptr (GBytes) bytes = lm_file_read (path, G_MAXINT, NULL, NULL);
  g_autoptr (GBytes) half = g_bytes_new_from_bytes (bytes, 0, g_bytes_get_size (bytes) / 2);
  GThread *thread = g_thread_new ("scan", scan, half);
  (void) scan (half);
  g_thread_join (thread);
  return now () - start;
}

/* Compares the time to load @path with that of a scan by libyaml, in alternating runs. */
static gboolean
compare_with_scan (const char *what, const char *path, guint runs, double *out_scan)
{
  g_autofree double *loads = g_new0 (double, runs);
  g_autofree double *scans = g_new0 (double, runs);
  g_autofree double *halves = g_new0 (double, runs);
  for (guint i = 0; i < runs; i++)
    {
      scans[i] = time_scan (path);
      halves[i] = time_two_scans (path);
      loads[i] = time_load (load_text, path);
    }
  *out_scan = median (scans, runs);
  printf ("  two threads that scan half of it each: %.3f of one that scans it all\n", median (halves, runs) / *out_scan);
  return report (what, median (loads, runs), "a bare scan of it", *out_scan, 0.8);
}

static double
time_plan (const LmCatalogSet *set, guint i, guint layers)
{
  g_autoptr (GError) error = NULL;
  guint apps = (layers - SYSTEMS - RUNTIMES) / VERSIONS;
  guint app = i * 7919 % apps;
  g_autofree char *one = g_strdup_printf ("app=app-%u", app);
  g_autofree char *two = g_strdup_printf ("runtime-%u", app % (RUNTIMES / VERSIONS));
  const char *selections[] = { one, two, NULL };
  LmPlanView view = { lookup, NULL };
  LmPlanOptions options = { .arch = "x86_64" };
  double start = now ();
  LmPlan *plan = lm_plan_new (set, selections, &options, &view, &error);
  double end = now ();
  g_assert_no_error (error);
  g_assert_cmpuint (plan->layers->len, ==, 3);
  lm_plan_free (plan);
  return end - start;
}

static char *
write_catalog (const Style *style, const char *directory, const char *name, guint layers)
{
  char *path = g_build_filename (directory, name, NULL);
  g_autofree char *text = make_catalog (style, layers);
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
  return path;
}

/* Returns the size in megabytes. */
static double
size_of (const char *path)
{
  GStatBuf status;
  g_assert_cmpint (g_stat (path, &status), ==, 0);
  return (double) status.st_size / 1e6;
}

int
main (int argc, char **argv)
{
  if (argc != 4)
    return 2;
  guint layers = (guint) g_ascii_strtoull (argv[2], NULL, 10), runs = (guint) g_ascii_strtoull (argv[3], NULL, 10);
  g_assert_cmpuint (layers, >=, SYSTEMS + RUNTIMES + 2 * RUNTIMES);
  g_assert_cmpuint (runs, >, 0);
  g_autofree char *yaml_path = write_catalog (&yaml, argv[1], "lab.yaml", layers);
  g_autofree char *json_path = write_catalog (&json, argv[1], "lab.json", layers);
  g_autofree char *index_path = g_build_filename (argv[1], "lab.index", NULL);

  g_autofree double *times = g_new0 (double, MAX (runs, 1000));
  double yaml_scan, json_scan;
  gboolean good = compare_with_scan ("load-yaml", yaml_path, runs, &yaml_scan);
  good &= compare_with_scan ("load-json", json_path, runs, &json_scan);

  g_autoptr (LmCatalog) parsed = load_text (yaml_path);
  g_autoptr (GBytes) serialized = lm_catalog_serialize (parsed, "stamp");
  g_assert_true (g_file_set_contents (index_path, g_bytes_get_data (serialized, NULL), (gssize) g_bytes_get_size (serialized), NULL));
  for (guint i = 0; i < runs; i++)
    times[i] = time_load (load_index, index_path);
  good &= report ("load-index", median (times, runs), "a bare scan of the YAML", yaml_scan, 0.1);

  g_autoptr (LmCatalogSet) set = lm_catalog_set_new ();
  lm_catalog_set_add (set, load_index (index_path), 0);
  for (guint i = 0; i < 1000; i++)
    times[i] = time_plan (set, i, layers);
  good &= report ("resolve-and-plan", median (times, 1000), "a bare scan of the YAML", yaml_scan, 0.01);
  printf ("  %u layers, %.1f MB of YAML, %.1f MB of JSON, %.1f MB of index; the slowest plan took %.1f ms\n", layers,
          size_of (yaml_path), size_of (json_path), size_of (index_path), times[999]);
  return good ? 0 : 1;
}

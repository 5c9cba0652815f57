/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/error.h"
#include "base/json.h"
#include "base/size.h"
#include "build/graph.h"
#include "cli/output.h"
#include "cli/package-source.h"

#include <stdio.h>

static const LmOption graph_options[] = {
  LM_PACKAGE_SOURCE_OPTIONS,
  { "dot", 0, LM_OPTION_FLAG, NULL, "print the graph for Graphviz", LM_COMPLETE_NONE },
  { NULL },
};

/* A package that was asked for, with what it needs. Lists are of nodes. */
typedef struct
{
  guint node;
  const GArray *direct;
  GArray *transitive;
  GArray *mutual;
  GArray *dependents; /* numbers of packages */
  guint64 download_size, installed_size; /* with everything it needs */
} Row;

typedef struct
{
  LmPackages *packages;
  LmGraph *graph;
  GPtrArray *rows; /* Row */
} View;

static void
free_row (gpointer data)
{
  Row *row = data;
  g_array_unref (row->transitive);
  g_array_unref (row->mutual);
  g_array_unref (row->dependents);
  g_free (row);
}

static LmPackage
package_of (const View *view, guint node)
{
  return lm_packages_get (view->packages, lm_graph_get_package (view->graph, node));
}

static void
add_size (const View *view, Row *row, guint node)
{
  const LmPackage package = package_of (view, node);
  row->download_size = lm_size_add (row->download_size, package.download_size);
  row->installed_size = lm_size_add (row->installed_size, package.installed_size);
}

static void
add_row (View *view, guint node)
{
  Row *row = g_new0 (Row, 1);
  row->node = node;
  row->direct = lm_graph_get_direct (view->graph, node);
  row->transitive = lm_graph_list_transitive (view->graph, node);
  row->mutual = lm_graph_list_mutual (view->graph, node);
  row->dependents = lm_packages_list_dependents (view->packages, lm_graph_get_package (view->graph, node));
  add_size (view, row, node);
  for (guint i = 0; i < row->transitive->len; i++)
    add_size (view, row, g_array_index (row->transitive, guint, i));
  g_ptr_array_add (view->rows, row);
}

/* The names of the packages @numbers, or of those nodes if @nodes is set. */
static char **
list_names (const View *view, const GArray *numbers, gboolean nodes)
{
  g_autoptr (GStrvBuilder) names = g_strv_builder_new ();
  for (guint i = 0; i < numbers->len; i++)
    {
      const guint number = g_array_index (numbers, guint, i);
      g_autofree char *name = lm_output_safe ((nodes ? package_of (view, number) : lm_packages_get (view->packages, number)).name);
      g_strv_builder_add (names, name);
    }
  return g_strv_builder_end (names);
}

static void
add_names_json (JsonBuilder *builder, const View *view, const char *key, const GArray *numbers, gboolean nodes)
{
  g_auto (GStrv) names = list_names (view, numbers, nodes);
  lm_json_add_strv (builder, key, names);
}

/* An index may have bytes in names that are not UTF-8. */
static void
add_safe_json (JsonBuilder *builder, const char *key, const char *text)
{
  g_autofree char *safe = lm_output_safe (text);
  lm_json_add_string (builder, key, safe);
}

static void
print_graph_json (const View *view)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "packages");
  json_builder_begin_array (builder);
  for (guint i = 0; i < view->rows->len; i++)
    {
      const Row *row = g_ptr_array_index (view->rows, i);
      const LmPackage package = package_of (view, row->node);
      json_builder_begin_object (builder);
      add_safe_json (builder, "name", package.name);
      add_safe_json (builder, "version", package.version);
      add_safe_json (builder, "architecture", package.architecture);
      lm_json_add_uint (builder, "download_size", package.download_size);
      lm_json_add_uint (builder, "installed_size", package.installed_size);
      lm_json_add_uint (builder, "total_download_size", row->download_size);
      lm_json_add_uint (builder, "total_installed_size", row->installed_size);
      add_names_json (builder, view, "direct", row->direct, TRUE);
      add_names_json (builder, view, "transitive", row->transitive, TRUE);
      add_names_json (builder, view, "mutual", row->mutual, TRUE);
      add_names_json (builder, view, "needed_by", row->dependents, FALSE);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  lm_output_json (builder);
}

static void
print_names (const View *view, const char *title, const GArray *nodes)
{
  g_auto (GStrv) names = list_names (view, nodes, TRUE);
  g_autofree char *joined = g_strjoinv (", ", names);
  if (nodes->len > 0)
    printf ("  %s: %s\n", title, joined);
}

static void
print_graph_table (const View *view)
{
  LmTable *table = lm_table_new ((const char *const[]){ "PACKAGE", "VERSION", ">DIRECT", ">TRANSITIVE", ">MUTUAL", ">NEEDED BY",
                                                        ">DOWNLOAD", ">INSTALLED", ">WITH ALL", NULL });
  for (guint i = 0; i < view->rows->len; i++)
    {
      const Row *row = g_ptr_array_index (view->rows, i);
      const LmPackage package = package_of (view, row->node);
      const guint counts[] = { row->direct->len, row->transitive->len, row->mutual->len, row->dependents->len };
      g_autofree char *download = lm_size_format (package.download_size), *installed = lm_size_format (package.installed_size);
      g_autofree char *all = lm_size_format (row->installed_size);
      char *texts[G_N_ELEMENTS (counts)];
      for (guint j = 0; j < G_N_ELEMENTS (counts); j++)
        texts[j] = g_strdup_printf ("%u", counts[j]);
      lm_table_add (table, (const char *const[]){ package.name, package.version, texts[0], texts[1], texts[2], texts[3],
                                                  package.download_size ? download : NULL, installed, all });
      for (guint j = 0; j < G_N_ELEMENTS (counts); j++)
        g_free (texts[j]);
    }
  lm_table_print (table);
  for (guint i = 0; i < view->rows->len; i++)
    {
      const Row *row = g_ptr_array_index (view->rows, i);
      g_autofree char *name = lm_output_safe (package_of (view, row->node).name);
      printf ("\n%s\n", name);
      print_names (view, "direct", row->direct);
      print_names (view, "mutual", row->mutual);
    }
}

/* A name in the language of Graphviz, quoted. */
static char *
quote_for_dot (const char *text)
{
  g_autofree char *safe = lm_output_safe (text);
  g_auto (GStrv) parts = g_strsplit (safe, "\\", -1);
  g_autofree char *doubled = g_strjoinv ("\\\\", parts);
  g_auto (GStrv) quoted = g_strsplit (doubled, "\"", -1);
  g_autofree char *escaped = g_strjoinv ("\\\"", quoted);
  return g_strdup_printf ("\"%s\"", escaped);
}

/* Packages of a mutual group are drawn in a box of their own. @sizes are those of all groups. */
static void
print_dot_node (const View *view, guint node, const guint *sizes)
{
  g_autofree char *name = quote_for_dot (package_of (view, node).name);
  if (sizes[lm_graph_get_group (view->graph, node)] > 1)
    printf ("  subgraph cluster_%u { %s }\n", lm_graph_get_group (view->graph, node), name);
  else
    printf ("  %s\n", name);
  const GArray *direct = lm_graph_get_direct (view->graph, node);
  for (guint i = 0; i < direct->len; i++)
    {
      g_autofree char *target = quote_for_dot (package_of (view, g_array_index (direct, guint, i)).name);
      printf ("  %s -> %s\n", name, target);
    }
}

static void
print_graph_dot (const View *view)
{
  const guint n = lm_graph_get_size (view->graph);
  g_autofree guint *sizes = g_new0 (guint, n);
  for (guint node = 0; node < n; node++)
    sizes[lm_graph_get_group (view->graph, node)]++;
  puts ("digraph packages {\n  node [shape=box]");
  for (guint node = 0; node < n; node++)
    print_dot_node (view, node, sizes);
  puts ("}");
}

static gboolean
run_graph (const LmInvocation *invocation, GError **error)
{
  LmArgs *args = invocation->args;
  if (lm_args_has (args, "dot") && lm_args_has (args, "json"))
    return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "--dot and --json exclude each other");
  g_autoptr (LmPackages) packages = lm_package_source_load (invocation, error);
  if (packages == NULL)
    return FALSE;
  g_auto (GStrv) wanted = lm_args_unique_words (args);
  g_autoptr (GArray) ids = lm_packages_resolve (packages, (const char *const *) wanted, g_strv_length (wanted),
                                                lm_args_has (args, "recommended"), error);
  if (ids == NULL)
    return FALSE;
  g_autoptr (LmGraph) graph = lm_graph_new (packages, ids, lm_args_has (args, "recommended"));
  g_autoptr (GPtrArray) rows = g_ptr_array_new_with_free_func (free_row);
  View view = { packages, graph, rows };
  for (char **name = wanted; *name; name++)
    add_row (&view, lm_graph_find (graph, lm_packages_find (packages, *name, ids)));
  if (lm_args_has (args, "dot"))
    print_graph_dot (&view);
  else if (lm_args_has (args, "json"))
    print_graph_json (&view);
  else
    print_graph_table (&view);
  return TRUE;
}

const LmVerb lm_verb_graph = {
  .name = "graph",
  .page = "lamina-group",
  .synopsis = "PACKAGE...",
  .summary = "show what packages need and how large they are",
  .min_words = 1,
  .max_words = G_MAXUINT,
  .options = graph_options,
  .run = run_graph,
};

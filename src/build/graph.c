/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "build/graph.h"
#include "build/numbers.h"

#include <string.h>

typedef struct
{
  guint id;       /* of the package */
  char *name;     /* for sorting */
  GArray *direct; /* guint */
  guint group;
} Node;

struct _LmGraph
{
  GPtrArray *nodes;   /* Node, by name */
  GHashTable *of_id;  /* GUINT_TO_POINTER (id) -> GUINT_TO_POINTER (node + 1) */
};

static void
free_node (gpointer data)
{
  Node *node = data;
  g_free (node->name);
  g_array_unref (node->direct);
  g_free (node);
}

static int
compare_nodes (gconstpointer a, gconstpointer b)
{
  const Node *one = *(const Node *const *) a, *other = *(const Node *const *) b;
  const int order = strcmp (one->name, other->name);
  return order ? order : (one->id > other->id) - (one->id < other->id);
}

static const Node *
node_at (const LmGraph *graph, guint node)
{
  return g_ptr_array_index (graph->nodes, node);
}

/* Tarjan, "Depth-first search and linear graph algorithms" (1972), with a stack of its own
 * instead of recursion, because dependencies can be thousands deep. */
typedef struct
{
  LmGraph *graph;
  guint *order;   /* of discovery, from 1; 0: not discovered */
  guint *low;     /* the smallest order that can be reached */
  guint *next;    /* which edge is followed next */
  GArray *path;   /* nodes being visited */
  GArray *open;   /* nodes whose group is not known yet */
  guint discovered, groups;
} Search;

#define NO_GROUP G_MAXUINT

static void
discover (Search *search, guint node)
{
  search->order[node] = search->low[node] = ++search->discovered;
  g_array_append_val (search->path, node);
  g_array_append_val (search->open, node);
}

/* Everything that @node leads to has been visited. */
static void
leave (Search *search, guint node)
{
  g_array_set_size (search->path, search->path->len - 1);
  if (search->path->len > 0)
    {
      const guint parent = g_array_index (search->path, guint, search->path->len - 1);
      search->low[parent] = MIN (search->low[parent], search->low[node]);
    }
  if (search->low[node] != search->order[node])
    return;
  for (guint member = G_MAXUINT; member != node;)
    {
      member = g_array_index (search->open, guint, search->open->len - 1);
      g_array_set_size (search->open, search->open->len - 1);
      ((Node *) g_ptr_array_index (search->graph->nodes, member))->group = search->groups;
    }
  search->groups++;
}

static void
visit_from (Search *search, guint start)
{
  discover (search, start);
  while (search->path->len > 0)
    {
      const guint node = g_array_index (search->path, guint, search->path->len - 1);
      const GArray *direct = node_at (search->graph, node)->direct;
      if (search->next[node] == direct->len)
        {
          leave (search, node);
          continue;
        }
      const guint target = g_array_index (direct, guint, search->next[node]++);
      if (search->order[target] == 0)
        discover (search, target);
      else if (node_at (search->graph, target)->group == NO_GROUP)
        search->low[node] = MIN (search->low[node], search->order[target]);
    }
}

static void
find_groups (LmGraph *graph)
{
  const guint n = graph->nodes->len;
  g_autofree guint *order = g_new0 (guint, n), *low = g_new0 (guint, n), *next = g_new0 (guint, n);
  g_autoptr (GArray) path = lm_numbers_new ();
  g_autoptr (GArray) open = lm_numbers_new ();
  Search search = { graph, order, low, next, path, open, 0, 0 };
  for (guint node = 0; node < n; node++)
    if (order[node] == 0)
      visit_from (&search, node);
}

LmGraph *
lm_graph_new (LmPackages *packages, const GArray *ids, gboolean recommended)
{
  LmGraph *graph = g_new0 (LmGraph, 1);
  graph->nodes = g_ptr_array_new_full (ids->len, free_node);
  graph->of_id = g_hash_table_new (NULL, NULL);
  for (guint i = 0; i < ids->len; i++)
    {
      Node *node = g_new0 (Node, 1);
      node->id = g_array_index (ids, guint, i);
      node->name = g_strdup (lm_packages_get (packages, node->id).name);
      node->group = NO_GROUP;
      g_ptr_array_add (graph->nodes, node);
    }
  g_ptr_array_sort (graph->nodes, compare_nodes);
  for (guint i = 0; i < graph->nodes->len; i++)
    g_hash_table_insert (graph->of_id, GUINT_TO_POINTER (node_at (graph, i)->id), GUINT_TO_POINTER (i + 1));
  for (guint i = 0; i < graph->nodes->len; i++)
    {
      Node *node = g_ptr_array_index (graph->nodes, i);
      node->direct = lm_packages_list_needs (packages, node->id, recommended, ids);
      for (guint j = 0; j < node->direct->len; j++)
        g_array_index (node->direct, guint, j) = lm_graph_find (graph, g_array_index (node->direct, guint, j));
      lm_numbers_sort (node->direct);
    }
  find_groups (graph);
  return graph;
}

void
lm_graph_free (LmGraph *graph)
{
  if (graph == NULL)
    return;
  g_ptr_array_unref (graph->nodes);
  g_hash_table_unref (graph->of_id);
  g_free (graph);
}

guint
lm_graph_get_size (const LmGraph *graph)
{
  return graph->nodes->len;
}

guint
lm_graph_get_package (const LmGraph *graph, guint node)
{
  return node_at (graph, node)->id;
}

guint
lm_graph_find (const LmGraph *graph, guint id)
{
  return GPOINTER_TO_UINT (g_hash_table_lookup (graph->of_id, GUINT_TO_POINTER (id))) - 1;
}

const GArray *
lm_graph_get_direct (const LmGraph *graph, guint node)
{
  return node_at (graph, node)->direct;
}

GArray *
lm_graph_list_transitive (const LmGraph *graph, guint node)
{
  g_autofree gboolean *seen = g_new0 (gboolean, graph->nodes->len);
  g_autoptr (GArray) pending = lm_numbers_new ();
  GArray *transitive = lm_numbers_new ();
  seen[node] = TRUE;
  g_array_append_val (pending, node);
  while (pending->len > 0)
    {
      const GArray *direct = node_at (graph, g_array_index (pending, guint, pending->len - 1))->direct;
      g_array_set_size (pending, pending->len - 1);
      for (guint i = 0; i < direct->len; i++)
        {
          const guint target = g_array_index (direct, guint, i);
          if (seen[target])
            continue;
          seen[target] = TRUE;
          g_array_append_val (pending, target);
          g_array_append_val (transitive, target);
        }
    }
  lm_numbers_sort (transitive);
  return transitive;
}

guint
lm_graph_get_group (const LmGraph *graph, guint node)
{
  return node_at (graph, node)->group;
}

GArray *
lm_graph_list_mutual (const LmGraph *graph, guint node)
{
  GArray *mutual = lm_numbers_new ();
  for (guint i = 0; i < graph->nodes->len; i++)
    if (i != node && node_at (graph, i)->group == node_at (graph, node)->group)
      g_array_append_val (mutual, i);
  return mutual;
}

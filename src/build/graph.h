/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The dependency graph of packages that are installed together. A node is a package, an
 * edge leads to a package that fulfils one of its dependencies. Pure. Nodes are numbered
 * from 0 in the order of their names. */
#include "build/packages.h"

typedef struct _LmGraph LmGraph;

/** lm_graph_new: returns the graph of the packages @ids, numbers in ascending order as
 * lm_packages_resolve() returns them; never NULL. With @recommended, edges also lead to what
 * packages recommend. @packages must outlive it. */
LmGraph *lm_graph_new (LmPackages *packages, const GArray *ids, gboolean recommended);
/** lm_graph_free: frees @graph; NULL is ignored. */
void lm_graph_free (LmGraph *graph);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmGraph, lm_graph_free)

/** lm_graph_get_size: returns the number of nodes. */
guint lm_graph_get_size (const LmGraph *graph);

/** lm_graph_get_package: returns the number of the package of @node. */
guint lm_graph_get_package (const LmGraph *graph, guint node);

/** lm_graph_find: returns the node of the package @id, or G_MAXUINT if it has none. */
guint lm_graph_find (const LmGraph *graph, guint id);

/** lm_graph_get_direct: returns the nodes (guint) that @node needs itself, in ascending
 * order. Owned by @graph. */
const GArray *lm_graph_get_direct (const LmGraph *graph, guint node);

/** lm_graph_list_transitive: returns all nodes that @node needs, directly or not, in
 * ascending order and without @node. */
GArray *lm_graph_list_transitive (const LmGraph *graph, guint node);

/** lm_graph_get_group: returns the number of the mutual group of @node: the nodes that
 * need each other, directly or not, and are thus always installed together (a strongly
 * connected component). Groups are numbered from 0, what is needed before what needs it. */
guint lm_graph_get_group (const LmGraph *graph, guint node);

/** lm_graph_list_mutual: returns the other nodes of the mutual group of @node, in
 * ascending order. */
GArray *lm_graph_list_mutual (const LmGraph *graph, guint node);

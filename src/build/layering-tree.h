/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The tree of a layering while it is sought, with the cost of covering each subtree.
 * Packages that the same roles need are one class, because they always belong together;
 * costs are bytes per launch. For src/build/layering*.c only. */
#include "build/layering.h"

typedef struct
{
  guint n_classes, n_roles;
  double *sizes;       /* of the classes, in bytes */
  guint *class_of;     /* of a package; G_MAXUINT if no role needs it */
  double *weights;     /* of the roles; their sum is 1 */
  GPtrArray *members;  /* for each role a GArray of classes, ascending */
} LmLayeringClasses;

/** lm_layering_classes_new: returns the classes of @input; never NULL. */
LmLayeringClasses *lm_layering_classes_new (const LmLayeringInput *input);
/** lm_layering_classes_free: frees @classes; NULL is ignored. */
void lm_layering_classes_free (LmLayeringClasses *classes);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmLayeringClasses, lm_layering_classes_free)

#define LM_TREE_NONE G_MAXUINT

/* A node is a layer, or will be if a class finds its best place there. A leaf is a role. */
typedef struct
{
  guint parent;     /* LM_TREE_NONE for the root */
  GArray *children; /* guint */
  guint role;       /* LM_TREE_NONE unless a leaf */
  gboolean used;    /* otherwise it is not in the tree */
  double weight;    /* of the roles below */
  double price;     /* of a byte that is placed here, without excess */
  double *wanted;   /* for each class the weight of the roles below that need it */
  double *sum;      /* for each class the cost of covering the children separately */
  double *best;     /* for each class the cost of covering the subtree */
} LmTreeNode;

typedef struct
{
  const LmLayeringClasses *classes;
  guint max_layers;
  GPtrArray *nodes; /* LmTreeNode; the roles, then the root, then the others */
  guint root;
  struct { double weight, *wanted, *best; } change; /* for the ancestors of a node that changes */
} LmTree;

/** lm_tree_new: returns a tree in which all roles are children of the root. */
LmTree *lm_tree_new (const LmLayeringClasses *classes, guint max_layers);
/** lm_tree_free: frees @tree; NULL is ignored. */
void lm_tree_free (LmTree *tree);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmTree, lm_tree_free)

/** lm_tree_node: returns the node with the number @node. */
LmTreeNode *lm_tree_node (const LmTree *tree, guint node);

/** lm_tree_cost: returns the objective. */
double lm_tree_cost (const LmTree *tree);

/** lm_layering_moved: returns how many bytes a launch is expected to pull of each byte that
 * roles with the share @weight of the launches have; the mean over hosts (layering.h). */
double lm_layering_moved (double weight);

/** lm_tree_place_cost: returns the cost of placing the class @class in @node. */
double lm_tree_place_cost (const LmTree *tree, const LmTreeNode *node, guint class);

/** lm_tree_detach: removes the subtree @node from its parent. A parent that is left with
 * one child is replaced by it. */
void lm_tree_detach (LmTree *tree, guint node);

/** lm_tree_attach: makes the detached @node a child of @parent. */
void lm_tree_attach (LmTree *tree, guint node, guint parent);

/** lm_tree_join: puts a new node in the place of @sibling, with @sibling and the detached
 * @node as its children. Returns the new node. */
guint lm_tree_join (LmTree *tree, guint node, guint sibling);

/** lm_tree_contract: removes the inner node @node; its children become its parent's. */
void lm_tree_contract (LmTree *tree, guint node);

/** lm_tree_own_gain: returns how much less the inner @node costs than covering its
 * children separately; other nodes are not considered. */
double lm_tree_own_gain (const LmTree *tree, guint node);

/** lm_tree_recompute: computes all costs again, without the rounding errors that changes
 * have accumulated. */
void lm_tree_recompute (LmTree *tree);

/** lm_tree_depth: returns the number of nodes from the root to @node, both counted. */
guint lm_tree_depth (const LmTree *tree, guint node);

/** lm_tree_height: returns the number of nodes from @node down to its deepest leaf, both counted. */
guint lm_tree_height (const LmTree *tree, guint node);

/** lm_tree_joined_gain: returns how much less a common node for the two subtrees costs
 * than covering them separately; other nodes are not considered. */
double lm_tree_joined_gain (const LmTree *tree, guint one, guint other);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "build/layering-tree.h"
#include "build/numbers.h"

#include <string.h>

/* How many roles a host has launched before, for the mean of what is moved. */
static const guint launches[] = { 1, 5, 20 };

/* What all roles have in common of the launches, so that none has nothing. */
#define MIN_SHARE 1e-6

/* ---- classes */

double
lm_layering_share (const LmLayeringInput *input, guint role)
{
  const double equal = 1.0 / input->n_roles;
  double total = 0;
  for (guint i = 0; i < input->n_roles; i++)
    total += input->roles[i].weight;
  return total > 0 ? input->roles[role].weight / total * (1 - MIN_SHARE) + equal * MIN_SHARE : equal;
}

/* The roles that need a package, as a set of bits, and its number. */
typedef struct
{
  guint64 *roles;
  guint words;
  guint package;
} Need;

static int
compare_needs (gconstpointer a, gconstpointer b)
{
  const Need *one = a, *other = b;
  const int order = memcmp (one->roles, other->roles, one->words * sizeof (guint64));
  return order ? order : (one->package > other->package) - (one->package < other->package);
}

static gboolean
is_needed (const Need *need)
{
  for (guint i = 0; i < need->words; i++)
    if (need->roles[i] != 0)
      return TRUE;
  return FALSE;
}

/* Numbers the classes and adds up their sizes; @needs is sorted. */
static void
number_classes (LmLayeringClasses *classes, const Need *needs, const LmLayeringInput *input)
{
  classes->sizes = g_new0 (double, input->n_packages + 1);
  classes->class_of = g_new (guint, input->n_packages + 1);
  for (guint i = 0; i < input->n_packages; i++)
    {
      classes->class_of[needs[i].package] = G_MAXUINT;
      if (!is_needed (&needs[i]))
        continue;
      if (i == 0 || memcmp (needs[i].roles, needs[i - 1].roles, needs[i].words * sizeof (guint64)) != 0)
        classes->n_classes++;
      classes->class_of[needs[i].package] = classes->n_classes - 1;
      classes->sizes[classes->n_classes - 1] += (double) input->sizes[needs[i].package];
    }
}

static GArray *
list_members (const LmLayeringClasses *classes, const GArray *packages)
{
  GArray *members = lm_numbers_new ();
  for (guint i = 0; i < packages->len; i++)
    g_array_append_val (members, classes->class_of[g_array_index (packages, guint, i)]);
  lm_numbers_sort (members);
  return members;
}

LmLayeringClasses *
lm_layering_classes_new (const LmLayeringInput *input)
{
  LmLayeringClasses *classes = g_new0 (LmLayeringClasses, 1);
  const guint words = (input->n_roles + 63) / 64;
  g_autofree guint64 *bits = g_new0 (guint64, (gsize) words * (input->n_packages + 1));
  g_autofree Need *needs = g_new0 (Need, input->n_packages + 1);
  classes->n_roles = input->n_roles;
  for (guint i = 0; i < input->n_packages; i++)
    needs[i] = (Need){ bits + (gsize) words * i, words, i };
  for (guint role = 0; role < input->n_roles; role++)
    {
      const GArray *packages = input->roles[role].packages;
      for (guint i = 0; i < packages->len; i++)
        needs[g_array_index (packages, guint, i)].roles[role / 64] |= G_GUINT64_CONSTANT (1) << (role % 64);
    }
  qsort (needs, input->n_packages, sizeof (Need), compare_needs);
  number_classes (classes, needs, input);
  classes->weights = g_new (double, input->n_roles);
  classes->members = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);
  for (guint role = 0; role < input->n_roles; role++)
    {
      classes->weights[role] = lm_layering_share (input, role);
      g_ptr_array_add (classes->members, list_members (classes, input->roles[role].packages));
    }
  return classes;
}

void
lm_layering_classes_free (LmLayeringClasses *classes)
{
  if (classes == NULL)
    return;
  g_free (classes->sizes);
  g_free (classes->class_of);
  g_free (classes->weights);
  g_ptr_array_unref (classes->members);
  g_free (classes);
}

/* ---- the tree */

static void
free_tree_node (gpointer data)
{
  LmTreeNode *node = data;
  g_array_unref (node->children);
  g_free (node->wanted);
  g_free (node->sum);
  g_free (node->best);
  g_free (node);
}

LmTreeNode *
lm_tree_node (const LmTree *tree, guint node)
{
  return g_ptr_array_index (tree->nodes, node);
}

double
lm_layering_moved (double weight)
{
  double moved = 0;
  for (gsize i = 0; i < G_N_ELEMENTS (launches); i++)
    {
      double missing = weight;
      for (guint n = 0; n < launches[i]; n++)
        missing *= 1 - weight;
      moved += missing;
    }
  return moved / G_N_ELEMENTS (launches);
}

static double
price_of (const LmTree *tree, double weight)
{
  return 1.0 / tree->classes->n_roles + lm_layering_moved (weight);
}

double
lm_tree_place_cost (const LmTree *tree, const LmTreeNode *node, guint class)
{
  return tree->classes->sizes[class] * (node->price + (node->weight - node->wanted[class]));
}

static void
set_weight (LmTree *tree, LmTreeNode *node, double weight)
{
  node->weight = weight;
  node->price = price_of (tree, weight);
}

/* Finds the best costs of @node from the sums over its children. */
static void
update_best (LmTree *tree, LmTreeNode *node)
{
  const double *sizes = tree->classes->sizes;
  const double base = node->price + node->weight;
  for (guint c = 0; c < tree->classes->n_classes; c++)
    {
      const double place = sizes[c] * (base - node->wanted[c]);
      node->best[c] = MIN (place, node->sum[c]);
    }
}

static guint
new_node (LmTree *tree, guint role)
{
  for (guint i = tree->classes->n_roles; i < tree->nodes->len; i++)
    if (!lm_tree_node (tree, i)->used)
      {
        LmTreeNode *node = lm_tree_node (tree, i);
        node->used = TRUE;
        node->parent = LM_TREE_NONE;
        return i;
      }
  LmTreeNode *node = g_new0 (LmTreeNode, 1);
  node->parent = LM_TREE_NONE;
  node->role = role;
  node->used = TRUE;
  node->children = lm_numbers_new ();
  node->wanted = g_new0 (double, tree->classes->n_classes + 1);
  node->sum = g_new0 (double, tree->classes->n_classes + 1);
  node->best = g_new0 (double, tree->classes->n_classes + 1);
  g_ptr_array_add (tree->nodes, node);
  return tree->nodes->len - 1;
}

static void
new_leaf (LmTree *tree, guint role)
{
  LmTreeNode *node = lm_tree_node (tree, new_node (tree, role));
  const GArray *members = g_ptr_array_index (tree->classes->members, role);
  set_weight (tree, node, tree->classes->weights[role]);
  for (guint i = 0; i < members->len; i++)
    {
      const guint c = g_array_index (members, guint, i);
      node->wanted[c] = node->weight;
      node->best[c] = tree->classes->sizes[c] * node->price;
    }
}

/* Adds the contribution of @child to @node, which is then not up to date. */
static void
add_child_costs (LmTree *tree, LmTreeNode *node, const LmTreeNode *child)
{
  node->weight += child->weight;
  for (guint c = 0; c < tree->classes->n_classes; c++)
    {
      node->wanted[c] += child->wanted[c];
      node->sum[c] += child->best[c];
    }
}

static void
recompute (LmTree *tree, guint number)
{
  LmTreeNode *node = lm_tree_node (tree, number);
  node->weight = 0;
  memset (node->wanted, 0, sizeof (double) * tree->classes->n_classes);
  memset (node->sum, 0, sizeof (double) * tree->classes->n_classes);
  for (guint i = 0; i < node->children->len; i++)
    add_child_costs (tree, node, lm_tree_node (tree, g_array_index (node->children, guint, i)));
  set_weight (tree, node, node->weight);
  update_best (tree, node);
}

/* What changes for the ancestors of a node: by how much its weight, for each class the
 * weight of the roles that need it, and the cost grow. */
static void
clear_change (LmTree *tree)
{
  tree->change.weight = 0;
  memset (tree->change.wanted, 0, sizeof (double) * tree->classes->n_classes);
  memset (tree->change.best, 0, sizeof (double) * tree->classes->n_classes);
}

static void
change_by (LmTree *tree, const LmTreeNode *child, double sign)
{
  tree->change.weight += sign * child->weight;
  for (guint c = 0; c < tree->classes->n_classes; c++)
    {
      tree->change.wanted[c] += sign * child->wanted[c];
      tree->change.best[c] += sign * child->best[c];
    }
}

/* Applies the change to @node and its ancestors. */
static void
propagate (LmTree *tree, guint number)
{
  const double *sizes = tree->classes->sizes, *wanted = tree->change.wanted;
  double *change = tree->change.best;
  for (; number != LM_TREE_NONE; number = lm_tree_node (tree, number)->parent)
    {
      LmTreeNode *node = lm_tree_node (tree, number);
      set_weight (tree, node, node->weight + tree->change.weight);
      const double base = node->price + node->weight;
      for (guint c = 0; c < tree->classes->n_classes; c++)
        {
          node->wanted[c] += wanted[c];
          node->sum[c] += change[c];
          const double place = sizes[c] * (base - node->wanted[c]), best = MIN (place, node->sum[c]);
          change[c] = best - node->best[c];
          node->best[c] = best;
        }
    }
}

LmTree *
lm_tree_new (const LmLayeringClasses *classes, guint max_layers)
{
  LmTree *tree = g_new0 (LmTree, 1);
  tree->classes = classes;
  tree->max_layers = max_layers;
  tree->nodes = g_ptr_array_new_with_free_func (free_tree_node);
  tree->change.wanted = g_new0 (double, classes->n_classes + 1);
  tree->change.best = g_new0 (double, classes->n_classes + 1);
  for (guint role = 0; role < classes->n_roles; role++)
    new_leaf (tree, role);
  tree->root = new_node (tree, LM_TREE_NONE);
  LmTreeNode *root = lm_tree_node (tree, tree->root);
  for (guint role = 0; role < classes->n_roles; role++)
    {
      g_array_append_val (root->children, role);
      lm_tree_node (tree, role)->parent = tree->root;
    }
  recompute (tree, tree->root);
  return tree;
}

void
lm_tree_free (LmTree *tree)
{
  if (tree == NULL)
    return;
  g_ptr_array_unref (tree->nodes);
  g_free (tree->change.wanted);
  g_free (tree->change.best);
  g_free (tree);
}

double
lm_tree_cost (const LmTree *tree)
{
  const LmTreeNode *root = lm_tree_node (tree, tree->root);
  double cost = 0;
  for (guint c = 0; c < tree->classes->n_classes; c++)
    cost += root->best[c];
  return cost;
}

static void
remove_child (LmTree *tree, guint parent, guint child)
{
  GArray *children = lm_tree_node (tree, parent)->children;
  guint i = 0;
  while (g_array_index (children, guint, i) != child)
    i++;
  g_array_remove_index (children, i);
}

static void
add_child (LmTree *tree, guint parent, guint child)
{
  g_array_append_val (lm_tree_node (tree, parent)->children, child);
  lm_tree_node (tree, child)->parent = parent;
}

/* Removes the inner @node; its children become its parent's. Adds what that changes. */
static guint
dissolve (LmTree *tree, guint node)
{
  LmTreeNode *self = lm_tree_node (tree, node);
  const guint parent = self->parent;
  remove_child (tree, parent, node);
  change_by (tree, self, -1);
  for (guint i = 0; i < self->children->len; i++)
    {
      const guint child = g_array_index (self->children, guint, i);
      add_child (tree, parent, child);
      change_by (tree, lm_tree_node (tree, child), 1);
    }
  g_array_set_size (self->children, 0);
  self->used = FALSE;
  return parent;
}

void
lm_tree_detach (LmTree *tree, guint node)
{
  LmTreeNode *self = lm_tree_node (tree, node);
  guint parent = self->parent;
  remove_child (tree, parent, node);
  self->parent = LM_TREE_NONE;
  clear_change (tree);
  if (parent != tree->root && lm_tree_node (tree, parent)->children->len == 1)
    parent = dissolve (tree, parent);
  else
    change_by (tree, self, -1);
  propagate (tree, parent);
}

void
lm_tree_attach (LmTree *tree, guint node, guint parent)
{
  add_child (tree, parent, node);
  clear_change (tree);
  change_by (tree, lm_tree_node (tree, node), 1);
  propagate (tree, parent);
}

guint
lm_tree_join (LmTree *tree, guint node, guint sibling)
{
  const guint parent = lm_tree_node (tree, sibling)->parent, joined = new_node (tree, LM_TREE_NONE);
  remove_child (tree, parent, sibling);
  add_child (tree, parent, joined);
  add_child (tree, joined, sibling);
  add_child (tree, joined, node);
  recompute (tree, joined);
  clear_change (tree);
  change_by (tree, lm_tree_node (tree, sibling), -1);
  change_by (tree, lm_tree_node (tree, joined), 1);
  propagate (tree, parent);
  return joined;
}

void
lm_tree_contract (LmTree *tree, guint node)
{
  clear_change (tree);
  propagate (tree, dissolve (tree, node));
}

double
lm_tree_own_gain (const LmTree *tree, guint node)
{
  const LmTreeNode *self = lm_tree_node (tree, node);
  double gain = 0;
  for (guint c = 0; c < tree->classes->n_classes; c++)
    gain += self->sum[c] - self->best[c];
  return gain;
}

static void
recompute_below (LmTree *tree, guint node)
{
  const LmTreeNode *self = lm_tree_node (tree, node);
  for (guint i = 0; i < self->children->len; i++)
    recompute_below (tree, g_array_index (self->children, guint, i));
  if (self->role == LM_TREE_NONE)
    recompute (tree, node);
}

void
lm_tree_recompute (LmTree *tree)
{
  recompute_below (tree, tree->root);
}

guint
lm_tree_depth (const LmTree *tree, guint node)
{
  guint depth = 0;
  for (; node != LM_TREE_NONE; node = lm_tree_node (tree, node)->parent)
    depth++;
  return depth;
}

guint
lm_tree_height (const LmTree *tree, guint node)
{
  const GArray *children = lm_tree_node (tree, node)->children;
  guint height = 0;
  for (guint i = 0; i < children->len; i++)
    height = MAX (height, lm_tree_height (tree, g_array_index (children, guint, i)));
  return height + 1;
}

double
lm_tree_joined_gain (const LmTree *tree, guint one, guint other)
{
  const LmTreeNode *a = lm_tree_node (tree, one), *b = lm_tree_node (tree, other);
  const double *sizes = tree->classes->sizes;
  const double weight = a->weight + b->weight, base = price_of (tree, weight) + weight;
  double gain = 0;
  for (guint c = 0; c < tree->classes->n_classes; c++)
    {
      const double separate = a->best[c] + b->best[c], place = sizes[c] * (base - a->wanted[c] - b->wanted[c]);
      gain += separate > place ? separate - place : 0;
    }
  return gain;
}

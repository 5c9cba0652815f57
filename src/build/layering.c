/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "build/layering.h"
#include "build/layering-tree.h"
#include "build/numbers.h"

#include <math.h>

/* How many of the places that gain most by themselves are tried for a subtree. */
#define TRIED_PLACES 16
/* A smaller improvement, relative to the whole cost, is a rounding error. */
#define MIN_IMPROVEMENT 1e-9
/* All subtrees are tried again if that has gained this part of the cost. */
#define MIN_PROGRESS 1e-3

/* ---- joining */

/* Joins the two children of the root that gain most, again and again. */
static void
join_all (LmTree *tree)
{
  const LmTreeNode *root = lm_tree_node (tree, tree->root);
  const guint capacity = tree->classes->n_roles * 2 + 1;
  g_autofree double *gains = g_new0 (double, (gsize) capacity * capacity);
  /* By the numbers of the two nodes; at first these are the roles. */
  for (guint i = 0; i < root->children->len; i++)
    for (guint j = 0; j < i; j++)
      gains[i * capacity + j] = lm_tree_joined_gain (tree, i, j);
  for (;;)
    {
      double best = 0;
      guint one = 0, other = 0;
      for (guint i = 0; i < root->children->len; i++)
        for (guint j = 0; j < root->children->len; j++)
          {
            const guint a = g_array_index (root->children, guint, i), b = g_array_index (root->children, guint, j);
            if (a > b && gains[a * capacity + b] > best)
              best = gains[a * capacity + b], one = a, other = b;
          }
      if (best <= 0 || root->children->len <= 2)
        return;
      lm_tree_detach (tree, one);
      const guint joined = lm_tree_join (tree, one, other);
      for (guint i = 0; i < root->children->len; i++)
        {
          const guint a = g_array_index (root->children, guint, i);
          if (a != joined)
            gains[MAX (a, joined) * capacity + MIN (a, joined)] = lm_tree_joined_gain (tree, a, joined);
        }
    }
}

/* ---- the limit of a chain */

static gboolean
is_inner (const LmTree *tree, guint node)
{
  const LmTreeNode *self = lm_tree_node (tree, node);
  return self->used && self->role == LM_TREE_NONE && node != tree->root;
}

/* Removes inner nodes, those that gain least, until no chain is too long. */
static void
shorten (LmTree *tree)
{
  while (lm_tree_height (tree, tree->root) > tree->max_layers)
    {
      double least = INFINITY;
      guint chosen = LM_TREE_NONE;
      for (guint node = tree->classes->n_roles; node < tree->nodes->len; node++)
        {
          if (!is_inner (tree, node) || lm_tree_depth (tree, node) + lm_tree_height (tree, node) - 1 <= tree->max_layers)
            continue;
          const double gain = lm_tree_own_gain (tree, node);
          if (gain < least)
            least = gain, chosen = node;
        }
      lm_tree_contract (tree, chosen);
    }
}

/* ---- moving subtrees */

typedef struct
{
  guint node;    /* where to */
  gboolean join; /* a new node above it, instead of below it */
  double gain;   /* by itself, as lm_tree_joined_gain() says */
} Place;

static int
compare_places (gconstpointer a, gconstpointer b)
{
  const Place *one = a, *other = b;
  if (one->gain != other->gain)
    return one->gain < other->gain ? 1 : -1;
  return one->node != other->node ? (one->node > other->node) - (one->node < other->node) : one->join - other->join;
}

static gboolean
is_below (const LmTree *tree, guint node, guint ancestor)
{
  while (node != LM_TREE_NONE && node != ancestor)
    node = lm_tree_node (tree, node)->parent;
  return node == ancestor;
}

/* The most promising places for the detached subtree @moved. */
static GArray *
list_places (const LmTree *tree, guint moved)
{
  GArray *places = g_array_new (FALSE, FALSE, sizeof (Place));
  const guint height = lm_tree_height (tree, moved);
  for (guint node = 0; node < tree->nodes->len; node++)
    {
      const LmTreeNode *self = lm_tree_node (tree, node);
      if (!self->used || is_below (tree, node, moved))
        continue;
      const guint depth = lm_tree_depth (tree, node);
      Place place = { node, FALSE, lm_tree_joined_gain (tree, moved, node) };
      if (self->role == LM_TREE_NONE && depth + height <= tree->max_layers)
        g_array_append_val (places, place);
      place.join = TRUE;
      if (node != tree->root && depth + MAX (height, lm_tree_height (tree, node)) <= tree->max_layers)
        g_array_append_val (places, place);
    }
  g_array_sort (places, compare_places);
  g_array_set_size (places, MIN (places->len, TRIED_PLACES));
  return places;
}

static void
put (LmTree *tree, guint moved, const Place *place)
{
  if (place->join)
    (void) lm_tree_join (tree, moved, place->node);
  else
    lm_tree_attach (tree, moved, place->node);
}

/* Where the subtree @moved is, as a place for it after it was detached: a parent that would
 * have one child left is dissolved then. */
static Place
place_of (const LmTree *tree, guint moved)
{
  const guint parent = lm_tree_node (tree, moved)->parent;
  const GArray *siblings = lm_tree_node (tree, parent)->children;
  if (siblings->len != 2 || parent == tree->root)
    return (Place){ parent, FALSE, 0 };
  const gboolean first = g_array_index (siblings, guint, 0) == moved;
  return (Place){ g_array_index (siblings, guint, first ? 1 : 0), TRUE, 0 };
}

/* Moves the subtree @moved to where it costs least. */
static void
move_subtree (LmTree *tree, guint moved)
{
  double least = lm_tree_cost (tree) * (1 - MIN_IMPROVEMENT);
  Place best = place_of (tree, moved);
  lm_tree_detach (tree, moved);
  g_autoptr (GArray) places = list_places (tree, moved);
  for (guint i = 0; i < places->len; i++)
    {
      const Place *place = &g_array_index (places, Place, i);
      put (tree, moved, place);
      const double cost = lm_tree_cost (tree);
      lm_tree_detach (tree, moved);
      if (cost < least)
        least = cost, best = *place;
    }
  put (tree, moved, &best);
}

static void
improve (LmTree *tree)
{
  double before = INFINITY, cost = lm_tree_cost (tree);
  while (cost < before * (1 - MIN_PROGRESS))
    {
      before = cost;
      for (guint node = 0; node < tree->nodes->len; node++)
        if (lm_tree_node (tree, node)->used && node != tree->root)
          move_subtree (tree, node);
      lm_tree_recompute (tree);
      cost = lm_tree_cost (tree);
    }
}

/* ---- the result */

typedef struct
{
  const LmTree *tree;
  GPtrArray *placed;   /* for each node a GArray of the classes that are placed in it */
  GPtrArray *packages; /* for each class a GArray of its packages */
  GHashTable *refused; /* pairs of a node and a class that must not be placed in it */
  GArray *nodes;       /* for each layer its node */
  LmLayering *layering;
} Result;

static gpointer
pair_of (const Result *result, guint node, guint class)
{
  return GSIZE_TO_POINTER ((gsize) node * result->tree->classes->n_classes + class + 1);
}

static GPtrArray *
new_lists (guint n)
{
  GPtrArray *lists = g_ptr_array_new_with_free_func ((GDestroyNotify) g_array_unref);
  for (guint i = 0; i < n; i++)
    g_ptr_array_add (lists, lm_numbers_new ());
  return lists;
}

/* Puts @class into @node if that costs no more than covering its children separately. */
static void
place_class (Result *result, guint node, guint class)
{
  const LmTreeNode *self = lm_tree_node (result->tree, node);
  if (self->wanted[class] <= 0)
    return;
  const gboolean refused = g_hash_table_contains (result->refused, pair_of (result, node, class));
  if (self->role != LM_TREE_NONE || (!refused && lm_tree_place_cost (result->tree, self, class) <= self->sum[class]))
    {
      g_array_append_val ((GArray *) g_ptr_array_index (result->placed, node), class);
      return;
    }
  for (guint i = 0; i < self->children->len; i++)
    place_class (result, g_array_index (self->children, guint, i), class);
}

static void
place_classes (Result *result)
{
  for (guint node = 0; node < result->placed->len; node++)
    g_array_set_size (g_ptr_array_index (result->placed, node), 0);
  for (guint class = 0; class < result->tree->classes->n_classes; class++)
    place_class (result, result->tree->root, class);
}

/* How much less it costs to have a layer for @node than to repeat what was placed there. */
static double
gain_of (const Result *result, guint node)
{
  const LmTreeNode *self = lm_tree_node (result->tree, node);
  const GArray *classes = g_ptr_array_index (result->placed, node);
  double gain = 0;
  for (guint i = 0; i < classes->len; i++)
    {
      const guint class = g_array_index (classes, guint, i);
      gain += self->sum[class] - lm_tree_place_cost (result->tree, self, class);
    }
  return gain;
}

/* Removes layers of several roles that gain less than what any layer costs, the least first. */
static void
prune (LmTree *tree, Result *result, guint64 overhead)
{
  for (guint chosen = 0; chosen != LM_TREE_NONE;)
    {
      double least = 0;
      chosen = LM_TREE_NONE;
      place_classes (result);
      for (guint node = tree->classes->n_roles; node < tree->nodes->len; node++)
        {
          if (!is_inner (tree, node))
            continue;
          const double gain = gain_of (result, node) - (double) overhead * lm_tree_node (tree, node)->price;
          if (gain < least)
            least = gain, chosen = node;
        }
      if (chosen != LM_TREE_NONE)
        lm_tree_contract (tree, chosen);
    }
  lm_tree_recompute (tree);
}

static void
free_layer (gpointer data)
{
  LmLayeringLayer *layer = data;
  g_array_unref (layer->packages);
  g_free (layer);
}

static guint
add_layer (Result *result, guint number, const GArray *classes, guint parent)
{
  const LmTreeNode *node = lm_tree_node (result->tree, number);
  const LmTree *tree = result->tree;
  LmLayering *layering = result->layering;
  LmLayeringLayer *layer = g_new0 (LmLayeringLayer, 1);
  layer->parent = parent;
  layer->packages = lm_numbers_new ();
  layer->weight = node->weight;
  for (guint i = 0; i < classes->len; i++)
    {
      const guint class = g_array_index (classes, guint, i);
      const GArray *packages = g_ptr_array_index (result->packages, class);
      g_array_append_vals (layer->packages, packages->data, packages->len);
      layer->size += (guint64) tree->classes->sizes[class];
      layering->excess += tree->classes->sizes[class] * (node->weight - node->wanted[class]);
    }
  lm_numbers_sort (layer->packages);
  layering->stored += (double) layer->size;
  layering->moved += (double) layer->size * (node->price - 1.0 / tree->classes->n_roles);
  g_ptr_array_add (layering->layers, layer);
  g_array_append_val (result->nodes, number);
  return layering->layers->len - 1;
}

/* Adds the layers of the subtree @node on top of the layer @parent. A node in which
 * nothing was placed is no layer. Returns the number of roles in the subtree. */
static guint
add_layers (Result *result, guint node, guint parent)
{
  const LmTreeNode *self = lm_tree_node (result->tree, node);
  const GArray *classes = g_ptr_array_index (result->placed, node);
  const guint top = classes->len > 0 ? add_layer (result, node, classes, parent) : parent;
  guint roles = self->role != LM_TREE_NONE;
  if (roles > 0)
    result->layering->tops[self->role] = top;
  for (guint i = 0; i < self->children->len; i++)
    roles += add_layers (result, g_array_index (self->children, guint, i), top);
  if (top != parent)
    ((LmLayeringLayer *) g_ptr_array_index (result->layering->layers, top))->n_roles = roles;
  return roles;
}

static void
place_all (Result *result, guint n_roles)
{
  LmLayering *layering = g_new0 (LmLayering, 1);
  layering->layers = g_ptr_array_new_with_free_func (free_layer);
  layering->tops = g_new0 (guint, n_roles);
  result->layering = layering;
  g_array_set_size (result->nodes, 0);
  place_classes (result);
  (void) add_layers (result, result->tree->root, G_MAXUINT);
}

/* Refuses the class of @package in the layer @layer. */
static gboolean
refuse (Result *result, guint layer, guint package)
{
  const guint node = g_array_index (result->nodes, guint, layer);
  return lm_tree_node (result->tree, node)->role == LM_TREE_NONE
         && g_hash_table_add (result->refused, pair_of (result, node, result->tree->classes->class_of[package]));
}

/* The packages of the layers from the base to @layer, in ascending order. */
static GArray *
list_chain (const LmLayering *layering, guint layer)
{
  GArray *chain = lm_numbers_new ();
  while (layer != G_MAXUINT)
    {
      const LmLayeringLayer *self = g_ptr_array_index (layering->layers, layer);
      g_array_append_vals (chain, self->packages->data, self->packages->len);
      layer = self->parent;
    }
  lm_numbers_sort (chain);
  return chain;
}

/* Packages whose dependencies are fulfilled only further up, because roles chose different
 * alternatives, must not be so far down. Returns whether there are any. */
static gboolean
refuse_unmet (Result *result, const LmLayeringInput *input)
{
  gboolean found = FALSE;
  for (guint i = 0; i < result->layering->layers->len; i++)
    {
      const LmLayeringLayer *layer = g_ptr_array_index (result->layering->layers, i);
      g_autoptr (GArray) chain = list_chain (result->layering, i);
      for (guint j = 0; j < layer->packages->len; j++)
        {
          const guint package = g_array_index (layer->packages, guint, j);
          if (!input->fits (input->fits_data, package, chain) && refuse (result, i, package))
            found = TRUE;
        }
    }
  return found;
}

/* Refuses everything in the chain of the role @role that it did not ask for. */
static gboolean
refuse_excess (Result *result, const LmLayeringInput *input, guint role)
{
  gboolean found = FALSE;
  for (guint layer = result->layering->tops[role]; layer != G_MAXUINT;)
    {
      const LmLayeringLayer *self = g_ptr_array_index (result->layering->layers, layer);
      for (guint i = 0; i < self->packages->len; i++)
        {
          const guint package = g_array_index (self->packages, guint, i);
          if (!lm_numbers_have (input->roles[role].packages, package) && refuse (result, layer, package))
            found = TRUE;
        }
      layer = self->parent;
    }
  return found;
}

/* What a role did not ask for may conflict with what it asked for. */
static gboolean
refuse_conflicts (Result *result, const LmLayeringInput *input)
{
  gboolean found = FALSE;
  for (guint role = 0; role < input->n_roles; role++)
    {
      g_autoptr (GArray) chain = list_chain (result->layering, result->layering->tops[role]);
      /* Without excess it is what was resolved together. */
      gboolean fits = TRUE;
      for (guint i = 0; i < chain->len && fits && chain->len > input->roles[role].packages->len; i++)
        fits = input->fits (input->fits_data, g_array_index (chain, guint, i), chain);
      if (!fits && refuse_excess (result, input, role))
        found = TRUE;
    }
  return found;
}

static LmLayering *
make_result (LmTree *tree, const LmLayeringInput *input)
{
  g_autoptr (GPtrArray) placed = new_lists (tree->nodes->len), packages = new_lists (tree->classes->n_classes);
  g_autoptr (GHashTable) refused = g_hash_table_new (NULL, NULL);
  g_autoptr (GArray) nodes = lm_numbers_new ();
  Result result = { tree, placed, packages, refused, nodes, NULL };
  for (guint package = 0; package < input->n_packages; package++)
    if (tree->classes->class_of[package] != G_MAXUINT)
      g_array_append_val ((GArray *) g_ptr_array_index (packages, tree->classes->class_of[package]), package);
  prune (tree, &result, input->overhead);
  place_all (&result, input->n_roles);
  /* Each round refuses something more, and without any excess everything fits. */
  while (input->fits != NULL && (refuse_unmet (&result, input) || refuse_conflicts (&result, input)))
    {
      lm_layering_free (result.layering);
      place_all (&result, input->n_roles);
    }
  return result.layering;
}

LmLayering *
lm_layering_new (const LmLayeringInput *input)
{
  g_autoptr (LmLayeringClasses) classes = lm_layering_classes_new (input);
  g_autoptr (LmTree) tree = lm_tree_new (classes, input->max_layers);
  join_all (tree);
  shorten (tree);
  lm_tree_recompute (tree);
  improve (tree);
  return make_result (tree, input);
}

void
lm_layering_free (LmLayering *layering)
{
  if (layering == NULL)
    return;
  g_ptr_array_unref (layering->layers);
  g_free (layering->tops);
  g_free (layering);
}

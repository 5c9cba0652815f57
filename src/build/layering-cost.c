/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "build/layering.h"
#include "build/layering-tree.h"
#include "build/numbers.h"

/* What a place for one package costs, with its parts. */
typedef struct
{
  const LmLayering *layering;
  const LmLayeringInput *input;
  guint package;
  guint forced; /* the layer that must have it; G_MAXUINT for none */
} Question;

static const LmLayeringLayer *
layer_at (const Question *question, guint layer)
{
  return g_ptr_array_index (question->layering->layers, layer);
}

static gboolean
is_under (const Question *question, guint layer, guint ancestor)
{
  while (layer != G_MAXUINT && layer != ancestor)
    layer = layer_at (question, layer)->parent;
  return layer == ancestor;
}

/* The weight of the roles with the layer @layer that did not ask for the package. */
static double
excess_weight (const Question *question, guint layer)
{
  double weight = 0;
  for (guint role = 0; role < question->input->n_roles; role++)
    if (is_under (question, question->layering->tops[role], layer)
        && !lm_numbers_have (question->input->roles[role].packages, question->package))
      weight += lm_layering_share (question->input, role);
  return weight;
}

static LmLayeringCost
cost_of_place (const Question *question, double weight, double excess)
{
  const double size = (double) question->input->sizes[question->package];
  return (LmLayeringCost){ size / question->input->n_roles, size * lm_layering_moved (weight), size * excess };
}

static void
add_cost (LmLayeringCost *cost, const LmLayeringCost *more)
{
  cost->stored += more->stored;
  cost->moved += more->moved;
  cost->excess += more->excess;
}

static double
sum_of (const LmLayeringCost *cost)
{
  return cost->stored + cost->moved + cost->excess;
}

LmLayeringCost
lm_layering_get_cost (const LmLayering *layering, const LmLayeringInput *input, guint package)
{
  const Question question = { layering, input, package, G_MAXUINT };
  LmLayeringCost cost = { 0 };
  for (guint i = 0; i < layering->layers->len; i++)
    {
      const LmLayeringLayer *layer = layer_at (&question, i);
      if (!lm_numbers_have (layer->packages, package))
        continue;
      const LmLayeringCost place = cost_of_place (&question, layer->weight, excess_weight (&question, i));
      add_cost (&cost, &place);
    }
  return cost;
}

/* The least cost of giving the package to the roles with the layer @layer that need it. A
 * role whose chain ends there would get a layer of its own. */
static LmLayeringCost
cover (const Question *question, guint layer)
{
  LmLayeringCost cost = { 0 };
  for (guint role = 0; role < question->input->n_roles; role++)
    if (question->layering->tops[role] == layer && lm_numbers_have (question->input->roles[role].packages, question->package))
      {
        const LmLayeringCost own = cost_of_place (question, lm_layering_share (question->input, role), 0);
        add_cost (&cost, &own);
      }
  for (guint i = 0; i < question->layering->layers->len; i++)
    if (layer_at (question, i)->parent == layer)
      {
        const LmLayeringCost below = cover (question, i);
        add_cost (&cost, &below);
      }
  if (layer == G_MAXUINT || (layer != question->forced && is_under (question, question->forced, layer)))
    return cost;
  const LmLayeringCost here = cost_of_place (question, layer_at (question, layer)->weight, excess_weight (question, layer));
  return layer == question->forced || (sum_of (&cost) > 0 && sum_of (&here) <= sum_of (&cost)) ? here : cost;
}

LmLayeringCost
lm_layering_get_cost_in (const LmLayering *layering, const LmLayeringInput *input, guint package, guint layer)
{
  const Question question = { layering, input, package, layer };
  return cover (&question, G_MAXUINT);
}

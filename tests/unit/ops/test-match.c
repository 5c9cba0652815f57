/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/match.h"

/* "group=name@version ..." as layers of a record, or as a plan. */
static GPtrArray *
make_layers (const char *text)
{
  g_autoptr (GPtrArray) layers = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_domain_layer_free);
  g_auto (GStrv) words = g_strsplit (text, " ", -1);
  for (char **word = words; *word; word++)
    {
      g_autoptr (LmSelection) selection = lm_selection_parse (*word, NULL);
      LmDomainLayer *layer = lm_domain_layer_new ();
      layer->blob.name = g_strdup (selection->name);
      layer->group = g_strdup (selection->group);
      layer->version = g_strdup (selection->version);
      g_ptr_array_add (layers, layer);
    }
  return g_steal_pointer (&layers);
}

static LmPlan *
make_plan (const char *text)
{
  if (text == NULL)
    return NULL;
  LmPlan *plan = g_new0 (LmPlan, 1);
  g_autoptr (GPtrArray) layers = make_layers (text);
  plan->layers = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_plan_item_free);
  for (guint i = 0; i < layers->len; i++)
    {
      const LmDomainLayer *layer = g_ptr_array_index (layers, i);
      LmPlanItem *item = g_new0 (LmPlanItem, 1);
      item->blob.name = g_strdup (layer->blob.name);
      item->group = g_strdup (layer->group);
      item->version = g_strdup (layer->version);
      g_ptr_array_add (plan->layers, item);
    }
  return plan;
}

#define BOTH "os=a@0.9 app=c@0.9"
#define THREE "os=a@0.9 lib=b@2 app=c@0.9"

static const struct
{
  const char *requested;
  const char *resolved;
  const char *layers;
  const char *plan;
  LmMatch match;
} cases[] = {
  /* In any form; what the catalogs have now does not matter. */
  { "a c", BOTH, BOTH, NULL, LM_MATCH_YES },
  { "c a", BOTH, BOTH, NULL, LM_MATCH_YES },
  { "os=a c", BOTH, BOTH, NULL, LM_MATCH_YES },
  { "a app=c", BOTH, BOTH, NULL, LM_MATCH_YES },
  { "app=c os=a", BOTH, BOTH, NULL, LM_MATCH_YES },
  { "a a os=a c", BOTH, BOTH, NULL, LM_MATCH_YES },
  { "os=a@0.9 app=c@0.9", BOTH, BOTH, NULL, LM_MATCH_YES },
  { "a@0.9 c", BOTH, BOTH, NULL, LM_MATCH_YES },
  { "a c", BOTH, BOTH, "os=a@1.0 app=c@1.0", LM_MATCH_YES },
  /* Another version, group or layer. */
  { "a@1.0 c", BOTH, BOTH, NULL, LM_MATCH_NO },
  { "os=a@0.9 app=c@1.0", BOTH, BOTH, "os=a@0.9 app=c@1.0", LM_MATCH_NO },
  { "app=a c", BOTH, BOTH, NULL, LM_MATCH_NO },
  { "a e", BOTH, BOTH, NULL, LM_MATCH_NO },
  { "a c e", BOTH, BOTH, NULL, LM_MATCH_NO },
  { "a@0.90 c", BOTH, BOTH, NULL, LM_MATCH_NO },
  /* Fewer selections: the same machine only if the others are required by these. */
  { "c", BOTH, BOTH, NULL, LM_MATCH_UNKNOWN },
  { "c", BOTH, BOTH, "os=a@1.0 app=c@1.0", LM_MATCH_YES },
  { "c", BOTH, BOTH, "app=c@1.0", LM_MATCH_NO },
  { "c", BOTH, BOTH, "base=a@1.0 app=c@1.0", LM_MATCH_NO },
  { "a", BOTH, BOTH, NULL, LM_MATCH_UNKNOWN },
  { "a", BOTH, BOTH, "os=a@1.0", LM_MATCH_NO },
  /* Layers that were required when it was created may be selected or not. */
  { "a c", BOTH, THREE, NULL, LM_MATCH_YES },
  { "a b c", BOTH, THREE, NULL, LM_MATCH_YES },
  { "a b@2 c", BOTH, THREE, NULL, LM_MATCH_YES },
  { "a b@3 c", BOTH, THREE, NULL, LM_MATCH_NO },
  { "c", "app=c@0.9", BOTH, NULL, LM_MATCH_YES },
  { "a", "app=c@0.9", BOTH, NULL, LM_MATCH_UNKNOWN },
  { "a", "app=c@0.9", BOTH, "os=a@0.9", LM_MATCH_NO },
};

static void
test_table (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (GStrv) requested = g_strsplit (cases[i].requested, " ", -1);
      g_auto (GStrv) resolved = g_strsplit (cases[i].resolved, " ", -1);
      g_autoptr (GPtrArray) layers = make_layers (cases[i].layers);
      g_autoptr (LmPlan) plan = make_plan (cases[i].plan);
      g_test_message ("%s, of %s, with %s", cases[i].requested, cases[i].resolved, cases[i].plan ? cases[i].plan : "no plan");
      g_assert_cmpint (lm_match_selections (requested, resolved, layers, plan), ==, cases[i].match);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/match/table", test_table);
  return g_test_run ();
}

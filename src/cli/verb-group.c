/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "author/launch-roles.h"
#include "base/error.h"
#include "base/file.h"
#include "base/json.h"
#include "base/size.h"
#include "build/grouping.h"
#include "cli/host.h"
#include "cli/output.h"
#include "cli/package-source.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define ROLES_SIZE_MAX LM_SIZE_MIB
#define DEFAULT_MAX_LAYERS 8
#define MAX_MAX_LAYERS 32

static const LmOption group_options[] = {
  LM_PACKAGE_SOURCE_OPTIONS,
  { "history", 0, LM_OPTION_FLAG, NULL, "add roles from what was launched on this host", LM_COMPLETE_NONE },
  { "max-layers", 0, LM_OPTION_VALUE, "N", "allow at most N layers in a chain (default: 8)", LM_COMPLETE_NONE },
  { "move", 0, LM_OPTION_VALUE, "PACKAGE=LAYER", "show what having PACKAGE in LAYER would cost", LM_COMPLETE_NONE },
  { NULL },
};

/* Roles and packages with the grouping made of them. */
typedef struct
{
  LmRoles *roles;
  LmPackages *packages;
  LmGrouping *grouping;
} View;

static const LmLayeringLayer *
layer_at (const View *view, guint layer)
{
  return g_ptr_array_index (view->grouping->layering->layers, layer);
}

static const char *
name_of (const View *view, guint layer)
{
  return layer == G_MAXUINT ? NULL : view->grouping->names[layer];
}

static LmPackage
package_of (const View *view, guint number)
{
  return lm_packages_get (view->packages, g_array_index (view->grouping->ids, guint, number));
}

/* ---- JSON */

static void
add_layer_json (JsonBuilder *builder, const View *view, guint number)
{
  const LmLayeringLayer *layer = layer_at (view, number);
  const LmGroupingReason reason = lm_grouping_get_reason (view->grouping, number);
  json_builder_begin_object (builder);
  lm_json_add_string (builder, "name", name_of (view, number));
  lm_json_add_string (builder, "parent", name_of (view, layer->parent));
  lm_json_add_uint (builder, "installed_size", layer->size);
  lm_json_add_uint (builder, "roles", layer->n_roles);
  json_builder_set_member_name (builder, "share");
  json_builder_add_double_value (builder, layer->weight);
  lm_json_add_uint (builder, "carriers_without", reason.carriers);
  lm_json_add_uint (builder, "bytes_repeated_without", reason.repeated);
  json_builder_set_member_name (builder, "packages");
  json_builder_begin_array (builder);
  for (guint i = 0; i < layer->packages->len; i++)
    {
      const LmPackage package = package_of (view, g_array_index (layer->packages, guint, i));
      json_builder_begin_object (builder);
      g_autofree char *name = lm_output_safe (package.name), *version = lm_output_safe (package.version);
      lm_json_add_string (builder, "name", name);
      lm_json_add_string (builder, "version", version);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  json_builder_end_object (builder);
}

static void
add_chain_json (JsonBuilder *builder, const View *view, guint layer)
{
  g_autoptr (GPtrArray) names = g_ptr_array_new ();
  for (; layer != G_MAXUINT; layer = layer_at (view, layer)->parent)
    g_ptr_array_insert (names, 0, view->grouping->names[layer]);
  g_ptr_array_add (names, NULL);
  lm_json_add_strv (builder, "chain", (char *const *) names->pdata);
}

static void
add_bytes_json (JsonBuilder *builder, const char *key, double bytes)
{
  json_builder_set_member_name (builder, key);
  json_builder_add_int_value (builder, llround (bytes));
}

static void
print_grouping_json (const View *view)
{
  const LmGrouping *grouping = view->grouping;
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  json_builder_set_member_name (builder, "layers");
  json_builder_begin_array (builder);
  for (guint i = 0; i < grouping->layering->layers->len; i++)
    add_layer_json (builder, view, i);
  json_builder_end_array (builder);
  json_builder_set_member_name (builder, "roles");
  json_builder_begin_array (builder);
  for (guint i = 0; i < view->roles->roles->len; i++)
    {
      json_builder_begin_object (builder);
      lm_json_add_string (builder, "name", ((const LmRole *) g_ptr_array_index (view->roles->roles, i))->name);
      add_chain_json (builder, view, grouping->layering->tops[i]);
      json_builder_end_object (builder);
    }
  json_builder_end_array (builder);
  add_bytes_json (builder, "bytes_stored", grouping->layering->stored);
  add_bytes_json (builder, "bytes_of_whole_images", grouping->whole);
  add_bytes_json (builder, "bytes_moved_per_launch", grouping->layering->moved);
  add_bytes_json (builder, "bytes_asked_for_per_launch", grouping->asked);
  add_bytes_json (builder, "bytes_not_asked_for_per_launch", grouping->layering->excess);
  lm_json_add_uint (builder, "longest_chain", grouping->longest);
  lm_output_json (builder);
}

/* ---- tables */

static char *
describe_reason (const View *view, guint layer)
{
  const LmGroupingReason reason = lm_grouping_get_reason (view->grouping, layer);
  g_autofree char *size = lm_size_format (reason.repeated);
  if (reason.carriers < 2)
    return g_strdup ("for this alone");
  return g_strdup_printf ("without it %u carry %s more", reason.carriers, size);
}

static void
print_grouping (const View *view)
{
  const LmGrouping *grouping = view->grouping;
  LmTable *table = lm_table_new ((const char *const[]){ "LAYER", "ON", ">PACKAGES", ">INSTALLED", ">ROLES", "WHY", NULL });
  for (guint i = 0; i < grouping->layering->layers->len; i++)
    {
      const LmLayeringLayer *layer = layer_at (view, i);
      g_autofree char *packages = g_strdup_printf ("%u", layer->packages->len), *size = lm_size_format (layer->size);
      g_autofree char *roles = g_strdup_printf ("%u of %u", layer->n_roles, grouping->input.n_roles);
      g_autofree char *why = describe_reason (view, i);
      lm_table_add (table, (const char *const[]){ name_of (view, i), name_of (view, layer->parent), packages, size, roles, why });
    }
  lm_table_print (table);
  g_autofree char *stored = lm_size_format ((guint64) grouping->layering->stored), *whole = lm_size_format ((guint64) grouping->whole);
  g_autofree char *moved = lm_size_format ((guint64) grouping->layering->moved);
  g_autofree char *asked = lm_size_format ((guint64) grouping->asked), *excess = lm_size_format ((guint64) grouping->layering->excess);
  printf ("\n%u %s, at most %u in a chain, store %s; whole images would store %s.\n"
          "A launch is expected to pull %s, to get the %s that it asks for and %s besides.\n",
          grouping->layering->layers->len, grouping->layering->layers->len == 1 ? "layer" : "layers", grouping->longest, stored, whole, moved, asked, excess);
}

/* ---- what moving a package would cost */

static void
print_cost (LmTable *table, const char *title, double now, double then, double factor)
{
  g_autofree char *before = lm_size_format ((guint64) llround (now * factor));
  g_autofree char *after = lm_size_format ((guint64) llround (then * factor));
  g_autofree char *size = lm_size_format ((guint64) llround (fabs (then - now) * factor));
  g_autofree char *change = g_strconcat (then >= now ? "+" : "-", size, NULL);
  lm_table_add (table, (const char *const[]){ title, before, after, change });
}

static void
print_move_json (const char *package, const char *layer, gboolean possible, const LmLayeringCost *now, const LmLayeringCost *then,
                 guint n_roles)
{
  g_autoptr (JsonBuilder) builder = json_builder_new ();
  json_builder_begin_object (builder);
  lm_json_add_string (builder, "package", package);
  lm_json_add_string (builder, "layer", layer);
  lm_json_add_bool (builder, "possible", possible);
  add_bytes_json (builder, "bytes_stored_change", (then->stored - now->stored) * n_roles);
  add_bytes_json (builder, "bytes_moved_per_launch_change", then->moved - now->moved);
  add_bytes_json (builder, "bytes_not_asked_for_per_launch_change", then->excess - now->excess);
  lm_output_json (builder);
}

static gboolean
show_move (const View *view, const char *move, gboolean json, GError **error)
{
  const LmGrouping *grouping = view->grouping;
  const char *equals = strrchr (move, '=');
  g_autofree char *name = equals ? g_strndup (move, (gsize) (equals - move)) : NULL;
  if (name == NULL || *name == '\0')
    return lm_throw (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "--move %s: PACKAGE=LAYER is expected", move);
  const guint package = lm_grouping_find_package (grouping, name), layer = lm_grouping_find_layer (grouping, equals + 1);
  if (package == G_MAXUINT)
    return lm_throw (error, LM_PACKAGES_ERROR, LM_PACKAGES_ERROR_UNKNOWN, "--move: no role needs a package %s", name);
  if (layer == G_MAXUINT)
    return lm_throw (error, LM_PACKAGES_ERROR, LM_PACKAGES_ERROR_UNKNOWN,
                     "--move: there is no layer %s; run without --move for a list", equals + 1);
  const LmLayeringCost now = lm_layering_get_cost (grouping->layering, &grouping->input, package);
  const LmLayeringCost then = lm_layering_get_cost_in (grouping->layering, &grouping->input, package, layer);
  const gboolean possible = lm_grouping_can_hold (grouping, package, layer);
  if (json)
    {
      print_move_json (name, equals + 1, possible, &now, &then, grouping->input.n_roles);
      return TRUE;
    }
  LmTable *table = lm_table_new ((const char *const[]){ "", ">NOW", ">THEN", ">CHANGE", NULL });
  print_cost (table, "stored", now.stored, then.stored, grouping->input.n_roles);
  print_cost (table, "pulled per launch", now.moved, then.moved, 1);
  print_cost (table, "not asked for per launch", now.excess, then.excess, 1);
  lm_table_print (table);
  if (!possible)
    printf ("\n%s cannot be there alone: it needs a package of a layer above, or conflicts with one of a role.\n", name);
  return TRUE;
}

/* What is wrong in the file is an error of its author. */
static LmRoles *
read_roles (const char *path, GCancellable *cancellable, GError **error)
{
  gsize size;
  g_autoptr (GError) failure = NULL;
  g_autoptr (GBytes) bytes = lm_file_read (path, ROLES_SIZE_MAX, cancellable, error);
  if (bytes == NULL)
    return NULL;
  const char *text = g_bytes_get_data (bytes, &size);
  LmRoles *roles = lm_roles_parse (path, text, size, &failure);
  return roles ? roles : lm_throw_null (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "%s", failure->message);
}

/* Returns the roles of the file and, with --history, of the launches. */
static LmRoles *
collect_roles (const LmInvocation *invocation, GError **error)
{
  const char *path = lm_args_words (invocation->args)[0];
  const gboolean history = lm_args_has (invocation->args, "history");
  if (path == NULL && !history)
    return lm_throw_null (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "group needs a file of roles, or --history");
  g_autoptr (LmRoles) roles = path != NULL ? read_roles (path, invocation->cancellable, error) : lm_roles_new ();
  if (roles == NULL || !history)
    return g_steal_pointer (&roles);
  g_autoptr (LmCliHost) host = lm_cli_host_new (invocation, error);
  return host != NULL && lm_launch_roles_add (&host->host, roles, invocation->cancellable, error) ? g_steal_pointer (&roles) : NULL;
}

static gboolean
group_roles (View *view, const LmInvocation *invocation, GError **error)
{
  LmArgs *args = invocation->args;
  const char *move = lm_args_get (args, "move");
  guint64 max_layers;
  if (!lm_args_get_uint (args, "max-layers", 2, MAX_MAX_LAYERS, DEFAULT_MAX_LAYERS, &max_layers, error))
    return FALSE;
  if ((view->roles = collect_roles (invocation, error)) == NULL
      || (view->packages = lm_package_source_load (invocation, error)) == NULL
      || (view->grouping = lm_grouping_new (view->packages, view->roles, (guint) max_layers,
                                            lm_args_has (args, "recommended"), error)) == NULL)
    return FALSE;
  if (move != NULL)
    return show_move (view, move, lm_args_has (args, "json"), error);
  if (lm_args_has (args, "json"))
    print_grouping_json (view);
  else
    print_grouping (view);
  return TRUE;
}

static gboolean
run_group (const LmInvocation *invocation, GError **error)
{
  View view = { NULL };
  const gboolean done = group_roles (&view, invocation, error);
  lm_grouping_free (view.grouping);
  lm_packages_free (view.packages);
  lm_roles_free (view.roles);
  return done;
}

const LmVerb lm_verb_group = {
  .name = "group",
  .page = "lamina-group",
  .synopsis = "[FILE]",
  .summary = "propose layers for roles, so that they share packages",
  .max_words = 1,
  .options = group_options,
  .first = LM_COMPLETE_FILE,
  .run = run_group,
};

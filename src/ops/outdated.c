/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/outdated.h"
#include "base/error.h"
#include "catalog/version.h"
#include "machine/machine.h"
#include "ops/prepare.h"
#include "source/source.h"

#include <string.h>

/* A plan, or why there is none. Machines often have the same selections. */
typedef struct
{
  LmPlan *plan;
  GError *problem;
} Outlook;

static void
outlook_free (gpointer data)
{
  Outlook *outlook = data;
  lm_plan_free (outlook->plan);
  g_clear_error (&outlook->problem);
  g_free (outlook);
}

static void
outdated_layer_free (gpointer data)
{
  LmOutdatedLayer *layer = data;
  g_free (layer->name);
  g_free (layer->version);
  g_free (layer->group);
  g_free (layer->wanted);
  g_free (layer->newest);
  g_free (layer);
}

static void
outdated_machine_free (gpointer data)
{
  LmOutdatedMachine *machine = data;
  g_free (machine->name);
  g_free (machine->uuid);
  g_free (machine->uri);
  g_strfreev (machine->selections);
  g_ptr_array_unref (machine->layers);
  g_free (machine->problem);
  g_free (machine);
}

/* Whether a failure to make a plan is about the selections or the catalogs. Others end everything. */
static gboolean
is_about_selections (const GError *failure)
{
  return failure->domain == LM_RESOLVE_ERROR || failure->domain == LM_SELECTION_ERROR;
}

static const Outlook *
find_outlook (GHashTable *outlooks, const LmHost *host, const LmCatalogSet *set, char **selections,
              GCancellable *cancellable, GError **error)
{
  g_autofree char *key = g_strjoinv (" ", selections);
  Outlook *outlook = g_hash_table_lookup (outlooks, key);
  if (outlook != NULL)
    return outlook;
  outlook = g_new0 (Outlook, 1);
  outlook->plan = lm_prepare_plan_over (host, set, (const char *const *) selections, cancellable, &outlook->problem);
  if (outlook->plan == NULL && !is_about_selections (outlook->problem))
    {
      g_propagate_error (error, g_steal_pointer (&outlook->problem));
      outlook_free (outlook);
      return NULL;
    }
  g_hash_table_insert (outlooks, g_steal_pointer (&key), outlook);
  return outlook;
}

static char *
find_newest (const LmCatalogSet *set, const LmDomainLayer *layer, const char *arch)
{
  g_autoptr (GArray) refs = g_array_new (FALSE, FALSE, sizeof (LmLayerRef));
  char *newest = NULL;
  lm_catalog_set_find_name (set, layer->blob.name, refs);
  for (guint i = 0; i < refs->len; i++)
    {
      g_autoptr (LmLayer) other = lm_catalog_set_load_layer (set, g_array_index (refs, LmLayerRef, i));
      if ((layer->group != NULL && strcmp (other->group, layer->group) != 0)
          || !lm_layer_runs_on (other, arch)
          || (newest != NULL && lm_version_compare_preference (other->version, newest) <= 0))
        continue;
      g_free (newest);
      newest = g_steal_pointer (&other->version);
    }
  return newest;
}

static char *
find_wanted (const LmPlan *plan, const LmDomainLayer *layer)
{
  for (guint i = 0; plan != NULL && i < plan->layers->len; i++)
    {
      const LmPlanItem *item = g_ptr_array_index (plan->layers, i);
      if (strcmp (item->blob.name, layer->blob.name) == 0 && (layer->group == NULL || strcmp (item->group, layer->group) == 0))
        return g_strdup (item->version);
    }
  return NULL;
}

static LmOutdatedMachine *
look_at_machine (const LmCatalogSet *set, const LmMachine *machine, const Outlook *outlook)
{
  g_autofree char *arch = lm_resolve_host_arch ();
  LmOutdatedMachine *found = g_new0 (LmOutdatedMachine, 1);
  found->name = g_strdup (machine->name);
  found->uuid = g_strdup (machine->uuid);
  found->uri = g_strdup (machine->uri);
  found->selections = g_strdupv (machine->requested);
  found->layers = g_ptr_array_new_with_free_func (outdated_layer_free);
  found->planned = outlook->plan != NULL;
  found->bytes_to_pull = found->planned ? outlook->plan->bytes_to_pull : 0;
  found->problem = found->planned ? NULL : g_strdup (outlook->problem->message);
  for (guint i = 0; i < machine->layers->len; i++)
    {
      const LmDomainLayer *has = g_ptr_array_index (machine->layers, i);
      LmOutdatedLayer *layer = g_new0 (LmOutdatedLayer, 1);
      layer->name = g_strdup (has->blob.name);
      layer->version = g_strdup (has->version);
      layer->group = g_strdup (has->group);
      layer->digest = has->blob.digest;
      layer->newest = find_newest (set, has, arch);
      layer->wanted = find_wanted (outlook->plan, has);
      layer->outdated = layer->newest != NULL && lm_version_compare (layer->newest, layer->version) > 0;
      found->outdated = found->outdated || layer->outdated;
      found->unknown = found->unknown || layer->newest == NULL;
      g_ptr_array_add (found->layers, layer);
    }
  return found;
}

/* Whether there is a machine for each of @names. */
static gboolean
check_names (const GPtrArray *machines, const char *const *names, GError **error)
{
  for (; *names != NULL; names++)
    {
      gboolean there = FALSE;
      for (guint i = 0; i < machines->len && !there; i++)
        there = strcmp (((LmMachine *) g_ptr_array_index (machines, i))->name, *names) == 0;
      if (!there)
        return lm_throw (error, LM_MACHINE_ERROR, LM_MACHINE_ERROR_NOT_FOUND, "no machine \"%s\"; \"lamina ps\" lists them",
                         *names);
    }
  return TRUE;
}

static GPtrArray *
look_at_all (const LmHost *host, const LmCatalogSet *set, const GPtrArray *machines, const char *const *names,
             GCancellable *cancellable, GError **error)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func (outdated_machine_free);
  g_autoptr (GHashTable) outlooks = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, outlook_free);
  for (guint i = 0; i < machines->len; i++)
    {
      const LmMachine *machine = g_ptr_array_index (machines, i);
      if (machine->state != LM_MACHINE_STATE_COMPLETE || (*names != NULL && !g_strv_contains (names, machine->name)))
        continue;
      const Outlook *outlook = find_outlook (outlooks, host, set, machine->requested, cancellable, error);
      if (outlook == NULL)
        return NULL;
      g_ptr_array_add (list, look_at_machine (set, machine, outlook));
    }
  return g_steal_pointer (&list);
}

/* Notes of plans, which would be warnings for each machine. */
static void
ignore_warning (gpointer user_data, const char *text)
{
}

GPtrArray *
lm_outdated_list (const LmHost *host, const char *const *names, guint *out_unreadable, GCancellable *cancellable,
                  GError **error)
{
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (LmCatalogSet) set = lm_source_load_all (host->state_dir, host->catalogs, warnings, cancellable, error);
  const guint before = warnings->len;
  g_autoptr (GPtrArray) machines = set != NULL ? lm_machine_list (host->state_dir, warnings, error) : NULL;
  *out_unreadable = warnings->len - before;
  for (guint i = 0; i < warnings->len; i++)
    host->warning (host->user_data, g_ptr_array_index (warnings, i));
  if (machines == NULL || !check_names (machines, names, error))
    return NULL;
  LmHost quiet = *host;
  quiet.warning = ignore_warning;
  return look_at_all (&quiet, set, machines, names, cancellable, error);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "author/difference.h"
#include "author/guest.h"
#include "author/machine-disk.h"
#include "base/file.h"
#include "base/size.h"
#include "cache/work-dir.h"
#include "catalog/contents.h"
#include "catalog/installed.h"
#include "ops/prepare.h"

#include <string.h>

/* As much as the appliance writes. */
#define LIST_MAX LM_SIZE_GIB

/* One of the two disks that are compared. */
typedef struct
{
  const char *name;  /* of its layer or machine; NULL: there is none, so that it is empty */
  char *path;
  char **packages;   /* NULL if the catalogs do not record them */
  LmFileList *files;
} Side;

typedef struct
{
  const LmHost *host;
  const LmDifferenceRequest *request;
  GCancellable *cancellable;
  LmCache *cache;
  LmCatalogSet *set;
  LmPlan *plan;         /* NULL for a machine */
  LmLock *lease;        /* of the files of the plan */
  LmMachineDisk *disk;  /* NULL for layers */
  Side before, after;
} Comparison;

static void
clear_side (Side *side)
{
  g_free (side->path);
  g_strfreev (side->packages);
  lm_file_list_free (side->files);
}

static void
comparison_clear (Comparison *comparison)
{
  clear_side (&comparison->before);
  clear_side (&comparison->after);
  lm_machine_disk_free (comparison->disk);
  lm_lock_release (comparison->lease);
  lm_plan_free (comparison->plan);
  lm_catalog_set_free (comparison->set);
  lm_cache_close (comparison->cache);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Comparison, comparison_clear)

static void
free_package_change (gpointer data)
{
  LmPackageChange *change = data;
  g_free (change->name);
  g_free (change->before);
  g_free (change->after);
  g_free (change);
}

void
lm_difference_free (LmDifference *difference)
{
  if (difference == NULL)
    return;
  g_free (difference->name);
  g_free (difference->parent);
  g_ptr_array_unref (difference->packages);
  g_clear_pointer (&difference->files, g_array_unref);
  lm_file_list_free (difference->before);
  lm_file_list_free (difference->after);
  g_free (difference);
}

/* ---- what is compared */

static void
set_layer (const Comparison *comparison, Side *side, const LmBlob *layer)
{
  side->name = layer->name;
  side->path = lm_cache_get_path (comparison->cache, LM_BLOB_LAYER, &layer->digest);
  side->packages = lm_contents_of_build (comparison->set, &layer->digest);
}

static char *
name_item (const LmPlanItem *item)
{
  return g_strdup_printf ("%s@%s", item->blob.name, item->version);
}

static gboolean
open_layers (Comparison *comparison, LmDifference *difference, GError **error)
{
  LmPrepareResult pulled = { 0 };
  comparison->plan = lm_prepare_plan_over (comparison->host, comparison->set, comparison->request->selections, comparison->cancellable, error);
  if (comparison->plan == NULL
      || !lm_prepare_pull (comparison->host, comparison->plan, &pulled, &comparison->lease, comparison->cancellable, error))
    return FALSE;
  const GPtrArray *layers = comparison->plan->layers;
  const LmPlanItem *top = g_ptr_array_index (layers, layers->len - 1);
  const LmPlanItem *parent = layers->len > 1 ? g_ptr_array_index (layers, layers->len - 2) : NULL;
  difference->name = name_item (top);
  set_layer (comparison, &comparison->after, &top->blob);
  if (parent == NULL)
    return TRUE;
  difference->parent = name_item (parent);
  set_layer (comparison, &comparison->before, &parent->blob);
  return TRUE;
}

static gboolean
open_machine (Comparison *comparison, LmVirt *virt, LmDifference *difference, GError **error)
{
  comparison->disk
    = lm_machine_disk_open (comparison->host, virt, comparison->cache, comparison->request->machine, comparison->cancellable, error);
  if (comparison->disk == NULL)
    return FALSE;
  const LmMachine *machine = lm_machine_disk_get_machine (comparison->disk);
  const LmDomainLayer *top = g_ptr_array_index (machine->layers, machine->layers->len - 1);
  difference->name = g_strdup (comparison->request->machine);
  difference->parent = g_strdup_printf ("%s@%s", top->blob.name, top->version);
  set_layer (comparison, &comparison->before, &top->blob);
  comparison->after.name = comparison->request->machine;
  comparison->after.path = g_strdup (lm_machine_disk_get_path (comparison->disk));
  return TRUE;
}

/* ---- reading a disk */

static gboolean
read_lists (const Comparison *comparison, Side *side, const char *list, const char *digests, GError **error)
{
  g_autoptr (GBytes) files = lm_file_read (list, LIST_MAX, comparison->cancellable, error);
  side->files = files != NULL ? lm_file_list_new (files, error) : NULL;
  if (side->files == NULL || !comparison->request->content)
    return side->files != NULL;
  g_autoptr (GBytes) sums = lm_file_read (digests, LIST_MAX, comparison->cancellable, error);
  return sums != NULL && lm_file_list_add_digests (side->files, sums, error);
}

/* Finds out by the appliance what is not known and wanted. */
static gboolean
read_side (const Comparison *comparison, Side *side, GError **error)
{
  const LmDifferenceRequest *request = comparison->request;
  const gboolean packages = request->packages && side->packages == NULL;
  if (side->name == NULL)
    {
      side->packages = g_new0 (char *, 1);
      side->files = lm_file_list_new (NULL, error);
      return side->files != NULL;
    }
  if (!packages && !request->files)
    return TRUE;
  g_autoptr (LmWorkDir) work = lm_work_dir_new (comparison->cache, error);
  if (work == NULL)
    return FALSE;
  g_autoptr (LmAppliance) job = lm_appliance_new ();
  g_autoptr (LmGuestPackages) guest = lm_guest_packages_new (lm_work_dir_get_path (work));
  g_autofree char *list = g_build_filename (lm_work_dir_get_path (work), "files", NULL);
  g_autofree char *digests = g_build_filename (lm_work_dir_get_path (work), "digests", NULL);
  g_autofree char *label = g_strdup_printf ("listing the files of %s", side->name);
  g_autofree char *reading = g_strdup_printf ("reading the files of %s", side->name);
  LmApplianceSettings settings = request->appliance;
  settings.disk = side->path;
  settings.scratch = lm_work_dir_get_path (work);
  settings.read_only = TRUE;
  /* The list first, because rpm writes to the disk. */
  if (request->files)
    lm_appliance_add_list (job, label, "/", list);
  if (request->files && request->content)
    lm_appliance_add_digests (job, reading, "/", digests);
  if (packages)
    lm_guest_packages_add (guest, job);
  if (!lm_guest_run (comparison->host, job, &settings, comparison->cancellable, error)
      || (request->files && !read_lists (comparison, side, list, digests, error)))
    return FALSE;
  if (packages)
    side->packages = lm_guest_packages_read (guest, side->name, comparison->cancellable, error);
  return !packages || side->packages != NULL;
}

/* ---- packages */

/* Returns the versions of the package @name in @list, with commas between them; NULL if there are none. */
static char *
find_versions (char *const *list, const char *name)
{
  g_autoptr (GString) versions = NULL;
  for (; *list != NULL; list++)
    {
      if (!lm_installed_same_name (*list, name))
        continue;
      const char *version = *list + lm_installed_name_length (*list);
      if (versions == NULL)
        versions = g_string_new (NULL);
      g_string_append_printf (versions, "%s%s", versions->len > 0 ? ", " : "", *version == '=' ? version + 1 : version);
    }
  return versions != NULL ? g_string_free (g_steal_pointer (&versions), FALSE) : NULL;
}

static int
compare_changes (gconstpointer a, gconstpointer b)
{
  const LmPackageChange *const *one = a, *const *other = b;
  return strcmp ((*one)->name, (*other)->name);
}

/* Adds a change for each name of @list, in which a package may be in several versions one after the other. */
static void
add_changes (const Comparison *comparison, char *const *list, GPtrArray *changes)
{
  for (char *const *item = list; *item != NULL; item++)
    {
      if (item != list && lm_installed_same_name (item[-1], *item))
        continue;
      LmPackageChange *change = g_new0 (LmPackageChange, 1);
      change->name = g_strndup (*item, lm_installed_name_length (*item));
      change->before = find_versions (comparison->before.packages, *item);
      change->after = find_versions (comparison->after.packages, *item);
      g_ptr_array_add (changes, change);
    }
}

static void
compare_packages (const Comparison *comparison, LmDifference *difference)
{
  g_auto (GStrv) packages = NULL, removed = NULL;
  lm_contents_compare (comparison->before.packages, comparison->after.packages, &packages, &removed);
  add_changes (comparison, packages, difference->packages);
  add_changes (comparison, removed, difference->packages);
  g_ptr_array_sort (difference->packages, compare_changes);
}

/* ---- the whole */

/* Reads both sides; that of a machine is at rest before and after. */
static gboolean
read_sides (Comparison *comparison, GError **error)
{
  g_autoptr (GError) failure = NULL;
  if (read_side (comparison, &comparison->before, &failure) && read_side (comparison, &comparison->after, &failure)
      && (comparison->disk == NULL || lm_machine_disk_check (comparison->disk, &failure)))
    return TRUE;
  if (comparison->disk != NULL)
    lm_machine_disk_explain (comparison->disk, &failure);
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

LmDifference *
lm_difference_find (const LmHost *host, LmVirt *virt, const LmDifferenceRequest *request, GCancellable *cancellable, GError **error)
{
  g_auto (Comparison) comparison = { .host = host, .request = request, .cancellable = cancellable };
  g_autoptr (LmDifference) difference = g_new0 (LmDifference, 1);
  difference->packages = g_ptr_array_new_with_free_func (free_package_change);
  comparison.cache = lm_cache_open (host->state_dir, &host->cache, error);
  comparison.set = comparison.cache != NULL ? lm_prepare_catalogs (host, cancellable, error) : NULL;
  if (comparison.set == NULL
      || !(request->machine != NULL ? open_machine (&comparison, virt, difference, error) : open_layers (&comparison, difference, error))
      || !read_sides (&comparison, error))
    return NULL;
  if (request->packages)
    compare_packages (&comparison, difference);
  if (!request->files)
    return g_steal_pointer (&difference);
  difference->before = g_steal_pointer (&comparison.before.files);
  difference->after = g_steal_pointer (&comparison.after.files);
  difference->files = lm_file_list_compare (difference->before, difference->after);
  return g_steal_pointer (&difference);
}

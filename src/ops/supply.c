/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/supply.h"
#include "cache/cache.h"
#include "machine/boot.h"

/* Sets *out_missing to whether the file @path is not an intact copy of @blob, and
 * if so adds @blob to @blobs. @blob may be NULL if there is no such file. */
static gboolean
check_copy (const LmHost *host, const LmBlob *blob, const char *path, GPtrArray *blobs, gboolean *out_missing,
            GCancellable *cancellable, GError **error)
{
  gboolean intact = TRUE;
  g_autoptr (GError) failure = NULL;
  if (blob != NULL && !lm_boot_check (path, &blob->digest, &intact, cancellable, &failure))
    {
      if (!g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED))
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return FALSE;
        }
      /* libvirt gave the file to another user and did not take that back; QEMU may
       * be able to read it nevertheless. */
      g_autofree char *text = g_strdup_printf ("the %s cannot be checked: %s", blob->name, failure->message);
      host->warning (host->user_data, text);
      intact = TRUE;
    }
  *out_missing = !intact;
  if (!intact)
    g_ptr_array_add (blobs, (gpointer) blob);
  return TRUE;
}

static gboolean
make_copy (const LmHost *host, LmCache *cache, const LmMachine *machine, const LmBlob *blob, const char *path,
           GCancellable *cancellable, GError **error)
{
  g_autofree char *from = lm_cache_get_path (cache, blob->kind, &blob->digest);
  g_autofree char *text = g_strdup_printf ("the %s of %s was missing or damaged and is copied again from the cache: %s",
                                           blob->name, machine->name, path);
  host->warning (host->user_data, text);
  return lm_boot_replace (from, path, cancellable, error);
}

static GPtrArray *
list_layers (const LmMachine *machine)
{
  GPtrArray *blobs = g_ptr_array_new ();
  for (guint i = 0; i < machine->layers->len; i++)
    g_ptr_array_add (blobs, &((LmDomainLayer *) g_ptr_array_index (machine->layers, i))->blob);
  return blobs;
}

gboolean
lm_supply_layers (const LmHost *host, const LmMachine *machine, LmPrepareResult *out_result, GCancellable *cancellable,
                  GError **error)
{
  g_autoptr (GPtrArray) blobs = list_layers (machine);
  g_autoptr (LmCache) cache = lm_cache_open (host->state_dir, &host->cache, error);
  g_autoptr (LmLock) lease = cache != NULL ? lm_cache_lease (cache, blobs, cancellable, error) : NULL;
  return lease != NULL && lm_prepare_recorded (host, cache, blobs, out_result, cancellable, error);
}

gboolean
lm_supply_machine (const LmHost *host, const LmMachine *machine, LmPrepareResult *out_result, GCancellable *cancellable,
                   GError **error)
{
  g_autoptr (GPtrArray) blobs = list_layers (machine);
  gboolean no_kernel, no_initrd;
  if (!check_copy (host, machine->kernel_blob, machine->kernel, blobs, &no_kernel, cancellable, error)
      || !check_copy (host, machine->initrd_blob, machine->initrd, blobs, &no_initrd, cancellable, error))
    return FALSE;
  /* Held until the copies have been made, so that nobody deletes the blobs in the meantime. */
  g_autoptr (LmCache) cache = lm_cache_open (host->state_dir, &host->cache, error);
  g_autoptr (LmLock) lease = cache != NULL ? lm_cache_lease (cache, blobs, cancellable, error) : NULL;
  return lease != NULL && lm_prepare_recorded (host, cache, blobs, out_result, cancellable, error)
         && (!no_kernel || make_copy (host, cache, machine, machine->kernel_blob, machine->kernel, cancellable, error))
         && (!no_initrd || make_copy (host, cache, machine, machine->initrd_blob, machine->initrd, cancellable, error));
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "author/flatten.h"
#include "author/machine-disk.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/size.h"
#include "image/qcow2.h"
#include "machine/chain.h"
#include "ops/export-chain.h"
#include "ops/output-file.h"
#include "ops/prepare.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

typedef struct
{
  const LmHost *host;
  const LmFlattenRequest *request;
  GCancellable *cancellable;
  LmCache *cache;
  LmPlan *plan;        /* NULL for a machine */
  LmLock *lease;       /* of the files of the plan */
  LmMachineDisk *disk; /* NULL for a chain */
  char *path;          /* the topmost image */
  char *kernel, *initrd, *cmdline;
} Flattening;

static void
flattening_clear (Flattening *flattening)
{
  lm_machine_disk_free (flattening->disk);
  lm_lock_release (flattening->lease);
  lm_plan_free (flattening->plan);
  lm_cache_close (flattening->cache);
  g_free (flattening->path);
  g_free (flattening->kernel);
  g_free (flattening->initrd);
  g_free (flattening->cmdline);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Flattening, flattening_clear)

void
lm_flatten_result_free (LmFlattenResult *result)
{
  if (result == NULL)
    return;
  g_free (result->kernel);
  g_free (result->initrd);
  g_free (result->cmdline);
  g_free (result);
}

/* ---- what is written */

static gboolean
open_chain (Flattening *flattening, GError **error)
{
  const LmFlattenRequest *request = flattening->request;
  LmPrepareResult pulled = { 0 };
  flattening->plan = lm_prepare_plan (flattening->host, request->selections, flattening->cancellable, error);
  if (flattening->plan == NULL
      || !lm_prepare_pull (flattening->host, flattening->plan, &pulled, &flattening->lease, flattening->cancellable, error))
    return FALSE;
  g_autoptr (GPtrArray) layers = lm_plan_list_layers (flattening->plan);
  const LmBlob *top = g_ptr_array_index (layers, layers->len - 1);
  flattening->path = lm_cache_get_path (flattening->cache, LM_BLOB_LAYER, &top->digest);
  for (guint i = 0; i < flattening->plan->blobs->len; i++)
    {
      const LmPlanItem *item = g_ptr_array_index (flattening->plan->blobs, i);
      char **slot = strcmp (item->blob.name, "kernel") == 0 ? &flattening->kernel : &flattening->initrd;
      g_free (*slot);
      *slot = g_strdup (item->path);
    }
  flattening->cmdline = flattening->kernel != NULL ? g_strdup (flattening->plan->cmdline) : NULL;
  return lm_chain_check (flattening->cache, layers, NULL, flattening->cancellable, error);
}

/* The command line is in no record: it is what the topmost layer that has one says. */
static gboolean
find_cmdline (Flattening *flattening, const LmMachine *machine, GError **error)
{
  g_autoptr (LmCatalogSet) set = lm_prepare_catalogs (flattening->host, flattening->cancellable, error);
  for (guint i = machine->layers->len; set != NULL && i > 0 && flattening->cmdline == NULL; i--)
    {
      const LmDomainLayer *layer = g_ptr_array_index (machine->layers, i - 1);
      g_autoptr (LmLayer) entry = lm_export_chain_find_entry (set, &layer->blob.digest, layer->blob.name, layer->version);
      if (entry != NULL)
        flattening->cmdline = g_strdup (entry->cmdline);
    }
  return set != NULL;
}

static gboolean
open_machine (Flattening *flattening, LmVirt *virt, GError **error)
{
  flattening->disk
    = lm_machine_disk_open (flattening->host, virt, flattening->cache, flattening->request->machine, flattening->cancellable, error);
  if (flattening->disk == NULL)
    return FALSE;
  const LmMachine *machine = lm_machine_disk_get_machine (flattening->disk);
  flattening->path = g_strdup (lm_machine_disk_get_path (flattening->disk));
  flattening->kernel = machine->kernel_blob != NULL ? g_strdup (machine->kernel) : NULL;
  flattening->initrd = machine->initrd_blob != NULL ? g_strdup (machine->initrd) : NULL;
  return flattening->kernel == NULL || find_cmdline (flattening, machine, error);
}

/* ---- writing */

/* A file that is written besides the image. */
typedef struct
{
  const char *suffix;
  char **from; /* its path now, and after the publication the new one */
  LmOutputFile *output;
} BootFile;

static void
clear_boot_file (gpointer file)
{
  lm_output_file_free (((BootFile *) file)->output);
}

/* Lists the files that are to be written besides the image. */
static GArray *
list_boot_files (Flattening *flattening)
{
  GArray *files = g_array_new (FALSE, FALSE, sizeof (BootFile));
  const BootFile all[] = { { ".kernel", &flattening->kernel, NULL }, { ".initrd", &flattening->initrd, NULL } };
  g_array_set_clear_func (files, clear_boot_file);
  for (gsize i = 0; i < G_N_ELEMENTS (all); i++)
    if (flattening->request->boot_files && *all[i].from != NULL)
      g_array_append_val (files, all[i]);
  return files;
}

static gboolean
write_block (gpointer data, const void *block, gsize size, GError **error)
{
  return lm_fd_write_all (lm_output_file_get_fd (data), block, size, error);
}

static gboolean
write_boot_files (const Flattening *flattening, GArray *files, GError **error)
{
  for (guint i = 0; i < files->len; i++)
    {
      BootFile *file = &g_array_index (files, BootFile, i);
      g_autofree char *to = g_strconcat (flattening->request->file, file->suffix, NULL);
      lm_autofd int fd = open (*file->from, O_RDONLY | O_CLOEXEC | O_NOCTTY);
      if (fd < 0)
        return lm_throw_errno (error, "cannot open %s", *file->from);
      file->output = lm_output_file_check (to, flattening->request->force, error) ? lm_output_file_open (to, error) : NULL;
      if (file->output == NULL || !lm_fd_read_blocks (fd, write_block, file->output, flattening->cancellable, error))
        return FALSE;
    }
  return TRUE;
}

static gboolean
check_space (const Flattening *flattening, const LmOutputFile *output, GError **error)
{
  guint64 needed, available;
  if (!lm_standalone_measure (flattening->path, &needed, flattening->cancellable, error)
      || !lm_output_file_get_free (output, &available, error))
    return FALSE;
  if (needed <= available)
    return TRUE;
  g_autofree char *need = lm_size_format (needed), *have = lm_size_format (available);
  return lm_throw (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE, "%s may need %s, but only %s are free there",
                   lm_output_file_get_shown (output), need, have);
}

/* The image comes last: when it is there, so are the others. */
static gboolean
publish (const Flattening *flattening, LmOutputFile *image, GArray *files, GError **error)
{
  const gboolean force = flattening->request->force;
  for (guint i = 0; i < files->len; i++)
    {
      BootFile *file = &g_array_index (files, BootFile, i);
      if (!lm_output_file_publish (file->output, force, error))
        return FALSE;
      g_free (*file->from);
      *file->from = g_strconcat (flattening->request->file, file->suffix, NULL);
    }
  return lm_output_file_publish (image, force, error);
}

static LmFlattenResult *
make_result (Flattening *flattening, const LmOutputFile *image, guint64 virtual_size, GError **error)
{
  struct stat st;
  if (fstat (lm_output_file_get_fd (image), &st) < 0)
    return lm_throw_errno_null (error, "cannot stat %s", lm_output_file_get_shown (image));
  LmFlattenResult *result = g_new0 (LmFlattenResult, 1);
  result->virtual_size = virtual_size;
  result->size = (guint64) st.st_size;
  result->allocated = (guint64) st.st_blocks * 512;
  result->kernel = g_steal_pointer (&flattening->kernel);
  result->initrd = g_steal_pointer (&flattening->initrd);
  result->cmdline = g_steal_pointer (&flattening->cmdline);
  return result;
}

static LmFlattenResult *
write_files (Flattening *flattening, GError **error)
{
  const LmFlattenRequest *request = flattening->request;
  LmQcow2Header header;
  g_autoptr (GArray) files = list_boot_files (flattening);
  g_autofree char *text = g_strdup_printf ("writing %s", request->file);
  if (!lm_qcow2_read (flattening->path, &header, NULL, error) || !write_boot_files (flattening, files, error))
    return NULL;
  g_autoptr (LmOutputFile) image = lm_output_file_open (request->file, error);
  if (image == NULL || !check_space (flattening, image, error))
    return NULL;
  flattening->host->status (flattening->host->user_data, text);
  if (!lm_standalone_write (flattening->path, request->format, lm_output_file_get_path (image), flattening->cancellable, error)
      || !lm_fault_point ("flatten-after-write", error)
      || (flattening->disk != NULL && !lm_machine_disk_check (flattening->disk, error)) || !publish (flattening, image, files, error))
    return NULL;
  return make_result (flattening, image, header.virtual_size, error);
}

LmFlattenResult *
lm_flatten_run (const LmHost *host, LmVirt *virt, const LmFlattenRequest *request, GCancellable *cancellable, GError **error)
{
  g_auto (Flattening) flattening = { .host = host, .request = request, .cancellable = cancellable };
  if (!lm_output_file_check (request->file, request->force, error))
    return NULL;
  flattening.cache = lm_cache_open (host->state_dir, &host->cache, error);
  if (flattening.cache == NULL
      || !(request->machine != NULL ? open_machine (&flattening, virt, error) : open_chain (&flattening, error)))
    return NULL;
  g_autoptr (GError) failure = NULL;
  LmFlattenResult *result = write_files (&flattening, &failure);
  if (result != NULL)
    return result;
  if (flattening.disk != NULL)
    lm_machine_disk_explain (flattening.disk, &failure);
  g_propagate_error (error, g_steal_pointer (&failure));
  return NULL;
}

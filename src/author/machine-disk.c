/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "author/machine-disk.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/identity.h"
#include "domain/outline.h"
#include "image/qcow2.h"
#include "machine/chain.h"
#include "ops/inventory.h"
#include "ops/machine-domain.h"
#include "ops/name-lock.h"
#include "ops/prepare.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

/* More images than QEMU opens. */
#define IMAGES_MAX 256

G_DEFINE_QUARK (lm-machine-disk-error-quark, lm_machine_disk_error)

/* An image above the layers. */
typedef struct
{
  char *path;
  LmIdentity identity;
  guint64 allocated;
} Image;

struct _LmMachineDisk
{
  const LmHost *host;
  LmVirt *virt;
  char *name;      /* by which the user knows the machine */
  LmLock *lock;    /* of that name */
  LmLock *renamed; /* of the name in the record, if that is another one */
  LmMachine *machine;
  GPtrArray *layers; /* LmBlob, owned by the machine */
  LmLock *lease;
  GArray *images;  /* Image, top first */
};

static void
clear_image (gpointer image)
{
  g_free (((Image *) image)->path);
}

void
lm_machine_disk_free (LmMachineDisk *disk)
{
  if (disk == NULL)
    return;
  if (disk->lock != NULL)
    lm_name_lock_release (disk->host, disk->name, disk->lock);
  lm_lock_release (disk->renamed);
  lm_lock_release (disk->lease);
  g_clear_pointer (&disk->layers, g_ptr_array_unref);
  lm_machine_free (disk->machine);
  g_array_unref (disk->images);
  g_free (disk->name);
  g_free (disk);
}

const LmMachine *
lm_machine_disk_get_machine (const LmMachineDisk *disk)
{
  return disk->machine;
}

const char *
lm_machine_disk_get_path (const LmMachineDisk *disk)
{
  return g_array_index (disk->images, Image, 0).path;
}

const LmBlob *
lm_machine_disk_get_top (const LmMachineDisk *disk)
{
  return g_ptr_array_index (disk->layers, disk->layers->len - 1);
}

guint64
lm_machine_disk_get_allocated (const LmMachineDisk *disk)
{
  guint64 sum = 0;
  for (guint i = 0; i < disk->images->len; i++)
    sum += g_array_index (disk->images, Image, i).allocated;
  return sum;
}

/* ---- at rest */

static gboolean
check_state (const LmMachineDisk *disk, LmVirtDomain *domain, GError **error)
{
  LmVirtState state;
  if (!lm_virt_domain_state (domain, &state, error))
    return FALSE;
  if (state == LM_VIRT_STATE_SHUT_OFF && lm_virt_domain_has_saved_state (domain))
    return lm_throw (error, LM_MACHINE_DISK_ERROR, LM_MACHINE_DISK_ERROR_BUSY,
                     "%s has a saved state, so that its disk lacks what the guest still holds in memory; start it and shut it down",
                     disk->name);
  return state == LM_VIRT_STATE_SHUT_OFF
         || lm_throw (error, LM_MACHINE_DISK_ERROR, LM_MACHINE_DISK_ERROR_BUSY,
                      "%s is %s, so that its disk lacks what the guest still holds in memory; shut it down first (virsh shutdown %s)",
                      disk->name, lm_virt_state_name (state), disk->name);
}

/* Gets the domain if there is one, and checks that it does not run. */
static gboolean
find_domain (const LmMachineDisk *disk, LmVirtDomain **out_domain, GError **error)
{
  g_autoptr (LmVirtDomain) domain = NULL;
  if (!lm_machine_domain_find (disk->virt, disk->machine, &domain, error) || (domain != NULL && !check_state (disk, domain, error)))
    return FALSE;
  *out_domain = g_steal_pointer (&domain);
  return TRUE;
}

gboolean
lm_machine_disk_check (const LmMachineDisk *disk, GError **error)
{
  g_autoptr (LmVirtDomain) domain = NULL;
  for (guint i = 0; i < disk->images->len; i++)
    {
      const Image *image = &g_array_index (disk->images, Image, i);
      struct stat st;
      if (lstat (image->path, &st) < 0)
        return lm_throw_errno (error, "cannot stat %s", image->path);
      const LmIdentity now = lm_identity_of (&st);
      if (!lm_identity_has_same_content (&image->identity, &now))
        return lm_throw (error, LM_MACHINE_DISK_ERROR, LM_MACHINE_DISK_ERROR_BUSY,
                         "somebody wrote to %s, the disk of %s, while it was read; leave the machine shut off and try again", image->path,
                         disk->name);
    }
  return find_domain (disk, &domain, error);
}

void
lm_machine_disk_explain (const LmMachineDisk *disk, GError **error)
{
  g_autoptr (GError) reason = NULL;
  if (*error == NULL || g_error_matches (*error, G_IO_ERROR, G_IO_ERROR_CANCELLED) || lm_machine_disk_check (disk, &reason)
      || !g_error_matches (reason, LM_MACHINE_DISK_ERROR, LM_MACHINE_DISK_ERROR_BUSY))
    return;
  g_clear_error (error);
  *error = g_steal_pointer (&reason);
}

/* ---- the images */

static gboolean
throw_strange (const LmMachineDisk *disk, const char *path, const char *why, GError **error)
{
  return lm_throw (error, LM_MACHINE_DISK_ERROR, LM_MACHINE_DISK_ERROR_STRANGE, "%s, of the disk of %s, cannot be used: %s", path,
                   disk->name, why);
}

/* Whether the file @path is in the directory of @layer. */
static gboolean
is_layer (const char *path, const char *layer)
{
  g_autofree char *dir = g_path_get_dirname (layer), *name = g_path_get_basename (path), *beside = g_build_filename (dir, name, NULL);
  return lm_file_is_same_path (path, beside);
}

/* Appends to @paths the image @path and those below it, down to the topmost layer. The QEMU of the machine can write what its images
 * say about those below them: below the overlay, nothing but layers of lamina is read. */
static gboolean
follow_images (const LmMachineDisk *disk, const char *path, const char *layer, GPtrArray *paths, GError **error)
{
  g_autofree char *now = g_strdup (path);
  gboolean below = FALSE;
  while (!lm_file_is_same_path (now, layer))
    {
      LmQcow2Header header;
      if (paths->len == IMAGES_MAX)
        return throw_strange (disk, path, "too many images are below it", error);
      if (below && !is_layer (now, layer))
        return throw_strange (disk, disk->machine->overlay, "below it is an image that is not a layer", error);
      if (!lm_qcow2_read (now, &header, NULL, error))
        return FALSE;
      if (lm_qcow2_has_data_file (&header) || header.crypt_method != 0)
        return throw_strange (disk, now, "its data are in another file, or encrypted", error);
      g_ptr_array_add (paths, g_strdup (now));
      below |= lm_file_is_same_path (now, disk->machine->overlay);
      if (header.backing_name[0] == '\0')
        return TRUE;
      if (strcmp (header.backing_format, "qcow2") != 0)
        return throw_strange (disk, now, "it does not say that the image below it is qcow2", error);
      g_autofree char *dir = g_path_get_dirname (now);
      g_free (now);
      now = g_canonicalize_filename (header.backing_name, dir);
    }
  return TRUE;
}

/* Returns the images of the disk that begins with @path, top first; NULL without an error if the overlay is not among them. */
static GPtrArray *
list_images (const LmMachineDisk *disk, const char *path, const char *layer, GError **error)
{
  g_autoptr (GPtrArray) paths = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) failure = NULL;
  gboolean found = lm_file_is_same_path (path, disk->machine->overlay);
  if (!follow_images (disk, path, layer, paths, &failure) && found)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
  for (guint i = 0; !found && i < paths->len; i++)
    found = lm_file_is_same_path (paths->pdata[i], disk->machine->overlay);
  if (found && failure != NULL)
    g_propagate_error (error, g_steal_pointer (&failure));
  return found && failure == NULL ? g_steal_pointer (&paths) : NULL;
}

/* Returns the images of the disk that @domain has, as libvirt knows it. */
static GPtrArray *
list_images_of_domain (const LmMachineDisk *disk, LmVirtDomain *domain, const char *layer, GError **error)
{
  g_autofree char *xml = lm_virt_domain_xml (domain, error);
  g_autoptr (LmDomainOutline) outline = xml != NULL ? lm_domain_outline_parse (xml, error) : NULL;
  for (guint i = 0; outline != NULL && i < outline->disks->len; i++)
    {
      g_autoptr (GError) failure = NULL;
      GPtrArray *images = list_images (disk, outline->disks->pdata[i], layer, &failure);
      if (images != NULL)
        return images;
      if (failure == NULL)
        continue;
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
  if (outline != NULL)
    (void) lm_throw (error, LM_MACHINE_DISK_ERROR, LM_MACHINE_DISK_ERROR_STRANGE,
                     "no disk of the domain %s is %s, the overlay of the machine, or a snapshot on it", lm_virt_domain_name (domain),
                     disk->machine->overlay);
  return NULL;
}

static gboolean
note_images (LmMachineDisk *disk, const GPtrArray *paths, GError **error)
{
  for (guint i = 0; i < paths->len; i++)
    {
      struct stat st;
      if (lstat (paths->pdata[i], &st) < 0)
        return lm_throw_errno (error, "cannot stat %s", (const char *) paths->pdata[i]);
      const Image image = { g_strdup (paths->pdata[i]), lm_identity_of (&st), (guint64) st.st_blocks * 512 };
      g_array_append_val (disk->images, image);
    }
  return TRUE;
}

static gboolean
find_images (LmMachineDisk *disk, LmCache *cache, GError **error)
{
  g_autoptr (LmVirtDomain) domain = NULL;
  g_autofree char *layer = lm_cache_get_path (cache, LM_BLOB_LAYER, &lm_machine_disk_get_top (disk)->digest);
  struct stat st;
  if (lstat (disk->machine->overlay, &st) < 0 && errno == ENOENT)
    return lm_throw (error, LM_MACHINE_DISK_ERROR, LM_MACHINE_DISK_ERROR_MISSING, "%s has no disk: %s is not there%s", disk->name,
                     disk->machine->overlay, disk->machine->ephemeral ? "; that of an ephemeral machine is thrown away" : "");
  if (!find_domain (disk, &domain, error))
    return FALSE;
  g_autoptr (GPtrArray) paths = domain != NULL ? list_images_of_domain (disk, domain, layer, error)
                                               : list_images (disk, disk->machine->overlay, layer, error);
  return paths != NULL && note_images (disk, paths, error);
}

/* ---- the machine */

static gboolean
find_machine (LmMachineDisk *disk, GCancellable *cancellable, GError **error)
{
  disk->lock = lm_name_lock_acquire (disk->host, disk->name, cancellable, error);
  g_autoptr (LmInventoryEntry) entry = disk->lock != NULL ? lm_inventory_find (disk->host, disk->virt, disk->name, error) : NULL;
  if (entry == NULL)
    return FALSE;
  disk->machine = g_steal_pointer (&entry->machine);
  if (disk->machine->state != LM_MACHINE_STATE_COMPLETE)
    return lm_throw (error, LM_MACHINE_DISK_ERROR, LM_MACHINE_DISK_ERROR_MISSING,
                     "another run created %s only in part, or began to remove or replace it; run that command again first", disk->name);
  if (strcmp (disk->machine->name, disk->name) == 0)
    return TRUE;
  /* Who waits for the lock of the new name may hold this one, so this does not wait. */
  disk->renamed = lm_machine_lock (disk->host->state_dir, disk->machine->name, 0, cancellable, error);
  return disk->renamed != NULL;
}

static gboolean
supply_layers (LmMachineDisk *disk, LmCache *cache, GCancellable *cancellable, GError **error)
{
  LmPrepareResult pulled = { 0 };
  disk->layers = g_ptr_array_new ();
  for (guint i = 0; i < disk->machine->layers->len; i++)
    g_ptr_array_add (disk->layers, &((LmDomainLayer *) g_ptr_array_index (disk->machine->layers, i))->blob);
  disk->lease = lm_cache_lease (cache, disk->layers, cancellable, error);
  return disk->lease != NULL && lm_prepare_recorded (disk->host, cache, disk->layers, &pulled, cancellable, error)
         && lm_chain_check (cache, disk->layers, NULL, cancellable, error);
}

LmMachineDisk *
lm_machine_disk_open (const LmHost *host, LmVirt *virt, LmCache *cache, const char *name, GCancellable *cancellable, GError **error)
{
  g_autoptr (LmMachineDisk) disk = g_new0 (LmMachineDisk, 1);
  g_autoptr (LmVirtDomain) domain = NULL;
  disk->host = host;
  disk->virt = virt;
  disk->name = g_strdup (name);
  disk->images = g_array_new (FALSE, FALSE, sizeof (Image));
  g_array_set_clear_func (disk->images, clear_image);
  /* A machine that runs is refused before anything is pulled. */
  if (!lm_domain_name_check (name, error) || !find_machine (disk, cancellable, error) || !find_domain (disk, &domain, error)
      || !supply_layers (disk, cache, cancellable, error) || !find_images (disk, cache, error))
    return NULL;
  return g_steal_pointer (&disk);
}

gboolean
lm_machine_disk_hash (const LmMachineDisk *disk, LmDigest *out_digest, GCancellable *cancellable, GError **error)
{
  g_autoptr (GString) all = g_string_new (NULL);
  for (guint i = 0; i < disk->images->len; i++)
    {
      const char *path = g_array_index (disk->images, Image, i).path;
      lm_autofd int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
      char text[LM_DIGEST_STRING_SIZE];
      LmDigest digest;
      if (fd < 0)
        return lm_throw_errno (error, "cannot open %s", path);
      if (!lm_digest_of_fd (fd, &digest, cancellable, error))
        return FALSE;
      g_string_append_printf (all, "%s\n", lm_digest_format (&digest, text));
    }
  *out_digest = lm_digest_of_text (all->str);
  return TRUE;
}

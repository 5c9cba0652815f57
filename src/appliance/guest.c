/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "appliance/guest.h"
#include "appliance/filesystem.h"
#include "appliance/layout.h"
#include "appliance/shell.h"
#include "base/error.h"
#include "base/kvm.h"

#include <errno.h>
#include <glob.h>
#include <string.h>
#include <unistd.h>

#define DEFAULT_MEMORY 1024
#define KVM_DEVICE "/dev/kvm"
/* For a single processor the kernel changes its code in thousands of places; each time, an emulator has to
 * translate anew what it translated before. */
#define EMULATED_KERNEL "noreplace-smp"
/* Times of access, and tables of inodes that are initialized later, would only make the layer larger. */
#define MOUNT_OPTIONS "noatime"
#define MOUNT_OPTIONS_EXT4 "noatime,noinit_itable"

struct _LmGuest
{
  guestfs_h *handle;
  gboolean read_only;
  GPtrArray *points; /* char *: where something is mounted */
  GPtrArray *stopped; /* char *: devices whose file systems do without their journals */
};

static void
free_strings (char **strings)
{
  for (char **string = strings; string != NULL && *string != NULL; string++)
    free (*string);
  free (strings);
}

guestfs_h *
lm_guest_get_handle (LmGuest *guest)
{
  return guest->handle;
}

void
lm_guest_free (LmGuest *guest)
{
  if (guest == NULL)
    return;
  guestfs_close (guest->handle);
  g_ptr_array_unref (guest->points);
  g_ptr_array_unref (guest->stopped);
  g_free (guest);
}

/* Whether supermin will find a kernel that this user can read, with its modules. */
static gboolean
have_kernel (void)
{
  static const char prefix[] = "/boot/vmlinuz-";
  gboolean found = FALSE;
  glob_t kernels = { 0 };
  if (glob ("/boot/vmlinuz-*", 0, NULL, &kernels) == 0)
    for (gsize i = 0; i < kernels.gl_pathc && !found; i++)
      {
        g_autofree char *modules = g_build_filename ("/lib/modules", kernels.gl_pathv[i] + strlen (prefix), "modules.dep", NULL);
        found = access (kernels.gl_pathv[i], R_OK) == 0 && access (modules, R_OK) == 0;
      }
  globfree (&kernels);
  return found;
}

static gboolean
check_host (guestfs_h *handle, GError **error)
{
  char *qemu = guestfs_get_hv (handle);
  g_autofree char *supermin = g_find_program_in_path ("supermin");
  gboolean have_qemu = qemu != NULL && access (qemu, X_OK) == 0;
  free (qemu);
  if (!have_qemu)
    return lm_throw (error, LM_GUEST_ERROR, LM_GUEST_ERROR_MISSING, "no QEMU; install qemu-system-x86");
  if (supermin == NULL)
    return lm_throw (error, LM_GUEST_ERROR, LM_GUEST_ERROR_MISSING, "no supermin, which makes libguestfs' appliance; install supermin");
  if (!have_kernel ())
    return lm_throw (error, LM_GUEST_ERROR, LM_GUEST_ERROR_MISSING,
                     "no kernel for the appliance: none in /boot is readable and has its modules; install linux-image-cloud-amd64");
  return TRUE;
}

/* Sets *out_emulated unless KVM is to be used, and works: it can be there and run guests so slowly that they
 * seem to hang. */
static gboolean
choose_emulation (const char *virt_type, gboolean *out_emulated, GError **error)
{
  *out_emulated = g_strcmp0 (virt_type, "qemu") == 0 || lm_kvm_probe (KVM_DEVICE) != LM_KVM_GOOD;
  return !*out_emulated || g_strcmp0 (virt_type, "kvm") != 0
         || lm_throw (error, LM_GUEST_ERROR, LM_GUEST_ERROR_MISSING,
                      "KVM cannot be used here (\"lamina doctor\" says why); to emulate instead, set virt-type=qemu in lamina.conf, or "
                      "LAMINA_VIRT_TYPE=qemu");
}

static gboolean
configure (guestfs_h *handle, const LmJsonValue *job, GError **error)
{
  const char *scratch = lm_json_get_string (job, "scratch");
  const gint64 memory = lm_json_get_int (job, "memory", DEFAULT_MEMORY);
  gboolean emulated;
  if (!choose_emulation (lm_json_get_string (job, "virt_type"), &emulated, error))
    return FALSE;
  guestfs_set_error_handler (handle, NULL, NULL);
  /* Without libvirt, whose daemon need not run here. A full disk of this host is an error, instead
   * of stopping the appliance for ever. */
  if (guestfs_set_backend (handle, "direct") < 0
      || (emulated && (guestfs_set_backend_setting (handle, "force_tcg", "1") < 0 || guestfs_set_append (handle, EMULATED_KERNEL) < 0))
      || guestfs_set_tmpdir (handle, scratch) < 0 || guestfs_set_memsize (handle, (int) memory) < 0
      || guestfs_set_network (handle, lm_json_get_bool (job, "network")) < 0 || guestfs_set_recovery_proc (handle, 1) < 0
      || guestfs_config (handle, "-global", "scsi-hd.werror=report") < 0)
    return lm_failure_throw (handle, error, "cannot set up the appliance");
  if (guestfs_add_drive_opts (handle, lm_json_get_string (job, "disk"), GUESTFS_ADD_DRIVE_OPTS_FORMAT, "qcow2",
                              GUESTFS_ADD_DRIVE_OPTS_READONLY, (int) lm_json_get_bool (job, "read_only"),
                              GUESTFS_ADD_DRIVE_OPTS_LABEL, LM_SHELL_DISK_LABEL,
                              GUESTFS_ADD_DRIVE_OPTS_CACHEMODE, "unsafe", GUESTFS_ADD_DRIVE_OPTS_DISCARD,
                              lm_json_get_bool (job, "read_only") ? "disable" : "besteffort", -1)
      < 0)
    return lm_failure_throw (handle, error, "cannot use the disk");
  return TRUE;
}

/* Mounts @device at @point, without a journal if that is possible. */
static gboolean
mount_device (LmGuest *guest, const char *device, const char *point, GError **error)
{
  guestfs_h *handle = guest->handle;
  gboolean stopped = FALSE;
  if (!guest->read_only && !lm_filesystem_stop_journal (handle, device, &stopped, error))
    return FALSE;
  if (stopped)
    g_ptr_array_add (guest->stopped, g_strdup (device));
  char *type = guestfs_vfs_type (handle, device);
  const char *options = g_strcmp0 (type, "ext4") == 0 ? MOUNT_OPTIONS_EXT4 : MOUNT_OPTIONS;
  int mounted = guestfs_mount_options (handle, options, device, point);
  free (type);
  if (mounted < 0)
    return lm_throw (error, LM_GUEST_ERROR, LM_GUEST_ERROR_IMAGE, "cannot mount %s, the file system of %s: %s", device, point,
                     guestfs_last_error (handle));
  g_ptr_array_add (guest->points, g_strdup (point));
  return TRUE;
}

static gboolean
is_system (guestfs_h *handle)
{
  return guestfs_is_file_opts (handle, "/etc/os-release", GUESTFS_IS_FILE_OPTS_FOLLOWSYMLINKS, 1, -1) == 1
         || guestfs_is_dir (handle, "/var/lib/dpkg") == 1;
}

/* Appends what can be mounted and looks like an operating system to @found. */
static void
find_systems (guestfs_h *handle, char **devices, GPtrArray *found)
{
  for (char **device = devices; device != NULL && *device != NULL; device++)
    {
      if (guestfs_mount_ro (handle, *device, "/") < 0)
        continue;
      if (is_system (handle))
        g_ptr_array_add (found, g_strdup (*device));
      (void) guestfs_umount_all (handle);
    }
}

static gboolean
check_one (const GPtrArray *roots, GError **error)
{
  if (roots->len == 0)
    return lm_throw (error, LM_GUEST_ERROR, LM_GUEST_ERROR_IMAGE, "no operating system found on the disk");
  if (roots->len == 1)
    return TRUE;
  g_autofree char *list = g_strjoinv (", ", (char **) roots->pdata);
  return lm_throw (error, LM_GUEST_ERROR, LM_GUEST_ERROR_IMAGE, "several operating systems on the disk: %s", list);
}

static int
compare_points (gconstpointer a, gconstpointer b)
{
  const char *const *one = a, *const *two = b;
  return strcmp (one[0], two[0]);
}

/* Mounts @root, which inspect_os() has found, and what belongs to it. */
static gboolean
mount_inspected (LmGuest *guest, const char *root, GError **error)
{
  char **pairs = guestfs_inspect_get_mountpoints (guest->handle, root);
  guint count = pairs != NULL ? g_strv_length (pairs) / 2 : 0;
  gboolean ok = pairs != NULL || lm_failure_throw (guest->handle, error, "cannot tell what to mount");
  if (ok)
    qsort (pairs, count, 2 * sizeof *pairs, compare_points);
  for (guint i = 0; ok && i < count; i++)
    ok = mount_device (guest, pairs[2 * i + 1], pairs[2 * i], error);
  free_strings (pairs);
  return ok;
}

/* inspect_os() takes many seconds without KVM, and a disk without partitions holds one file system. */
static gboolean
mount_system (LmGuest *guest, GError **error)
{
  guestfs_h *handle = guest->handle;
  g_autoptr (GPtrArray) roots = g_ptr_array_new_null_terminated (1, g_free, TRUE);
  char **partitions = guestfs_list_partitions (handle);
  if (partitions == NULL)
    return lm_failure_throw (handle, error, "cannot list the partitions");
  gboolean whole = partitions[0] == NULL;
  free_strings (partitions);
  if (whole)
    {
      char **devices = guestfs_list_devices (handle);
      find_systems (handle, devices, roots);
      free_strings (devices);
      if (roots->len == 1)
        return mount_device (guest, roots->pdata[0], "/", error);
    }
  char **inspected = guestfs_inspect_os (handle);
  for (char **root = inspected; root != NULL && *root != NULL; root++)
    g_ptr_array_add (roots, g_strdup (*root));
  free_strings (inspected);
  if (roots->len > 0)
    return check_one (roots, error) && mount_inspected (guest, roots->pdata[0], error);
  char **filesystems = guestfs_list_filesystems (handle);
  for (guint i = 0; filesystems != NULL && filesystems[i] != NULL; i += 2)
    {
      char *one[] = { filesystems[i], NULL };
      find_systems (handle, one, roots);
    }
  free_strings (filesystems);
  return check_one (roots, error) && mount_device (guest, roots->pdata[0], "/", error);
}

/* Makes the layout that the job asks for, and mounts it. */
static gboolean
make_layout (LmGuest *guest, const char *name, GError **error)
{
  LmLayoutMount root, efi;
  if (!lm_layout_make (guest->handle, name, &root, &efi, error) || !mount_device (guest, root.device, root.point, error))
    return FALSE;
  if (efi.device[0] == '\0')
    return TRUE;
  return (guestfs_mkdir_p (guest->handle, efi.point) == 0 || lm_failure_throw (guest->handle, error, "cannot create %s", efi.point))
         && mount_device (guest, efi.device, efi.point, error);
}

LmGuest *
lm_guest_start (const LmJsonValue *job, GError **error)
{
  guestfs_h *handle = guestfs_create_flags (GUESTFS_CREATE_NO_ENVIRONMENT | GUESTFS_CREATE_NO_CLOSE_ON_EXIT);
  if (handle == NULL)
    return lm_throw_null (error, LM_GUEST_ERROR, LM_GUEST_ERROR_FAILED, "libguestfs cannot be used");
  g_autoptr (LmGuest) guest = g_new0 (LmGuest, 1);
  guest->handle = handle;
  guest->read_only = lm_json_get_bool (job, "read_only");
  guest->points = g_ptr_array_new_with_free_func (g_free);
  guest->stopped = g_ptr_array_new_with_free_func (g_free);
  if (!check_host (handle, error) || !configure (handle, job, error))
    return NULL;
  if (guestfs_launch (handle) < 0)
    {
      (void) lm_failure_throw (handle, error, "the appliance does not start");
      return NULL;
    }
  const char *layout = lm_json_get_string (job, "layout");
  if (!(layout != NULL ? make_layout (guest, layout, error) : mount_system (guest, error)))
    return NULL;
  return g_steal_pointer (&guest);
}

gboolean
lm_guest_trim (LmGuest *guest, GError **error)
{
  if (guestfs_sync (guest->handle) < 0)
    return lm_failure_throw (guest->handle, error, "cannot sync the disk");
  for (guint i = 0; i < guest->points->len; i++)
    if (guestfs_fstrim (guest->handle, guest->points->pdata[i], -1) < 0
        && guestfs_last_errno (guest->handle) != EOPNOTSUPP && guestfs_last_errno (guest->handle) != ENOTSUP)
      return lm_failure_throw (guest->handle, error, "cannot trim %s", (const char *) guest->points->pdata[i]);
  return TRUE;
}

/* Whether all writes reached the disk. When one fails later than the call that wrote, for example
 * because the host has no space left, only the kernel of the appliance knows. */
static gboolean
check_writes (LmGuest *guest, GError **error)
{
  if (guestfs_sync (guest->handle) < 0)
    return lm_failure_throw (guest->handle, error, "cannot sync the disk");
  char *lost = lm_shell_run (guest->handle, "dmesg | grep -E ' error, dev sd|lost (a?sync )?page write' | grep -v '(DISCARD)' | head -n 1");
  gboolean ok = lost != NULL && *lost == '\0';
  if (!ok)
    (void) lm_throw (error, LM_GUEST_ERROR, LM_GUEST_ERROR_FAILED, "the disk could not be written: %s",
                     lost != NULL ? lost : guestfs_last_error (guest->handle));
  free (lost);
  return ok;
}

gboolean
lm_guest_finish (LmGuest *guest, GError **error)
{
  if (guestfs_umount_all (guest->handle) < 0)
    return lm_failure_throw (guest->handle, error, "cannot unmount the disk");
  for (guint i = 0; i < guest->stopped->len; i++)
    if (!lm_filesystem_start_journal (guest->handle, guest->stopped->pdata[i], error))
      return FALSE;
  if (!guest->read_only && !check_writes (guest, error))
    return FALSE;
  return guestfs_shutdown (guest->handle) == 0 || lm_failure_throw (guest->handle, error, "the appliance did not end well");
}

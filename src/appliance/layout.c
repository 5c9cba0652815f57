/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "appliance/layout.h"
#include "appliance/shell.h"
#include "base/error.h"

#include <string.h>

/* The only disk of the job is the first one. */
#define DISK "/dev/sda"
/* As fdisk(8) does: 1 MiB before the first partition, room enough for GRUB. */
#define FIRST_SECTOR 2048
#define ESP_SECTORS (128 * 2048)
/* Behind the last partition of a GPT is its second copy. */
#define GPT_END (-34)
#define ESP_TYPE "C12A7328-F81F-11D2-BA4B-00A0C93EC93B"
/* No lazy initialization, because a guest would write the tables to its overlay. */
#define MAKE_ROOT "mke2fs -q -F -t ext4 -L root -m 1 -E lazy_itable_init=0,lazy_journal_init=0 "
#define MAKE_ESP "mkfs.vfat -F 32 -n ESP "

static gboolean
make_filesystem (guestfs_h *handle, const char *tool, LmLayoutMount *mount, const char *device, const char *point, GError **error)
{
  g_autofree char *name = lm_shell_device (device);
  g_autofree char *command = g_strconcat (tool, name, NULL);
  char *said = lm_shell_run (handle, command);
  if (said == NULL)
    return lm_failure_throw (handle, error, "cannot make a file system on %s", device);
  free (said);
  g_strlcpy (mount->device, device, sizeof mount->device);
  mount->point = point;
  return TRUE;
}

static gboolean
partition_for_bios (guestfs_h *handle)
{
  return guestfs_part_init (handle, DISK, "mbr") == 0 && guestfs_part_add (handle, DISK, "p", FIRST_SECTOR, -1) == 0
         && guestfs_part_set_bootable (handle, DISK, 1, 1) == 0;
}

static gboolean
partition_for_uefi (guestfs_h *handle)
{
  return guestfs_part_init (handle, DISK, "gpt") == 0
         && guestfs_part_add (handle, DISK, "p", FIRST_SECTOR, FIRST_SECTOR + ESP_SECTORS - 1) == 0
         && guestfs_part_add (handle, DISK, "p", FIRST_SECTOR + ESP_SECTORS, GPT_END) == 0
         && guestfs_part_set_gpt_type (handle, DISK, 1, ESP_TYPE) == 0;
}

gboolean
lm_layout_make (guestfs_h *handle, const char *name, LmLayoutMount *out_root, LmLayoutMount *out_efi, GError **error)
{
  const gboolean bios = strcmp (name, "bios") == 0, uefi = strcmp (name, "uefi") == 0;
  if ((bios && !partition_for_bios (handle)) || (uefi && !partition_for_uefi (handle)))
    return lm_failure_throw (handle, error, "cannot make partitions");
  out_efi->device[0] = '\0';
  return make_filesystem (handle, MAKE_ROOT, out_root, bios ? DISK "1" : uefi ? DISK "2" : DISK, "/", error)
         && (!uefi || make_filesystem (handle, MAKE_ESP, out_efi, DISK "1", "/boot/efi", error));
}

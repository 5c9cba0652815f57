/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Changes the content of a disk by a list of steps, which the program lamina-appliance does
 * in a virtual machine (libguestfs), so that no file system of a guest is mounted and no
 * program of a guest runs on this host. Knows nothing of packages or recipes. What is read
 * from a guest is bounded, and is not to be trusted. */
#include <gio/gio.h>

typedef enum
{
  LM_APPLIANCE_ERROR_MISSING,  /* the program, libguestfs, QEMU or a kernel is missing; the message names the package */
  LM_APPLIANCE_ERROR_COMMAND,  /* a command in the guest failed; the message has its last lines */
  LM_APPLIANCE_ERROR_IMAGE,    /* the disk has no operating system, or several, or a broken file system */
  LM_APPLIANCE_ERROR_NO_SPACE, /* the file system of the guest is full */
  LM_APPLIANCE_ERROR_FAILED,   /* the appliance itself, or a step that is not possible in this guest */
} LmApplianceError;

#define LM_APPLIANCE_ERROR lm_appliance_error_quark ()
GQuark lm_appliance_error_quark (void);

/* What is made of the disk before the steps. The file system of the guest's root has the label "root". */
typedef enum
{
  LM_APPLIANCE_LAYOUT_KEEP,  /* nothing: it has an operating system */
  LM_APPLIANCE_LAYOUT_WHOLE, /* one ext4, without partitions */
  LM_APPLIANCE_LAYOUT_BIOS,  /* MBR and one partition, ext4 */
  LM_APPLIANCE_LAYOUT_UEFI,  /* GPT; an EFI system partition with the label "ESP" at /boot/efi, and one of ext4 */
} LmApplianceLayout;

/* The disk of the job for commands of the guest. Which of /dev/sd* it is may differ from run to run. */
#define LM_APPLIANCE_DISK "/dev/disk/guestfs/job"

/* What lm_appliance_run() works with. All paths are absolute. */
typedef struct
{
  const char *program;   /* lamina-appliance, which need not exist */
  const char *disk;      /* a qcow2 image */
  LmApplianceLayout layout; /* made on the disk first; what it had is lost */
  const char *scratch;   /* an existing directory; what is left of a killed run is in it */
  const char *virt_type; /* "kvm" or "qemu"; NULL for kvm if it works */
  guint memory;          /* of the appliance, in MiB; 0 for 1024 */
  guint time_seconds;    /* for the whole run; 0 for no limit */
  gboolean read_only;    /* changes are lost */
  gboolean network;      /* commands in the guest may use the network of the host */
} LmApplianceSettings;

/* A list of steps, and after lm_appliance_run() what they have read. */
typedef struct _LmAppliance LmAppliance;

/** lm_appliance_new: returns an empty list; never NULL. */
LmAppliance *lm_appliance_new (void);
/** lm_appliance_free: frees @job; NULL is ignored. */
void lm_appliance_free (LmAppliance *job);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmAppliance, lm_appliance_free)

/* Each of the following appends a step. Paths in the guest are absolute; @label is what
 * progress and errors call the step. What a step makes belongs to the guest's root. */

/** lm_appliance_add_upload: copies the file @from of the host to @to in the guest, with
 * permission bits @mode. An existing file is replaced. */
void lm_appliance_add_upload (LmAppliance *job, const char *label, const char *from, const char *to, int mode);
/** lm_appliance_add_write: writes @size bytes of @data to @to in the guest. */
void lm_appliance_add_write (LmAppliance *job, const char *label, const char *to, const void *data, gsize size, int mode);
/** lm_appliance_add_unpack: unpacks the tar file @from of the host into the directory @to, with owners,
 * extended attributes and all. */
void lm_appliance_add_unpack (LmAppliance *job, const char *label, const char *from, const char *to);
/** lm_appliance_add_mkdir: creates the directory @path, with its parents; one that exists keeps its mode. */
void lm_appliance_add_mkdir (LmAppliance *job, const char *label, const char *path, int mode);
/* The longest script in bytes; write a longer one to a file. */
#define LM_APPLIANCE_SCRIPT_MAX (64 * 1024)
/** lm_appliance_add_run: runs @script in the guest's root by "/bin/sh -e", without input, as
 * root, with PATH, LC_ALL=C.UTF-8 and DEBIAN_FRONTEND=noninteractive. A policy-rc.d keeps
 * Debian's packages from starting services during a job with such a step. */
void lm_appliance_add_run (LmAppliance *job, const char *label, const char *script);
/* The most that lm_appliance_add_read() returns. */
#define LM_APPLIANCE_READ_MAX (4 * 1024 * 1024)
/** lm_appliance_add_read: reads @path, of which @max bytes are enough. Returns the number for
 * lm_appliance_get_result(). With @to, the file @to of the host is written instead, and
 * @max may be larger. A file that is not there is no error. */
guint lm_appliance_add_read (LmAppliance *job, const char *label, const char *path, guint64 max, const char *to);
/** lm_appliance_add_list: writes what is below the directory @path, on its file systems, to the
 * file @to of the host. Each entry is "TYPE MODE UID GID SIZE MTIME CTIME PATH", a NUL
 * byte, the target of a symbolic link, and a NUL byte; TYPE as by "find -type", MODE in octal, the
 * times as SECONDS.NANOSECONDS. Ordered by PATH. */
void lm_appliance_add_list (LmAppliance *job, const char *label, const char *path, const char *to);
/** lm_appliance_add_digests: writes the SHA-256 digests of the regular files below the directory @path to the
 * file @to of the host. Each entry is 64 hexadecimal digits, two blanks, the path relative to @path, and a NUL
 * byte; in no particular order. */
void lm_appliance_add_digests (LmAppliance *job, const char *label, const char *path, const char *to);
/** lm_appliance_add_remove: removes what matches the glob @pattern, directories with all that
 * is in them. Nothing there is no error. */
void lm_appliance_add_remove (LmAppliance *job, const char *label, const char *pattern);
/** lm_appliance_add_truncate: makes the regular files that match the glob @pattern empty; of a
 * directory, those in it and below. They keep owner and mode. */
void lm_appliance_add_truncate (LmAppliance *job, const char *label, const char *pattern);
/** lm_appliance_also: the last step, which removes or truncates, does so with @pattern as well. */
void lm_appliance_also (LmAppliance *job, const char *pattern);
/** lm_appliance_add_trim: gives the free blocks of all file systems back. Done last, because
 * nothing is written to them afterwards. */
void lm_appliance_add_trim (LmAppliance *job, const char *label);

/** lm_appliance_only_if: the last step is left out unless @present is there in the guest (NULL:
 * whatever is there). */
void lm_appliance_only_if (LmAppliance *job, const char *present);
/** lm_appliance_unless: the last step is left out if @absent is there. May be called several times. */
void lm_appliance_unless (LmAppliance *job, const char *absent);

typedef struct
{
  guint step;       /* from 1; 1 is the start of the appliance, the last one its end */
  guint of;         /* number of steps, with these two */
  const char *label;
  gboolean ended;   /* otherwise it begins */
  gboolean skipped; /* it was left out, see lm_appliance_only_if() */
  guint64 ms;       /* how long it took, if @ended */
} LmApplianceProgress;

typedef void (*LmApplianceProgressFunc) (const LmApplianceProgress *progress, gpointer user_data);

/** lm_appliance_run: does the steps of @job, in their order, in the one operating system on
 * the disk, or on a new one with the layout of @settings; may be called once. The first that fails ends it, and then the disk is not fit for use.
 * @func may be NULL; it is called in this thread. Neither the disk nor what is read is synced.
 * Blocks, for 10 s and more; cancelling ends it within seconds. Errors: LM_APPLIANCE_ERROR,
 * LM_RUN_ERROR_TIMED_OUT, LM_RUN_ERROR_NO_SPACE (on this host), G_IO_ERROR. */
gboolean lm_appliance_run (LmAppliance *job, const LmApplianceSettings *settings, LmApplianceProgressFunc func,
                           gpointer user_data, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_appliance_get_result: returns what the step @number (of lm_appliance_add_read() without
 * @to) read, at most its maximum; belongs to @job. NULL if the file is not there. */
GBytes *lm_appliance_get_result (const LmAppliance *job, guint number);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The records of the machines that lamina made. machines/<uuid>/ contains the
 * overlay, the seed, the console log and record.json. A record is written before
 * anything else of a machine exists (in the state "creating"), so that the next run
 * finds and removes what a killed run left. Records are accessible to their owner
 * only, because the URLs of layers may contain passwords. */
#include "base/lock.h"
#include "domain/spec.h"
#include "machine/state.h"

typedef struct
{
  char *name;
  char *uuid;
  char *uri;          /* URI of its libvirt connection */
  LmMachineState state; /* changed by lm_machine_change_state() only */
  gboolean transient;
  gboolean ephemeral; /* the overlay is thrown away when the guest stops, see machine/disk.h */
  gint64 created;     /* seconds since 1970, UTC */
  char **requested;   /* selections as given by the user */
  char **resolved;    /* selections as resolved, "group=name@version" */
  GPtrArray *layers;  /* LmDomainLayer, base first */
  LmBlob *kernel_blob; /* the blob that its kernel is a copy of; NULL if it has none; likewise the next */
  LmBlob *initrd_blob;
  GPtrArray *publish; /* LmDomainPublish */
  char *ready;        /* NULL if unknown */
  guint64 disk;       /* virtual size of the overlay in bytes */
  char **files;       /* its files in the directory; NULL: only those that every machine has */
  /* How to restore it while it is being replaced, see ops/replace.h; set until it is complete again. */
  char *replaced_by;  /* UUID of the machine that takes its name */
  char *replaced_xml; /* XML of its domain; NULL if it had none */
  gboolean replaced_autostart; /* properties that the domain had */
  gboolean replaced_active;
  /* Not in the file, because they follow from the state directory and the uuid. */
  char *state_dir;
  char *dir;
  char *overlay;
  char *seed;         /* where it is or would be; likewise the next three */
  char *kernel;       /* the domain's own copy, see machine/boot.h */
  char *initrd;
  char *nvram;
  char *console_log;
  char *ready_file;   /* see machine/ready.h */
} LmMachine;

typedef enum
{
  LM_MACHINE_ERROR_NOT_FOUND, /* there is no machine of that name */
  LM_MACHINE_ERROR_CORRUPT,   /* the record is not valid */
} LmMachineError;

#define LM_MACHINE_ERROR lm_machine_error_quark ()
GQuark lm_machine_error_quark (void);

/** lm_machine_new: returns a record that has not been written yet. Its UUID is
 * @uuid, which is not checked, or a new random one if @uuid is NULL. */
LmMachine *lm_machine_new (const char *state_dir, const char *name, const char *uuid);
/** lm_machine_free: frees @machine; NULL is ignored. */
void lm_machine_free (LmMachine *machine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmMachine, lm_machine_free)

/** lm_machine_save: durably writes the record. If the directory (mode 0711, so that
 * the user of QEMU can pass through it) is missing, both appear at the same time.
 * The caller holds the lock of the machine's name. Errors: G_IO_ERROR. */
gboolean lm_machine_save (LmMachine *machine, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_machine_change_state: sets the state to @state and saves the record. @state
 * is the current state, or one that lm_machine_state_can_become() allows. On
 * failure the record is unchanged. Errors: G_IO_ERROR. */
gboolean lm_machine_change_state (LmMachine *machine, LmMachineState state, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_machine_load: reads the record of @uuid. Errors: LM_MACHINE_ERROR_NOT_FOUND;
 * LM_MACHINE_ERROR_CORRUPT, also for a record that another user could have written
 * or that this user may not read; G_IO_ERROR if reading failed. */
LmMachine *lm_machine_load (const char *state_dir, const char *uuid, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_machine_list: returns all records (LmMachine), sorted by name; of the same
 * name, complete ones come first and replaced ones last. Corrupt records, and disks
 * whose record is lost, are reported in @warnings (char *; may be NULL) and
 * skipped. Errors: G_IO_ERROR if the directory or a record could not be read, so a
 * machine that is not in the list does not exist. */
GPtrArray *lm_machine_list (const char *state_dir, GPtrArray *warnings, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_machine_find: returns the record of @name on the connection @uri (NULL for
 * any). Errors: LM_MACHINE_ERROR_NOT_FOUND; LM_MACHINE_ERROR_CORRUPT if it is not
 * found but may be one of the corrupt records; G_IO_ERROR as for lm_machine_list(). */
LmMachine *lm_machine_find (const char *state_dir, const char *name, const char *uri, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_machine_list_corrupt: returns the UUIDs (char *) of the machines whose
 * records are corrupt, so that their names are not known, and appends for each a
 * message that names the file to @messages. Errors: G_IO_ERROR as for
 * lm_machine_list(). */
GPtrArray *lm_machine_list_corrupt (const char *state_dir, GPtrArray *messages, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_machine_throw_corrupt: sets @error to LM_MACHINE_ERROR_CORRUPT, because there
 * is no machine @name, but the corrupt record that @message is about may have that
 * name. Returns FALSE. */
gboolean lm_machine_throw_corrupt (const char *name, const char *message, GError **error);

/** lm_machine_remove_leftovers: removes what killed runs left next to the machines:
 * records that were being written for the first time, and empty directories. Any
 * other directory without a record may contain a user's disk and is kept;
 * lm_machine_list() reports it. Needs no lock. */
void lm_machine_remove_leftovers (const char *state_dir);

/** lm_machine_remove_temporaries: removes incomplete files that killed runs left
 * from the directory of @machine. The caller holds the lock of the machine's name.
 * Errors are ignored. */
void lm_machine_remove_temporaries (const LmMachine *machine);

/** lm_machine_note_files: sets @machine->files to the files that every machine has and
 * those in its directory that its domain's @xml refers to, which lamina, or libvirt on
 * its behalf, may create there. Errors: LM_XML_ERROR. */
gboolean lm_machine_note_files (LmMachine *machine, const char *xml, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_machine_owns_file: whether @name, in the directory of @machine, was created
 * by lamina, or by libvirt on its behalf: one of the machine's files, a rotated
 * console log, or what a killed run left while creating one of these. A directory
 * counts only if it is one that lamina creates. */
gboolean lm_machine_owns_file (const LmMachine *machine, const char *name);

/** lm_machine_may_be_disk: whether a file called @name in the directory of a
 * machine may be a disk image. The console log and the UEFI variables are not,
 * although the guest may write anything to them; nor are the record, the kernel and
 * the initrd, whatever they contain. */
gboolean lm_machine_may_be_disk (const char *name);

/** lm_machine_erase: removes the files for which lm_machine_owns_file() is true,
 * the record last, then the directory. Other files are kept: G_IO_ERROR_NOT_EMPTY.
 * Succeeds if the directory does not exist. The caller has checked that nobody uses
 * the files (ops/usage.h). Errors: G_IO_ERROR. */
gboolean lm_machine_erase (LmMachine *machine, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_machine_lock: takes the lock of @name, which allows only one run at a time.
 * @timeout_ms and errors as for lm_lock_acquire(). */
LmLock *lm_machine_lock (const char *state_dir, const char *name, gint timeout_ms, GCancellable *cancellable,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_machine_to_json: returns the contents of the record's file, newly allocated. */
char *lm_machine_to_json (const LmMachine *machine);

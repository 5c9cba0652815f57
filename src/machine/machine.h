/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The records of the machines that lamina made: machines/<uuid>/ holds the
 * overlay, the seed, the console log and record.json. A record is written
 * before anything else of a machine exists (in state "creating"), so that what a
 * killed run left behind is found and taken away by the next one. Records are
 * for their owner only: URLs of layers may hold passwords. */
#include "base/lock.h"
#include "domain/spec.h"
#include "machine/state.h"

typedef struct
{
  char *name;
  char *uuid;
  char *uri;          /* the libvirt connection that it lives on */
  LmMachineState state; /* changed by lm_machine_change_state() only */
  gboolean transient;
  gint64 created;     /* seconds since 1970, UTC */
  char **requested;   /* selections as the user gave them */
  char **resolved;    /* the same, "group=name@version" */
  GPtrArray *layers;  /* LmDomainLayer, base first */
  GPtrArray *publish; /* LmDomainPublish */
  char *ready;        /* NULL: unknown */
  guint64 disk;       /* bytes, virtual size of the overlay */
  char **files;       /* names in its directory that are lamina's; NULL: all that there can be */
  /* How to put it back when it is replaced, see ops/replace.h; known until it is complete again. */
  char *replaced_by;  /* the UUID of the other one */
  char *replaced_xml; /* its domain's; NULL: it had none */
  gboolean replaced_autostart; /* what that domain was; likewise the next */
  gboolean replaced_active;
  /* Not in the file: follow from the state directory and the uuid. */
  char *state_dir;
  char *dir;
  char *overlay;
  char *seed;         /* where it would be, there or not; so are the next three */
  char *kernel;       /* the domain's own copies, see machine/boot.h */
  char *initrd;
  char *nvram;
  char *console_log;
  char *ready_file;   /* see machine/ready.h */
} LmMachine;

typedef enum
{
  LM_MACHINE_ERROR_NOT_FOUND, /* no machine of that name */
  LM_MACHINE_ERROR_CORRUPT,   /* a record cannot be read */
} LmMachineError;

#define LM_MACHINE_ERROR lm_machine_error_quark ()
GQuark lm_machine_error_quark (void);

/** lm_machine_new: a record with a fresh random UUID, written nowhere yet.
 * @uuid: NULL, or the one to take (not checked). */
LmMachine *lm_machine_new (const char *state_dir, const char *name, const char *uuid);
void lm_machine_free (LmMachine *machine);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmMachine, lm_machine_free)

/** lm_machine_save: writes the record, durably. If the directory is missing (0711: the
 * QEMU user passes through it), both appear at once. The caller holds the lock of the
 * machine's name. Errors: G_IO_ERROR. */
gboolean lm_machine_save (LmMachine *machine, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_machine_change_state: the same, with the record in @state, which must be one that
 * lm_machine_state_can_become() it, or the one it is in. A failure leaves the record as
 * it was. */
gboolean lm_machine_change_state (LmMachine *machine, LmMachineState state, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_machine_load: the record of @uuid. Errors: LM_MACHINE_ERROR_NOT_FOUND;
 * _CORRUPT, also for one that another user could have written or that this user
 * may not read; G_IO_ERROR if reading failed. */
LmMachine *lm_machine_load (const char *state_dir, const char *uuid, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_machine_list: every record, sorted by name, then those that are not being
 * replaced and the complete ones first. Those that are corrupt, and disks whose
 * record is lost, are named in @warnings (char *, may be NULL) and left out.
 * LmMachine. Errors: G_IO_ERROR if the directory or a record could not be read, so
 * that "not there" can be relied on. */
GPtrArray *lm_machine_list (const char *state_dir, GPtrArray *warnings, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_machine_find: the record of @name on @uri (NULL: any connection).
 * Errors: LM_MACHINE_ERROR_NOT_FOUND; _CORRUPT if it is not found and may be
 * one whose record is corrupt; G_IO_ERROR as above. */
LmMachine *lm_machine_find (const char *state_dir, const char *name, const char *uri, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_machine_remove_leftovers: removes what killed runs left beside the machines:
 * records that were being written for the first time, and empty directories. Any
 * other directory without a record may hold somebody's disk and stays;
 * lm_machine_list() names it. Needs no lock. */
void lm_machine_remove_leftovers (const char *state_dir);

/** lm_machine_remove_temporaries: removes from the directory of @machine the
 * half-written files that killed runs left behind. The caller holds the lock of the
 * machine's name. Errors are ignored. */
void lm_machine_remove_temporaries (const LmMachine *machine);

/** lm_machine_note_files: notes in @machine->files which files of its directory @xml
 * names, that of its domain: those that lamina, or libvirt for it, may make there.
 * Errors: LM_XML_ERROR. */
gboolean lm_machine_note_files (LmMachine *machine, const char *xml, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_machine_owns_file: whether @name, in the directory of @machine, is what lamina, or
 * libvirt for it, made there: one of its files, a console log that was rotated, what a
 * killed run left of making one of these. A directory is only what lamina makes as one. */
gboolean lm_machine_owns_file (const LmMachine *machine, const char *name);

/** lm_machine_may_be_disk: whether a file that is called @name in a machine's directory may
 * be a disk image. The console log and the UEFI variables are not, and guests choose
 * what stands in them. */
gboolean lm_machine_may_be_disk (const char *name);

/** lm_machine_erase: removes the files that lm_machine_owns_file() names, the
 * record last, then the directory. Others stay: G_IO_ERROR_NOT_EMPTY. A directory
 * that is gone is success. Who uses them the caller has asked (ops/usage.h).
 * Errors: G_IO_ERROR. */
gboolean lm_machine_erase (LmMachine *machine, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_machine_lock: the lock of @name, which allows one run at a time. @timeout_ms and
 * errors as lm_lock_acquire(). */
LmLock *lm_machine_lock (const char *state_dir, const char *name, gint timeout_ms, GCancellable *cancellable,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_machine_to_json: the record's file, newly allocated. */
char *lm_machine_to_json (const LmMachine *machine);

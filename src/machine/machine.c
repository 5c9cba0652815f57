/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "machine/machine.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/file.h"
#include "base/state-dir.h"
#include "base/text.h"
#include "io/xml.h"
#include "machine/machine-json.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

G_DEFINE_QUARK (lm-machine-error-quark, lm_machine_error)

#define MAX_RECORD (1024 * 1024)
#define OVERLAY "overlay.qcow2"
#define SEED "seed.iso"
#define KERNEL "kernel"
#define INITRD "initrd"
#define NVRAM "nvram.fd"
#define CONSOLE_LOG "console.log"
#define READY "ready"
#define RECORD "record.json"
#define MACHINES "machines"

static void
set_paths (LmMachine *machine, const char *state_dir)
{
  machine->state_dir = g_strdup (state_dir);
  machine->dir = g_build_filename (state_dir, MACHINES, machine->uuid, NULL);
  machine->overlay = g_build_filename (machine->dir, OVERLAY, NULL);
  machine->seed = g_build_filename (machine->dir, SEED, NULL);
  machine->kernel = g_build_filename (machine->dir, KERNEL, NULL);
  machine->initrd = g_build_filename (machine->dir, INITRD, NULL);
  machine->nvram = g_build_filename (machine->dir, NVRAM, NULL);
  machine->console_log = g_build_filename (machine->dir, CONSOLE_LOG, NULL);
  machine->ready_file = g_build_filename (machine->dir, READY, NULL);
}

LmMachine *
lm_machine_new (const char *state_dir, const char *name, const char *uuid)
{
  LmMachine *machine = g_new0 (LmMachine, 1);
  machine->name = g_strdup (name);
  machine->uuid = uuid ? g_strdup (uuid) : g_uuid_string_random ();
  machine->created = g_get_real_time () / G_USEC_PER_SEC;
  machine->layers = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_domain_layer_free);
  machine->publish = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_domain_publish_free);
  set_paths (machine, state_dir);
  return machine;
}

void
lm_machine_free (LmMachine *machine)
{
  if (machine == NULL)
    return;
  g_free (machine->name);
  g_free (machine->uuid);
  g_free (machine->uri);
  g_strfreev (machine->requested);
  g_strfreev (machine->resolved);
  g_ptr_array_unref (machine->layers);
  lm_blob_free (machine->kernel_blob);
  lm_blob_free (machine->initrd_blob);
  g_ptr_array_unref (machine->publish);
  g_free (machine->ready);
  g_strfreev (machine->files);
  g_free (machine->replaced_by);
  g_free (machine->replaced_xml);
  g_free (machine->state_dir);
  g_free (machine->dir);
  g_free (machine->overlay);
  g_free (machine->seed);
  g_free (machine->kernel);
  g_free (machine->initrd);
  g_free (machine->nvram);
  g_free (machine->console_log);
  g_free (machine->ready_file);
  g_free (machine);
}

/* Opens the directory "machines"; unless @readonly is set, creates it and the state
 * directory if missing. */
static LmStateDir *
open_machines_dir (const char *state_dir, gboolean readonly, GError **error)
{
  g_autoptr (LmStateDir) state
    = readonly ? lm_state_dir_open_readonly (state_dir, error) : lm_state_dir_open (state_dir, error);
  return state != NULL ? lm_state_dir_open_below (state, MACHINES, 0755, error) : NULL;
}

/* Whether the file is one that is replaced atomically. */
static gboolean
is_atomically_written (const char *name)
{
  return strcmp (name, READY) == 0 || strcmp (name, RECORD) == 0;
}

static gboolean
write_record (const LmStateDir *dir, const char *text, GError **error)
{
  return lm_state_dir_write (dir, RECORD, text, strlen (text), 0600, error);
}

/* The directory appears together with the record, so a directory without a record
 * belongs to no machine, and other runs may remove it if it is empty. */
static gboolean
write_first_record (LmStateDir *machines, const LmMachine *machine, const char *text, GError **error)
{
  g_autoptr (LmStateDir) dir = lm_state_dir_begin_below (machines, machine->uuid, 0711, error);
  if (dir == NULL)
    return FALSE;
  if (write_record (dir, text, error) && lm_state_dir_publish_below (machines, dir, machine->uuid, error))
    return TRUE;
  g_autofree char *name = g_path_get_basename (lm_state_dir_get_path (dir));
  g_clear_pointer (&dir, lm_state_dir_close);
  lm_state_dir_remove_begun (machines, name, is_atomically_written);
  return FALSE;
}

static gboolean
write_machine_record (const LmMachine *machine, GError **error)
{
  g_autofree char *text = lm_machine_to_json (machine);
  g_autoptr (LmStateDir) machines = open_machines_dir (machine->state_dir, FALSE, error);
  struct stat st;
  if (machines == NULL)
    return FALSE;
  if (fstatat (lm_state_dir_get_fd (machines), machine->uuid, &st, AT_SYMLINK_NOFOLLOW) < 0)
    return errno == ENOENT ? write_first_record (machines, machine, text, error)
                           : lm_throw_errno (error, "cannot stat %s", machine->dir);
  g_autoptr (LmStateDir) dir = lm_state_dir_open_below (machines, machine->uuid, 0711, error);
  return dir != NULL && write_record (dir, text, error);
}

gboolean
lm_machine_save (LmMachine *machine, GError **error)
{
  if (!lm_fault_point ("record-before-write", error))
    return FALSE;
  if (!write_machine_record (machine, error))
    {
      g_prefix_error (error, "record of %s: ", machine->name);
      return FALSE;
    }
  return lm_fault_point ("record-after-write", error);
}

gboolean
lm_machine_change_state (LmMachine *machine, LmMachineState state, GError **error)
{
  LmMachineState before = machine->state;
  g_return_val_if_fail (state == before || lm_machine_state_can_become (before, state), FALSE);
  machine->state = state;
  if (!lm_machine_save (machine, error))
    {
      /* The record may have been written nevertheless, if a later step failed;
       * write the old state again. */
      machine->state = before;
      (void) !lm_machine_save (machine, NULL);
      return FALSE;
    }
  if (state == LM_MACHINE_STATE_COMPLETE)
    {
      g_clear_pointer (&machine->replaced_by, g_free);
      g_clear_pointer (&machine->replaced_xml, g_free);
      machine->replaced_autostart = machine->replaced_active = FALSE;
    }
  return TRUE;
}

/* Converts an error: the caller can continue without a record that is missing, or
 * that must not or may not be read; any other failure may hide a machine. */
static LmMachine *
throw_not_loaded (const GError *failure, GError **error)
{
  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
    return lm_throw_null (error, LM_MACHINE_ERROR, LM_MACHINE_ERROR_NOT_FOUND, "%s", failure->message);
  if (lm_state_dir_is_unusable (failure))
    return lm_throw_null (error, LM_MACHINE_ERROR, LM_MACHINE_ERROR_CORRUPT, "%s", failure->message);
  g_propagate_error (error, g_error_copy (failure));
  return NULL;
}

static LmMachine *
load_record (LmStateDir *machines, const char *state_dir, const char *uuid, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (LmStateDir) dir = lm_state_dir_open_below (machines, uuid, 0711, &failure);
  g_autoptr (GBytes) bytes = dir ? lm_state_dir_read (dir, RECORD, MAX_RECORD, &failure) : NULL;
  if (bytes == NULL)
    return throw_not_loaded (failure, error);
  g_autoptr (LmMachine) machine = lm_machine_new (state_dir, "", uuid);
  if (!lm_machine_from_json (machine, bytes, &failure))
    return lm_throw_null (error, LM_MACHINE_ERROR, LM_MACHINE_ERROR_CORRUPT, "%s/" RECORD ": %s", machine->dir,
                          failure->message);
  return g_steal_pointer (&machine);
}

LmMachine *
lm_machine_load (const char *state_dir, const char *uuid, GError **error)
{
  if (!g_uuid_string_is_valid (uuid))
    return lm_throw_null (error, LM_MACHINE_ERROR, LM_MACHINE_ERROR_NOT_FOUND, "\"%s\" is not a UUID", uuid);
  g_autoptr (LmStateDir) machines = open_machines_dir (state_dir, TRUE, error);
  return machines != NULL ? load_record (machines, state_dir, uuid, error) : NULL;
}

/* Sorts complete machines first, replaced ones last. */
static int
state_rank (LmMachineState state)
{
  return state == LM_MACHINE_STATE_COMPLETE ? 0 : state == LM_MACHINE_STATE_REPLACED ? 2 : 1;
}

static int
compare_machines (gconstpointer a, gconstpointer b)
{
  const LmMachine *one = *(LmMachine *const *) a, *other = *(LmMachine *const *) b;
  int order = strcmp (one->name, other->name);
  if (order == 0)
    order = state_rank (one->state) - state_rank (other->state);
  return order ? order : strcmp (one->uuid, other->uuid);
}

/* Returns a warning if there is a disk but no record, otherwise NULL. */
static char *
describe_lost_disk (LmStateDir *machines, const char *uuid)
{
  g_autoptr (LmStateDir) dir = lm_state_dir_open_below (machines, uuid, 0711, NULL);
  struct stat st;
  if (dir == NULL || lm_state_dir_get_fd (dir) < 0 || fstatat (lm_state_dir_get_fd (dir), OVERLAY, &st, AT_SYMLINK_NOFOLLOW) < 0)
    return NULL;
  return g_strdup_printf ("%s contains a disk but no record; lamina keeps it because a domain may use it",
                          lm_state_dir_get_path (dir));
}

/* Returns the records. UUIDs of corrupt records are appended to @corrupt, messages
 * about them to @messages, and messages about lost disks to @lost; each may be NULL. */
static GPtrArray *
list_records (const char *state_dir, GPtrArray *corrupt, GPtrArray *messages, GPtrArray *lost, GError **error)
{
  g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_machine_free);
  g_autoptr (LmStateDir) machines = open_machines_dir (state_dir, TRUE, error);
  g_autoptr (GPtrArray) names = machines ? lm_state_dir_list (machines, error) : NULL;
  for (guint i = 0; names != NULL && i < names->len; i++)
    {
      const char *uuid = g_ptr_array_index (names, i);
      if (!g_uuid_string_is_valid (uuid))
        continue;
      g_autoptr (GError) failure = NULL;
      LmMachine *machine = load_record (machines, state_dir, uuid, &failure);
      if (machine != NULL)
        g_ptr_array_add (list, machine);
      else if (failure->domain != LM_MACHINE_ERROR)
        {
          g_propagate_prefixed_error (error, g_steal_pointer (&failure), "cannot list machines: ");
          return NULL;
        }
      else if (failure->code == LM_MACHINE_ERROR_CORRUPT)
        {
          if (corrupt != NULL)
            g_ptr_array_add (corrupt, g_strdup (uuid));
          if (messages != NULL)
            g_ptr_array_add (messages, g_strdup (failure->message));
        }
      else if (failure->code == LM_MACHINE_ERROR_NOT_FOUND && lost != NULL)
        {
          char *text = describe_lost_disk (machines, uuid);
          if (text != NULL)
            g_ptr_array_add (lost, text);
        }
    }
  if (names == NULL)
    return NULL;
  g_ptr_array_sort (list, compare_machines);
  return g_steal_pointer (&list);
}

GPtrArray *
lm_machine_list (const char *state_dir, GPtrArray *warnings, GError **error)
{
  return list_records (state_dir, NULL, warnings, warnings, error);
}

GPtrArray *
lm_machine_list_corrupt (const char *state_dir, GPtrArray *messages, GError **error)
{
  g_autoptr (GPtrArray) corrupt = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) readable = list_records (state_dir, corrupt, messages, NULL, error);
  return readable != NULL ? g_steal_pointer (&corrupt) : NULL;
}

gboolean
lm_machine_throw_corrupt (const char *name, const char *message, GError **error)
{
  g_autofree char *safe = g_strescape (name, NULL);
  return lm_throw (error, LM_MACHINE_ERROR, LM_MACHINE_ERROR_CORRUPT,
                   "there is no machine \"%s\" among those whose records can be read; %s; restore that file, or "
                   "move its directory away if nothing in it is needed", safe, message);
}

LmMachine *
lm_machine_find (const char *state_dir, const char *name, const char *uri, GError **error)
{
  g_autoptr (GPtrArray) corrupt = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GPtrArray) list = list_records (state_dir, NULL, corrupt, NULL, error);
  if (list == NULL)
    return NULL;
  const LmMachine *other = NULL;
  for (guint i = 0; i < list->len; i++)
    {
      LmMachine *machine = g_ptr_array_index (list, i);
      if (strcmp (machine->name, name) != 0)
        continue;
      if (uri == NULL || g_strcmp0 (machine->uri, uri) == 0)
        return g_ptr_array_steal_index (list, i);
      other = machine;
    }
  g_autofree char *safe = lm_text_escape (name, 100);
  if (other != NULL && other->uri != NULL)
    return lm_throw_null (error, LM_MACHINE_ERROR, LM_MACHINE_ERROR_NOT_FOUND,
                          "the machine \"%s\" is not on %s but on %s; use that for --connect", safe, uri, other->uri);
  if (corrupt->len > 0)
    {
      lm_machine_throw_corrupt (name, g_ptr_array_index (corrupt, 0), error);
      return NULL;
    }
  return lm_throw_null (error, LM_MACHINE_ERROR, LM_MACHINE_ERROR_NOT_FOUND,
                        "there is no machine \"%s\"; \"lamina ps\" lists the machines", safe);
}

void
lm_machine_remove_leftovers (const char *state_dir)
{
  g_autoptr (LmStateDir) machines = open_machines_dir (state_dir, TRUE, NULL);
  g_autoptr (GPtrArray) names = machines ? lm_state_dir_list (machines, NULL) : NULL;
  for (guint i = 0; names != NULL && i < names->len; i++)
    {
      const char *name = g_ptr_array_index (names, i);
      g_autofree char *begun = lm_file_written_name (name);
      /* Fails if the directory is not empty. */
      if (g_uuid_string_is_valid (name))
        (void) unlinkat (lm_state_dir_get_fd (machines), name, AT_REMOVEDIR);
      else if (begun != NULL && g_uuid_string_is_valid (begun))
        lm_state_dir_remove_begun (machines, name, is_atomically_written);
    }
}

/* Whether @rest is "." and decimal digits, as for a log that virtlogd rotated. */
static gboolean
is_rotation (const char *rest)
{
  return rest[0] == '.' && rest[1] != '\0' && strspn (rest + 1, "0123456789") == strlen (rest + 1);
}

/* The files that may be in a machine's directory. */
typedef struct
{
  const char *name;
  gboolean temporary_is_dir;
  gboolean always;          /* every machine has it; others only if the record says so */
  gboolean is_disk;         /* it is a disk image, complete or not */
} KnownFile;

static const KnownFile known_files[] = {
  { OVERLAY, FALSE, TRUE, TRUE },
  { SEED, TRUE, FALSE, TRUE },
  { RECORD, FALSE, TRUE, FALSE },
  { READY, FALSE, TRUE, FALSE },
  { KERNEL, FALSE, FALSE, FALSE },
  { INITRD, FALSE, FALSE, FALSE },
  { NVRAM, FALSE, FALSE, FALSE },
  { CONSOLE_LOG, FALSE, FALSE, FALSE },
};

static const KnownFile *
find_known_file (const char *name, gboolean *out_temporary)
{
  g_autofree char *written = lm_file_written_name (name);
  *out_temporary = written != NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (known_files); i++)
    {
      const char *known = known_files[i].name;
      if (strcmp (written != NULL ? written : name, known) == 0)
        return &known_files[i];
      if (strcmp (known, CONSOLE_LOG) == 0 && g_str_has_prefix (name, known) && is_rotation (name + strlen (known)))
        return &known_files[i];
    }
  return NULL;
}

gboolean
lm_machine_may_be_disk (const char *name)
{
  gboolean temporary;
  const KnownFile *known = find_known_file (name, &temporary);
  return known == NULL || known->is_disk;
}

gboolean
lm_machine_note_files (LmMachine *machine, const char *xml, GError **error)
{
  g_autoptr (LmXml) document = lm_xml_parse (xml, strlen (xml), machine->name, error);
  if (document == NULL)
    return FALSE;
  g_autoptr (GPtrArray) values = lm_xml_list_values (lm_xml_root (document), "metadata");
  g_autoptr (GStrvBuilder) files = g_strv_builder_new ();
  for (gsize i = 0; i < G_N_ELEMENTS (known_files); i++)
    {
      g_autofree char *path = g_build_filename (machine->dir, known_files[i].name, NULL);
      gboolean named = known_files[i].always;
      for (guint j = 0; j < values->len && !named; j++)
        named = strstr (g_ptr_array_index (values, j), path) != NULL;
      if (named)
        g_strv_builder_add (files, known_files[i].name);
    }
  g_strfreev (machine->files);
  machine->files = g_strv_builder_end (files);
  return TRUE;
}

gboolean
lm_machine_owns_file (const LmMachine *machine, const char *name)
{
  g_autofree char *path = g_build_filename (machine->dir, name, NULL);
  gboolean temporary;
  const KnownFile *known = find_known_file (name, &temporary);
  struct stat st;
  if (known == NULL
      || (!known->always
          && (machine->files == NULL || !g_strv_contains ((const char *const *) machine->files, known->name))))
    return FALSE;
  gboolean is_dir = lstat (path, &st) == 0 && S_ISDIR (st.st_mode);
  return is_dir == (temporary && known->temporary_is_dir);
}

/* Removes a file for which lm_machine_owns_file() is true; a directory is one that lamina created. */
static gboolean
remove_file_or_dir (const char *path, GError **error)
{
  if (unlink (path) == 0 || errno == ENOENT)
    return TRUE;
  return errno == EISDIR ? lm_file_remove_tree (path, error) : lm_throw_errno (error, "cannot remove %s", path);
}

void
lm_machine_remove_temporaries (const LmMachine *machine)
{
  g_autoptr (LmStateDir) dir = lm_state_dir_open_readonly (machine->dir, NULL);
  g_autoptr (GPtrArray) list = dir ? lm_state_dir_list (dir, NULL) : NULL;
  for (guint i = 0; list != NULL && i < list->len; i++)
    {
      const char *name = g_ptr_array_index (list, i);
      g_autofree char *path = g_build_filename (machine->dir, name, NULL);
      gboolean temporary = FALSE;
      const KnownFile *known = find_known_file (name, &temporary);
      if (known != NULL && temporary && !is_atomically_written (known->name) && lm_machine_owns_file (machine, name))
        (void) !remove_file_or_dir (path, NULL);
    }
  if (list != NULL)
    lm_state_dir_remove_leftovers (dir, is_atomically_written);
}

/* Removes what lamina created, except the record. */
static gboolean
remove_owned_files (const LmMachine *machine, GError **error)
{
  g_autoptr (GPtrArray) list = lm_file_list_dir (machine->dir, error);
  for (guint i = 0; list != NULL && i < list->len; i++)
    {
      const char *name = g_ptr_array_index (list, i);
      g_autofree char *path = g_build_filename (machine->dir, name, NULL);
      if (strcmp (name, RECORD) != 0 && lm_machine_owns_file (machine, name) && !remove_file_or_dir (path, error))
        return FALSE;
    }
  return list != NULL;
}

gboolean
lm_machine_erase (LmMachine *machine, GError **error)
{
  g_autoptr (GError) failure = NULL;
  if (!remove_owned_files (machine, &failure))
    {
      if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
        return TRUE;
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  /* The record is removed last, so that a removal that was killed can be repeated. */
  g_autofree char *record = g_build_filename (machine->dir, RECORD, NULL);
  if (!lm_fault_point ("erase-before-record", error))
    return FALSE;
  if (unlink (record) < 0 && errno != ENOENT)
    return lm_throw_errno (error, "cannot remove %s", record);
  return rmdir (machine->dir) == 0 || errno == ENOENT
         || lm_throw_errno (error, "%s is kept because it contains files that lamina did not create", machine->dir);
}

LmLock *
lm_machine_lock (const char *state_dir, const char *name, gint timeout_ms, GCancellable *cancellable, GError **error)
{
  g_autoptr (LmStateDir) machines = open_machines_dir (state_dir, FALSE, error);
  if (machines == NULL)
    return NULL;
  g_autofree char *file = g_strconcat (name, ".lock", NULL);
  g_autofree char *path = g_build_filename (lm_state_dir_get_path (machines), file, NULL);
  return lm_lock_acquire (path, LM_LOCK_EXCLUSIVE, timeout_ms, NULL, NULL, cancellable, error);
}

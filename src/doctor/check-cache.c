/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks of what is in the state directory: cached files, headers of images, the
 * database, and what killed runs left. Contents are not read; that is the work of
 * "lamina cache verify". */
#include "config.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/size.h"
#include "cache/database.h"
#include "cache/scrub.h"
#include "doctor/check.h"
#include "image/qcow2.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* The names of the files with each kind of problem. */
typedef struct
{
  GPtrArray *owner, *mode, *size, *flag;
} CacheProblems;

static void
cache_problems_clear (CacheProblems *problems)
{
  g_ptr_array_unref (problems->owner);
  g_ptr_array_unref (problems->mode);
  g_ptr_array_unref (problems->size);
  g_ptr_array_unref (problems->flag);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (CacheProblems, cache_problems_clear)

static void
examine_entry (LmCache *cache, const LmCacheEntry *entry, CacheProblems *problems)
{
  const LmScrubFlaws flaws = lm_scrub_find_flaws (cache, entry);
  if (lm_cache_has_lost_size (cache, entry))
    g_ptr_array_add (problems->size, entry->path);
  else if ((flaws & LM_SCRUB_OWNER) != 0)
    g_ptr_array_add (problems->owner, entry->path);
  else if ((flaws & LM_SCRUB_MODE) != 0)
    g_ptr_array_add (problems->mode, entry->path);
  else if ((flaws & LM_SCRUB_FLAG) != 0)
    g_ptr_array_add (problems->flag, entry->path);
}

static void
add_files (LmDoctor *doctor, LmDiagnosisLevel level, const GPtrArray *paths, const char *what, const char *command)
{
  if (paths->len == 0)
    return;
  g_autofree char *names = lm_check_name_some (paths);
  lm_check_add (doctor, level, g_strdup (command), "%s: %s", names, what);
}

void
lm_check_cache (LmDoctor *doctor)
{
  const char *repair = "lamina cache verify --repair";
  g_autoptr (GError) error = NULL;
  g_autoptr (LmCache) cache = lm_cache_open_readonly (doctor->host->state_dir, &doctor->host->cache, &error);
  g_autoptr (GPtrArray) entries = cache != NULL ? lm_cache_list (cache, &error) : NULL;
  if (entries == NULL)
    {
      lm_check_add (doctor, LM_DIAGNOSIS_ERROR, NULL, "%s", error->message);
      return;
    }
  const guint before = doctor->diagnoses->len;
  g_auto (CacheProblems) problems = { g_ptr_array_new (), g_ptr_array_new (), g_ptr_array_new (), g_ptr_array_new () };
  for (guint i = 0; i < entries->len; i++)
    examine_entry (cache, entries->pdata[i], &problems);
  add_files (doctor, LM_DIAGNOSIS_ERROR, problems.size, "truncated or overwritten since it was verified", repair);
  add_files (doctor, LM_DIAGNOSIS_ERROR, problems.owner, "belongs to another user, who could change it", repair);
  add_files (doctor, LM_DIAGNOSIS_ERROR, problems.mode, "its mode is not 0444", repair);
  add_files (doctor, LM_DIAGNOSIS_WARNING, problems.flag,
             "not immutable, so libvirt gives it to the user of QEMU if a domain does not forbid that", repair);
  if (doctor->diagnoses->len == before)
    lm_check_add (doctor, LM_DIAGNOSIS_OK, NULL, "%u files have the size, owner and mode that they should have", entries->len);
}

/* The command that notes the format of the backing file in the overlay @path. */
static char *
note_format (const char *path, const LmQcow2Header *header)
{
  g_autofree char *backing = lm_check_quote ("-b", header->backing_name);
  g_autofree char *program = g_strdup_printf ("qemu-img rebase -u -f qcow2 -F qcow2 %s", backing);
  return lm_check_quote (program, path);
}

/* Returns whether the header was as it should be. */
static gboolean
examine_header (LmDoctor *doctor, const char *path, const char *machine)
{
  LmQcow2Header header;
  g_autoptr (GError) error = NULL;
  if (!lm_qcow2_read (path, &header, NULL, &error))
    {
      if (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
        return TRUE;
      lm_check_add (doctor, LM_DIAGNOSIS_ERROR, machine != NULL ? NULL : g_strdup ("lamina cache verify --repair"), "%s", error->message);
      return FALSE;
    }
  if (header.backing_name[0] == '\0' || header.backing_format[0] != '\0')
    return TRUE;
  /* No layer is published without it, so its contents have changed. */
  if (machine == NULL)
    lm_check_add (doctor, LM_DIAGNOSIS_ERROR, g_strdup ("lamina cache verify --repair"),
                  "%s does not give the format of its backing file", path);
  else
    lm_check_add (doctor, LM_DIAGNOSIS_ERROR, note_format (path, &header),
                  "the disk of %s does not give the format of its backing file, which libvirt then takes for raw; shut %s "
                  "off before the repair", machine, machine);
  return FALSE;
}

void
lm_check_images (LmDoctor *doctor)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmCache) cache = lm_cache_open_readonly (doctor->host->state_dir, NULL, &error);
  g_autoptr (GPtrArray) entries = cache != NULL ? lm_cache_list (cache, &error) : NULL;
  gboolean good = TRUE;
  guint count = 0;
  for (guint i = 0; entries != NULL && i < entries->len; i++)
    {
      const LmCacheEntry *entry = entries->pdata[i];
      if (entry->kind == LM_BLOB_LAYER)
        {
          good = examine_header (doctor, entry->path, NULL) && good;
          count++;
        }
    }
  for (guint i = 0; doctor->records != NULL && i < doctor->records->len; i++, count++)
    {
      const LmMachine *machine = doctor->records->pdata[i];
      good = examine_header (doctor, machine->overlay, machine->name) && good;
    }
  if (good)
    lm_check_add (doctor, LM_DIAGNOSIS_OK, NULL, "the headers of %u images are as they should be", count);
}

void
lm_check_database (LmDoctor *doctor)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *damage = NULL;
  g_autofree char *damaged = lm_check_directory (doctor, "lamina.db.damaged");
  if (!lm_database_check (doctor->host->state_dir, &damage, &error))
    lm_check_add (doctor, LM_DIAGNOSIS_WARNING, NULL, "the database cannot be examined: %s", error->message);
  else if (damage != NULL)
    {
      g_autofree char *path = lm_check_directory (doctor, "lamina.db");
      g_autofree char *remove = lm_check_quote ("rm -f", path);
      lm_check_add (doctor, LM_DIAGNOSIS_WARNING, g_strconcat (remove, "*", NULL), /* and what SQLite keeps beside it */
                    "the database is damaged, so times of last use and pins may be lost: %s", damage);
    }
  else if (g_file_test (damaged, G_FILE_TEST_EXISTS))
    lm_check_add (doctor, LM_DIAGNOSIS_WARNING, lm_check_quote ("rm", damaged),
                  "the database was damaged and was replaced by an empty one; %s is the damaged one", damaged);
  else
    lm_check_add (doctor, LM_DIAGNOSIS_OK, NULL, "the database is not damaged");
}

/* Whether a process is writing the file @name in @dir. */
static gboolean
is_being_written (const char *dir, const char *name)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);
  lm_autofd int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
  return fd < 0 || flock (fd, LOCK_SH | LOCK_NB) < 0;
}

/* Counts in @dir the files that a killed run was writing, and in partial/ also partial
 * transfers that no process continues. */
static void
count_leftovers (const char *dir, LmLock *parts, guint *out_count, guint64 *out_bytes)
{
  g_autoptr (GPtrArray) names = lm_file_list_dir (dir, NULL);
  for (guint i = 0; names != NULL && i < names->len; i++)
    {
      const char *name = names->pdata[i];
      struct stat st;
      LmDigest digest;
      g_autofree char *written = lm_file_written_name (name);
      g_autofree char *path = g_build_filename (dir, name, NULL);
      gboolean left = written != NULL ? !is_being_written (dir, name)
                                      : parts != NULL && lm_digest_from_file_name (name, ".part", &digest)
                                          && !lm_lock_table_is_locked (parts, lm_digest_get_number (&digest));
      if (!left || lstat (path, &st) < 0)
        continue;
      ++*out_count;
      *out_bytes += (guint64) st.st_blocks * 512;
    }
}

/* Whether a run is working on the machine @name. */
static gboolean
is_being_changed (const LmDoctor *doctor, const char *name)
{
  g_autofree char *file = g_strconcat (name, ".lock", NULL);
  g_autofree char *path = g_build_filename (doctor->host->state_dir, "machines", file, NULL);
  lm_autofd int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  return fd >= 0 && flock (fd, LOCK_SH | LOCK_NB) < 0;
}

static void
examine_incomplete (LmDoctor *doctor, const LmMachine *machine)
{
  if (machine->state == LM_MACHINE_STATE_COMPLETE || is_being_changed (doctor, machine->name))
    return;
  g_autofree char *command = lm_check_quote ("lamina rm", machine->name);
  const char *what = machine->state == LM_MACHINE_STATE_CREATING   ? "was being created"
                     : machine->state == LM_MACHINE_STATE_REMOVING ? "was being removed"
                                                                   : "was being replaced";
  lm_check_add (doctor, LM_DIAGNOSIS_WARNING, g_steal_pointer (&command),
                "%s %s by a run that did not end; launching it again, or removing it, finishes that", machine->name, what);
}

void
lm_check_debris (LmDoctor *doctor)
{
  static const char *const names[] = { NULL, "layers", "blobs", "verified", "machines", "catalogs", "partial" };
  const guint before = doctor->diagnoses->len;
  g_autofree char *table = g_build_filename (doctor->host->state_dir, "partial", "lock", NULL);
  g_autoptr (LmLock) parts = g_file_test (table, G_FILE_TEST_EXISTS) ? lm_lock_table_open (table, NULL) : NULL;
  guint count = 0;
  guint64 bytes = 0;
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *dir = lm_check_directory (doctor, names[i]);
      count_leftovers (dir, g_strcmp0 (names[i], "partial") == 0 ? parts : NULL, &count, &bytes);
    }
  for (guint i = 0; doctor->records != NULL && i < doctor->records->len; i++)
    {
      const LmMachine *machine = doctor->records->pdata[i];
      count_leftovers (machine->dir, NULL, &count, &bytes);
      examine_incomplete (doctor, machine);
    }
  g_autofree char *size = lm_size_format (bytes);
  if (count > 0)
    lm_check_add (doctor, LM_DIAGNOSIS_WARNING, g_strdup ("lamina cache gc"),
                  "%u incomplete %s (%s) of runs that ended early; a pull would continue transfers", count,
                  count == 1 ? "file" : "files", size);
  else if (doctor->diagnoses->len == before)
    lm_check_add (doctor, LM_DIAGNOSIS_OK, NULL, "killed runs have left nothing");
}

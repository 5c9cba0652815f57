/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cache/database.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/lock.h"
#include "base/state-dir.h"
#include "base/trace.h"
#include "cache/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define DATABASE "lamina.db"
#define SCHEMA_VERSION 1
#define BUSY_MS 5000
#define HISTORY_MAX "20000"
#define READ_SIZE 65536

static const char *const companions[] = { DATABASE "-wal", DATABASE "-shm", DATABASE "-journal" };

static const char schema[]
  = "CREATE TABLE use (digest BLOB PRIMARY KEY, time INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE pin (digest BLOB PRIMARY KEY, time INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE history (id INTEGER PRIMARY KEY, time INTEGER NOT NULL, user TEXT, uid INTEGER NOT NULL,"
    " how TEXT NOT NULL, machine TEXT NOT NULL, name TEXT NOT NULL, selections TEXT NOT NULL, chain TEXT NOT NULL);"
    "PRAGMA user_version = " G_STRINGIFY (SCHEMA_VERSION) ";";

struct _LmDatabase
{
  LmStateDir *state;
  char *path;
  gboolean readonly;
  gboolean damaged;    /* SQLite has said so */
  GPtrArray *warnings; /* not owned; may be NULL */
  sqlite3 *handle;     /* NULL: empty, and cannot be changed */
};

void
lm_database_close (LmDatabase *database)
{
  if (database == NULL)
    return;
  sqlite3_close_v2 (database->handle);
  lm_state_dir_close (database->state);
  g_free (database->path);
  g_free (database);
}

/* Sets @error to what SQLite says about the last call. */
static gboolean
throw_database (LmDatabase *database, GError **error)
{
  int code = database->handle != NULL ? sqlite3_errcode (database->handle) & 0xff : SQLITE_NOMEM;
  const char *text = database->handle != NULL ? sqlite3_errmsg (database->handle) : sqlite3_errstr (code);
  const gboolean full
    = code == SQLITE_FULL || (code == SQLITE_IOERR && sqlite3_extended_errcode (database->handle) == SQLITE_IOERR_SHMSIZE);
  LmCacheError kind = code == SQLITE_BUSY || code == SQLITE_LOCKED ? LM_CACHE_ERROR_BUSY
                      : full                                       ? LM_CACHE_ERROR_NO_SPACE
                                                                   : LM_CACHE_ERROR_DATABASE;
  database->damaged |= code == SQLITE_CORRUPT || code == SQLITE_NOTADB;
  return lm_throw (error, LM_CACHE_ERROR, kind, "cannot use %s: %s", database->path, text);
}

static gboolean
execute (LmDatabase *database, const char *sql, GError **error)
{
  return sqlite3_exec (database->handle, sql, NULL, NULL, NULL) == SQLITE_OK || throw_database (database, error);
}

static gboolean
read_version (LmDatabase *database, int *out_version, GError **error)
{
  sqlite3_stmt *statement = NULL;
  gboolean ok = sqlite3_prepare_v2 (database->handle, "PRAGMA user_version", -1, &statement, NULL) == SQLITE_OK
                && sqlite3_step (statement) == SQLITE_ROW;
  if (ok)
    *out_version = sqlite3_column_int (statement, 0);
  else
    throw_database (database, error);
  sqlite3_finalize (statement);
  return ok;
}

/* Whether the file may be believed; *out_missing if there is none. */
static gboolean
check_file (LmDatabase *database, gboolean *out_missing, GError **error)
{
  struct stat st;
  int dir = lm_state_dir_get_fd (database->state);
  *out_missing = dir < 0 || (fstatat (dir, DATABASE, &st, AT_SYMLINK_NOFOLLOW) < 0 && errno == ENOENT);
  /* Others may read the cache, but not the history of its owner. */
  *out_missing |= database->readonly && faccessat (dir, DATABASE, R_OK, AT_EACCESS) < 0 && errno == EACCES;
  if (*out_missing)
    return TRUE;
  /* Not lm_state_dir_open_file(): closing the file would release SQLite's locks. */
  if (fstatat (dir, DATABASE, &st, AT_SYMLINK_NOFOLLOW) < 0)
    return lm_throw_errno (error, "cannot stat %s", database->path);
  if (S_ISREG (st.st_mode) && (st.st_uid == geteuid () || st.st_uid == 0) && (st.st_mode & (S_IWGRP | S_IWOTH)) == 0)
    return TRUE;
  return lm_throw (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED,
                   "%s is not a regular file that only you or root can write, so it is not trusted; remove it",
                   database->path);
}

/* SQLite would create the file with another mode; its companions get the mode of the file.
 * *out_full: there is no space for another file */
static gboolean
create_file (LmDatabase *database, gboolean *out_full, GError **error)
{
  lm_autofd int fd = openat (lm_state_dir_get_fd (database->state), DATABASE, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  *out_full = fd < 0 && (errno == ENOSPC || errno == EDQUOT);
  return fd >= 0 || *out_full || errno == EEXIST || lm_throw_errno (error, "cannot create %s", database->path);
}

/* Creates the tables of an empty database, unless another process was faster. */
static gboolean
create_tables (LmDatabase *database, GError **error)
{
  int version = 0;
  /* If another process is using the file at this moment, it has set the mode or will do so. */
  (void) sqlite3_exec (database->handle, "PRAGMA journal_mode = WAL", NULL, NULL, NULL);
  if (!execute (database, "BEGIN IMMEDIATE", error))
    return FALSE;
  if (read_version (database, &version, error) && (version != 0 || execute (database, schema, error))
      && lm_fault_point ("database-before-commit", error) && execute (database, "COMMIT", error))
    return TRUE;
  (void) sqlite3_exec (database->handle, "ROLLBACK", NULL, NULL, NULL);
  return FALSE;
}

/* Likewise, but if there is no space for them, the database is empty: when the disk is full,
 * what is not needed must be found and removed. */
static gboolean
create_if_possible (LmDatabase *database, GError **error)
{
  g_autoptr (GError) failure = NULL;
  if (create_tables (database, &failure))
    return TRUE;
  if (g_error_matches (failure, LM_CACHE_ERROR, LM_CACHE_ERROR_NO_SPACE))
    {
      lm_trace (LM_TRACE_CACHE, "%s counts as empty: %s", database->path, failure->message);
      g_clear_pointer (&database->handle, sqlite3_close_v2);
      return TRUE;
    }
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

static gboolean
connect_database (LmDatabase *database, GError **error)
{
  int flags = (database->readonly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE) | SQLITE_OPEN_NOMUTEX;
  gboolean missing = FALSE, full = FALSE;
  int version = 0;
  if (!check_file (database, &missing, error))
    return FALSE;
  if (missing && !database->readonly && !create_file (database, &full, error))
    return FALSE;
  if (full || (missing && database->readonly))
    return TRUE;
  if (sqlite3_open_v2 (database->path, &database->handle, flags, NULL) != SQLITE_OK)
    return throw_database (database, error);
  sqlite3_busy_timeout (database->handle, BUSY_MS);
  /* The last process to close it would otherwise sync the whole log. */
  sqlite3_db_config (database->handle, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
  if (!read_version (database, &version, error)
      || (version == 0 && !database->readonly && !create_if_possible (database, error)))
    return FALSE;
  if (version > SCHEMA_VERSION)
    return lm_throw (error, LM_CACHE_ERROR, LM_CACHE_ERROR_DATABASE,
                     "%s has version %d, but this lamina knows only version %d; use a newer lamina, or remove the file, "
                     "with its pins and history", database->path, version, SCHEMA_VERSION);
  if (version == 0 && database->readonly)
    g_clear_pointer (&database->handle, sqlite3_close_v2);
  return database->readonly || database->handle == NULL || execute (database, "PRAGMA synchronous = NORMAL", error);
}

/* *out_damage is what SQLite says about the first damaged place, NULL if there is none. */
static gboolean
check_pages (LmDatabase *database, char **out_damage, GError **error)
{
  sqlite3_stmt *statement = NULL;
  gboolean ok = sqlite3_prepare_v2 (database->handle, "PRAGMA quick_check (1)", -1, &statement, NULL) == SQLITE_OK
                && sqlite3_step (statement) == SQLITE_ROW;
  const char *text = ok ? (const char *) sqlite3_column_text (statement, 0) : NULL;
  if (ok)
    *out_damage = g_strcmp0 (text, "ok") != 0 ? g_strdup (text) : NULL;
  else
    throw_database (database, error);
  sqlite3_finalize (statement);
  return ok;
}

/* Reads @file, which may be NULL, as SQLite does. Returns what SQLite says about that. */
static int
read_through (sqlite3_file *file)
{
  guint8 buffer[READ_SIZE];
  sqlite3_int64 size = 0;
  int code = file != NULL && file->pMethods != NULL ? file->pMethods->xFileSize (file, &size) : SQLITE_OK;
  for (sqlite3_int64 at = 0; code == SQLITE_OK && at < size; at += READ_SIZE)
    code = file->pMethods->xRead (file, buffer, (int) MIN (size - at, READ_SIZE), at);
  return code == SQLITE_IOERR_SHORT_READ ? SQLITE_OK : code;
}

/* Whether the disk delivers the file that seems to be damaged, and its log: "PRAGMA quick_check"
 * also describes errors of the disk, which say nothing about the database. */
static gboolean
check_disk (LmDatabase *database, GError **error)
{
  sqlite3_file *file = NULL, *journal = NULL;
  (void) sqlite3_file_control (database->handle, "main", SQLITE_FCNTL_FILE_POINTER, &file);
  (void) sqlite3_file_control (database->handle, "main", SQLITE_FCNTL_JOURNAL_POINTER, &journal);
  int code = read_through (file);
  if (code == SQLITE_OK)
    code = read_through (journal);
  return code == SQLITE_OK
         || lm_throw (error, LM_CACHE_ERROR, LM_CACHE_ERROR_DATABASE, "cannot read %s: %s", database->path, sqlite3_errstr (code));
}

gboolean
lm_database_check (const char *state_dir, char **out_damage, GError **error)
{
  g_autoptr (LmDatabase) database = g_new0 (LmDatabase, 1);
  g_autoptr (GError) failure = NULL;
  g_autofree char *damage = NULL;
  database->readonly = TRUE;
  database->state = lm_state_dir_open_readonly (state_dir, error);
  if (database->state == NULL)
    return FALSE;
  database->path = g_build_filename (lm_state_dir_get_path (database->state), DATABASE, NULL);
  if (connect_database (database, &failure) && database->handle == NULL)
    {
      *out_damage = NULL;
      return TRUE;
    }
  if (failure == NULL)
    (void) !check_pages (database, &damage, &failure);
  if (failure != NULL && !database->damaged)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  if (failure != NULL)
    damage = g_strdup (failure->message);
  if (damage != NULL && !check_disk (database, error))
    return FALSE;
  *out_damage = g_steal_pointer (&damage);
  return TRUE;
}

static void
warn_database (LmDatabase *database, const char *what, const char *cause)
{
  if (database->warnings != NULL)
    g_ptr_array_add (database->warnings, g_strdup_printf ("%s; %s", cause, what));
}

/* Renames the damaged file, unless another process has done so already: then the
 * file that is there now is not damaged. */
static gboolean
set_aside_locked (LmDatabase *database, const char *cause, GError **error)
{
  int dir = lm_state_dir_get_fd (database->state);
  g_autoptr (GError) failure = NULL;
  g_autofree char *damage = NULL;
  database->damaged = FALSE;
  /* Damage that SQLite can describe is no error to it. */
  if (connect_database (database, &failure) && check_pages (database, &damage, &failure) && damage == NULL)
    return TRUE;
  if (failure != NULL && !database->damaged)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  if (!check_disk (database, error))
    return FALSE;
  g_clear_pointer (&database->handle, sqlite3_close_v2);
  if (renameat (dir, DATABASE, dir, DATABASE ".damaged") < 0 && errno != ENOENT)
    return lm_throw_errno (error, "cannot rename %s", database->path);
  for (gsize i = 0; i < G_N_ELEMENTS (companions); i++)
    if (unlinkat (dir, companions[i], 0) < 0 && errno != ENOENT)
      return lm_throw_errno (error, "cannot remove %s of %s", companions[i], database->path);
  warn_database (database, "it was renamed to " DATABASE ".damaged, and its pins and history are lost", cause);
  database->damaged = FALSE;
  return connect_database (database, error);
}

/* Replaces a damaged database by an empty one. */
static gboolean
set_aside (LmDatabase *database, const GError *cause, GError **error)
{
  g_clear_pointer (&database->handle, sqlite3_close_v2);
  if (!database->readonly && database->warnings == NULL)
    {
      g_propagate_error (error, g_error_copy (cause));
      return FALSE;
    }
  if (database->readonly)
    {
      warn_database (database, "it counts as empty", cause->message);
      return TRUE;
    }
  g_autofree char *path = g_build_filename (lm_state_dir_get_path (database->state), "lock", NULL);
  g_autoptr (LmLock) lock = lm_lock_acquire (path, LM_LOCK_EXCLUSIVE, BUSY_MS, NULL, NULL, NULL, error);
  return lock != NULL && set_aside_locked (database, cause->message, error);
}

static LmDatabase *
open_database (LmStateDir *state, gboolean readonly, GPtrArray *warnings, GError **error)
{
  if (state == NULL)
    return NULL;
  g_autoptr (LmDatabase) database = g_new0 (LmDatabase, 1);
  g_autoptr (GError) failure = NULL;
  database->state = state;
  database->readonly = readonly;
  database->warnings = warnings;
  database->path = g_build_filename (lm_state_dir_get_path (state), DATABASE, NULL);
  if (connect_database (database, &failure))
    return g_steal_pointer (&database);
  if (database->damaged)
    return set_aside (database, failure, error) ? g_steal_pointer (&database) : NULL;
  g_propagate_error (error, g_steal_pointer (&failure));
  return NULL;
}

LmDatabase *
lm_database_open (const char *state_dir, GPtrArray *warnings, GError **error)
{
  return open_database (lm_state_dir_open (state_dir, error), FALSE, warnings, error);
}

LmDatabase *
lm_database_open_readonly (const char *state_dir, GPtrArray *warnings, GError **error)
{
  return open_database (lm_state_dir_open_readonly (state_dir, error), TRUE, warnings, error);
}

/* Tries again to create what there was no space for; another process may have done so. */
static gboolean
reconnect (LmDatabase *database, GError **error)
{
  return database->handle != NULL || database->readonly || connect_database (database, error);
}

static gboolean
check_changeable (LmDatabase *database, GError **error)
{
  if (!reconnect (database, error))
    return FALSE;
  return database->handle != NULL
         || lm_throw (error, LM_CACHE_ERROR, LM_CACHE_ERROR_NO_SPACE, "no space is left to create %s", database->path);
}

/* Runs @change in a transaction; if the database turns out to be damaged, again in a new one. */
static gboolean
change_database (LmDatabase *database, gboolean (*change) (LmDatabase *database, gconstpointer data, GError **error),
                 gconstpointer data, GError **error)
{
  for (gboolean again = FALSE;; again = TRUE)
    {
      g_autoptr (GError) failure = NULL;
      if (!check_changeable (database, error))
        return FALSE;
      if (execute (database, "BEGIN IMMEDIATE", &failure) && change (database, data, &failure)
          && lm_fault_point ("database-before-commit", &failure) && execute (database, "COMMIT", &failure))
        return TRUE;
      (void) sqlite3_exec (database->handle, "ROLLBACK", NULL, NULL, NULL);
      if (again || !database->damaged)
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return FALSE;
        }
      if (!set_aside (database, failure, error))
        return FALSE;
    }
}

/* Prepares @sql; NULL on error. */
static sqlite3_stmt *
prepare (LmDatabase *database, const char *sql, GError **error)
{
  sqlite3_stmt *statement = NULL;
  if (sqlite3_prepare_v2 (database->handle, sql, -1, &statement, NULL) != SQLITE_OK)
    throw_database (database, error);
  return statement;
}

static void
bind_text (sqlite3_stmt *statement, int index, const char *text)
{
  sqlite3_bind_text (statement, index, text, -1, SQLITE_TRANSIENT);
}

/* Runs the prepared statement, which returns no rows, and can be run again. */
static gboolean
run_statement (LmDatabase *database, sqlite3_stmt *statement, GError **error)
{
  gboolean done = sqlite3_step (statement) == SQLITE_DONE;
  if (!done)
    throw_database (database, error);
  sqlite3_reset (statement);
  return done;
}

static gboolean
note_uses (LmDatabase *database, sqlite3_stmt *statement, const GPtrArray *blobs, gint64 time, GError **error)
{
  for (guint i = 0; blobs != NULL && i < blobs->len; i++)
    {
      const LmBlob *blob = g_ptr_array_index (blobs, i);
      sqlite3_bind_blob (statement, 1, blob->digest.bytes, LM_DIGEST_SIZE, SQLITE_STATIC);
      sqlite3_bind_int64 (statement, 2, time);
      if (!run_statement (database, statement, error))
        return FALSE;
    }
  return TRUE;
}

static char *
join_digests (const GPtrArray *blobs)
{
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < blobs->len; i++)
    {
      char digest[LM_DIGEST_STRING_SIZE];
      const LmBlob *blob = g_ptr_array_index (blobs, i);
      g_string_append_printf (text, "%s%s", i > 0 ? " " : "", lm_digest_format (&blob->digest, digest));
    }
  return g_string_free (text, FALSE);
}

/* Makes one entry of what libvirt and the process that asked for a start say about
 * it. *out_noted is whether that process has said it already: libvirt's hook runs
 * before that, but what it says may come later. */
static gboolean
join_notes (LmDatabase *database, const LmDatabaseStart *start, gboolean *out_noted, GError **error)
{
  const gboolean by_libvirt = start->began == 0;
  sqlite3_stmt *statement
    = prepare (database,
               by_libvirt ? "SELECT 1 FROM history WHERE machine = ? AND time >= ? AND time <= ? AND how <> 'libvirt' LIMIT 1"
                          : "DELETE FROM history WHERE machine = ? AND time >= ? AND time <= ? AND how = 'libvirt'", error);
  if (statement == NULL)
    return FALSE;
  bind_text (statement, 1, start->uuid);
  sqlite3_bind_int64 (statement, 2, by_libvirt ? start->time : start->began);
  /* What is from the future was noted before the clock was put back. */
  sqlite3_bind_int64 (statement, 3, g_get_real_time () / G_USEC_PER_SEC);
  int code = sqlite3_step (statement);
  *out_noted = code == SQLITE_ROW;
  gboolean done = code == SQLITE_ROW || code == SQLITE_DONE || throw_database (database, error);
  sqlite3_finalize (statement);
  return done;
}

static gboolean
add_history (LmDatabase *database, const LmDatabaseStart *start, GError **error)
{
  g_autofree char *selections = start->selections != NULL ? g_strjoinv (" ", (char **) start->selections) : g_strdup ("");
  g_autofree char *chain = join_digests (start->chain);
  gboolean noted = FALSE;
  if (!join_notes (database, start, &noted, error) || noted)
    return noted;
  sqlite3_stmt *statement = prepare (database,
                                     "INSERT INTO history (time, user, uid, how, machine, name, selections, chain)"
                                     " VALUES (?, ?, ?, ?, ?, ?, ?, ?)", error);
  if (statement == NULL)
    return FALSE;
  sqlite3_bind_int64 (statement, 1, start->time);
  bind_text (statement, 2, start->user);
  sqlite3_bind_int64 (statement, 3, start->user != NULL ? (gint64) getuid () : -1);
  bind_text (statement, 4, start->began != 0 ? start->how : "libvirt");
  bind_text (statement, 5, start->uuid);
  bind_text (statement, 6, start->name);
  bind_text (statement, 7, selections);
  bind_text (statement, 8, chain);
  gboolean added = run_statement (database, statement, error);
  sqlite3_finalize (statement);
  return added && execute (database, "DELETE FROM history WHERE id <= (SELECT max(id) FROM history) - " HISTORY_MAX, error);
}

typedef struct
{
  const LmDatabaseStart *start;
  gboolean history;
} Note;

static gboolean
change_note_start (LmDatabase *database, gconstpointer data, GError **error)
{
  const Note *note = data;
  sqlite3_stmt *statement
    = prepare (database, "INSERT INTO use VALUES (?, ?) ON CONFLICT (digest) DO UPDATE SET time = max(time, excluded.time)", error);
  gboolean noted = statement != NULL && note_uses (database, statement, note->start->chain, note->start->time, error)
                   && note_uses (database, statement, note->start->others, note->start->time, error);
  sqlite3_finalize (statement);
  return noted && (!note->history || add_history (database, note->start, error));
}

gboolean
lm_database_note_start (LmDatabase *database, const LmDatabaseStart *start, gboolean history, GError **error)
{
  const Note note = { start, history };
  return change_database (database, change_note_start, &note, error);
}

/* Reads digests and times. */
static gboolean
read_times (LmDatabase *database, const char *sql, GHashTable *times, GError **error)
{
  sqlite3_stmt *statement = prepare (database, sql, error);
  int code = SQLITE_DONE;
  while (statement != NULL && (code = sqlite3_step (statement)) == SQLITE_ROW)
    if (sqlite3_column_bytes (statement, 0) == LM_DIGEST_SIZE)
      {
        gint64 time = sqlite3_column_int64 (statement, 1);
        g_hash_table_insert (times, g_memdup2 (sqlite3_column_blob (statement, 0), LM_DIGEST_SIZE),
                             g_memdup2 (&time, sizeof time));
      }
  if (statement != NULL && code != SQLITE_DONE)
    throw_database (database, error);
  sqlite3_finalize (statement);
  return statement != NULL && code == SQLITE_DONE;
}

static GHashTable *
list_times (LmDatabase *database, const char *sql, GError **error)
{
  g_autoptr (GHashTable) times = g_hash_table_new_full (lm_digest_hash, lm_digest_equal_func, g_free, g_free);
  g_autoptr (GError) failure = NULL;
  if (!reconnect (database, error))
    return NULL;
  if (database->handle == NULL || read_times (database, sql, times, &failure))
    return g_steal_pointer (&times);
  if (!database->damaged)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
  g_hash_table_remove_all (times);
  return set_aside (database, failure, error) ? g_steal_pointer (&times) : NULL;
}

GHashTable *
lm_database_list_uses (LmDatabase *database, GError **error)
{
  return list_times (database, "SELECT digest, time FROM use", error);
}

GHashTable *
lm_database_list_pins (LmDatabase *database, GError **error)
{
  return list_times (database, "SELECT digest, time FROM pin", error);
}

typedef struct
{
  const LmDigest *digest;
  gboolean pinned;
  gboolean *out_changed;
} PinChange;

static gboolean
change_pin (LmDatabase *database, gconstpointer data, GError **error)
{
  const PinChange *pin = data;
  sqlite3_stmt *statement = prepare (database,
                                     pin->pinned ? "INSERT OR IGNORE INTO pin VALUES (?, unixepoch())" : "DELETE FROM pin WHERE digest = ?",
                                     error);
  if (statement == NULL)
    return FALSE;
  sqlite3_bind_blob (statement, 1, pin->digest->bytes, LM_DIGEST_SIZE, SQLITE_STATIC);
  gboolean done = run_statement (database, statement, error);
  *pin->out_changed = sqlite3_changes (database->handle) > 0;
  sqlite3_finalize (statement);
  return done;
}

gboolean
lm_database_set_pinned (LmDatabase *database, const LmDigest *digest, gboolean pinned, gboolean *out_changed, GError **error)
{
  const PinChange pin = { digest, pinned, out_changed };
  /* The user relies on a pin. */
  return check_changeable (database, error) && execute (database, "PRAGMA synchronous = FULL", error) && change_database (database, change_pin, &pin, error);
}

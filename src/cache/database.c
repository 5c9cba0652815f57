/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cache/database-private.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/fd.h"
#include "base/lock.h"
#include "base/state-dir.h"
#include "base/trace.h"
#include "cache/cache.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#define DATABASE "lamina.db"
#define SCHEMA_VERSION 1
#define BUSY_MS 5000
#define MAX_ATTEMPTS 20
#define READ_SIZE 65536

static const char *const companions[] = { DATABASE "-wal", DATABASE "-shm", DATABASE "-journal" };

static const char schema[]
  = "CREATE TABLE use (digest BLOB PRIMARY KEY, time INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE pin (digest BLOB PRIMARY KEY, time INTEGER NOT NULL) WITHOUT ROWID;"
    "CREATE TABLE history (id INTEGER PRIMARY KEY, time INTEGER NOT NULL, user TEXT, uid INTEGER NOT NULL,"
    " how TEXT NOT NULL, machine TEXT NOT NULL, name TEXT NOT NULL, selections TEXT NOT NULL, chain TEXT NOT NULL);"
    "PRAGMA user_version = " G_STRINGIFY (SCHEMA_VERSION) ";";

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

gboolean
lm_database_throw (LmDatabase *database, GError **error)
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

gboolean
lm_database_execute (LmDatabase *database, const char *sql, GError **error)
{
  return sqlite3_exec (database->handle, sql, NULL, NULL, NULL) == SQLITE_OK || lm_database_throw (database, error);
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
    lm_database_throw (database, error);
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
  database->hidden = !*out_missing && database->readonly && faccessat (dir, DATABASE, R_OK, AT_EACCESS) < 0 && errno == EACCES;
  *out_missing |= database->hidden;
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

/* The lock under which the file is created or set aside: the rest of a damaged database is
 * deleted by its name, which must not be that of a new one by then. It is a byte of the leases,
 * whose number is that of a text that is no file; nothing else is waited for under it. NULL
 * without an error if there can be no lock, for example on a file system that is read-only. */
static LmLock *
lock_names (const LmDatabase *database, GError **error)
{
  const LmDigest digest = lm_digest_of_text ("names of " DATABASE);
  g_autofree char *path = g_build_filename (lm_state_dir_get_path (database->state), "leases", NULL);
  g_autoptr (GError) failure = NULL;
  g_autoptr (LmLock) lock = lm_lock_table_open (path, NULL);
  if (lock == NULL)
    return NULL;
  if (lm_lock_table_lock (lock, lm_digest_get_number (&digest), LM_LOCK_EXCLUSIVE, BUSY_MS, NULL, &failure))
    return g_steal_pointer (&lock);
  if (g_error_matches (failure, LM_LOCK_ERROR, LM_LOCK_ERROR_TIMED_OUT))
    g_propagate_error (error, g_steal_pointer (&failure));
  return NULL;
}

/* SQLite would create the file with another mode; its companions get the mode of the file.
 * *out_full: there is no space for another file */
static gboolean
create_file (LmDatabase *database, gboolean *out_full, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (LmLock) lock G_GNUC_UNUSED = database->locked ? NULL : lock_names (database, &failure);
  if (failure != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
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
  if (!lm_database_execute (database, "BEGIN IMMEDIATE", error))
    return FALSE;
  if (read_version (database, &version, error) && (version != 0 || lm_database_execute (database, schema, error))
      && lm_fault_point ("database-before-commit", error) && lm_database_execute (database, "COMMIT", error))
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

gboolean
lm_database_has_moved (LmDatabase *database)
{
  int moved = 0;
  if (database->handle == NULL
      || sqlite3_file_control (database->handle, "main", SQLITE_FCNTL_HAS_MOVED, &moved) != SQLITE_OK || moved == 0)
    return FALSE;
  g_clear_pointer (&database->handle, sqlite3_close_v2);
  database->damaged = FALSE;
  return TRUE;
}

static gboolean
connect_once (LmDatabase *database, GError **error)
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
    return lm_database_throw (database, error);
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
  return database->readonly || database->handle == NULL
         || lm_database_execute (database, database->durable ? "PRAGMA synchronous = FULL" : "PRAGMA synchronous = NORMAL", error);
}

gboolean
lm_database_connect (LmDatabase *database, GError **error)
{
  for (guint attempt = 0; attempt < MAX_ATTEMPTS; attempt++)
    {
      g_autoptr (GError) failure = NULL;
      const gboolean connected = connect_once (database, &failure);
      /* Such a file could have been read together with the log of its successor. */
      if (lm_database_has_moved (database))
        continue;
      if (!connected)
        g_propagate_error (error, g_steal_pointer (&failure));
      return connected;
    }
  return lm_throw (error, LM_CACHE_ERROR, LM_CACHE_ERROR_BUSY, "other processes keep replacing %s", database->path);
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
    lm_database_throw (database, error);
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
lm_database_is_hidden (const LmDatabase *database)
{
  return database->hidden;
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
  if (lm_database_connect (database, &failure) && database->handle == NULL)
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
  if (lm_database_connect (database, &failure) && check_pages (database, &damage, &failure) && damage == NULL)
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
  if (!lm_fault_point ("database-after-rename", error))
    return FALSE;
  for (gsize i = 0; i < G_N_ELEMENTS (companions); i++)
    if (unlinkat (dir, companions[i], 0) < 0 && errno != ENOENT)
      return lm_throw_errno (error, "cannot remove %s of %s", companions[i], database->path);
  warn_database (database, "it was renamed to " DATABASE ".damaged, and its pins and history are lost", cause);
  database->damaged = FALSE;
  return lm_database_connect (database, error);
}

gboolean
lm_database_set_aside (LmDatabase *database, const GError *cause, GError **error)
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
  g_autoptr (GError) failure = NULL;
  g_autoptr (LmLock) lock = lock_names (database, &failure);
  if (lock == NULL)
    {
      g_propagate_error (error, failure != NULL ? g_steal_pointer (&failure) : g_error_copy (cause));
      return FALSE;
    }
  database->locked = TRUE;
  const gboolean replaced = set_aside_locked (database, cause->message, error);
  database->locked = FALSE;
  return replaced;
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
  if (lm_database_connect (database, &failure))
    return g_steal_pointer (&database);
  if (database->damaged)
    return lm_database_set_aside (database, failure, error) ? g_steal_pointer (&database) : NULL;
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

gboolean
lm_database_reconnect (LmDatabase *database, GError **error)
{
  return database->handle != NULL || database->readonly || lm_database_connect (database, error);
}

gboolean
lm_database_check_changeable (LmDatabase *database, GError **error)
{
  if (!lm_database_reconnect (database, error))
    return FALSE;
  return database->handle != NULL
         || lm_throw (error, LM_CACHE_ERROR, LM_CACHE_ERROR_NO_SPACE, "no space is left to create %s", database->path);
}

gboolean
lm_database_change (LmDatabase *database, gboolean (*change) (LmDatabase *database, gconstpointer data, GError **error),
                 gconstpointer data, GError **error)
{
  for (gboolean again = FALSE;; again = TRUE)
    {
      g_autoptr (GError) failure = NULL;
      if (!lm_database_check_changeable (database, error))
        return FALSE;
      if (lm_database_execute (database, "BEGIN IMMEDIATE", &failure) && change (database, data, &failure)
          && lm_fault_point ("database-before-commit", &failure) && lm_database_execute (database, "COMMIT", &failure))
        {
          if (!lm_database_has_moved (database))
            return TRUE;
          continue;
        }
      if (lm_database_has_moved (database))
        continue;
      (void) sqlite3_exec (database->handle, "ROLLBACK", NULL, NULL, NULL);
      if (again || !database->damaged)
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return FALSE;
        }
      if (!lm_database_set_aside (database, failure, error))
        return FALSE;
    }
}

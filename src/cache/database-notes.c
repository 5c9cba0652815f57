/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cache/database-private.h"

#include <string.h>
#include <unistd.h>

#define HISTORY_MAX "20000"
#define SQL_NOTE_USE "INSERT INTO use VALUES (?, ?) ON CONFLICT (digest) DO UPDATE SET time = max(time, excluded.time)"

/* Prepares @sql; NULL on error. */
static sqlite3_stmt *
prepare (LmDatabase *database, const char *sql, GError **error)
{
  sqlite3_stmt *statement = NULL;
  if (sqlite3_prepare_v2 (database->handle, sql, -1, &statement, NULL) != SQLITE_OK)
    lm_database_throw (database, error);
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
    lm_database_throw (database, error);
  sqlite3_reset (statement);
  return done;
}

static gboolean
note_use (LmDatabase *database, sqlite3_stmt *statement, const LmDigest *digest, gint64 time, GError **error)
{
  sqlite3_bind_blob (statement, 1, digest->bytes, LM_DIGEST_SIZE, SQLITE_STATIC);
  sqlite3_bind_int64 (statement, 2, time);
  return run_statement (database, statement, error);
}

static gboolean
note_uses (LmDatabase *database, sqlite3_stmt *statement, const GPtrArray *blobs, gint64 time, GError **error)
{
  for (guint i = 0; blobs != NULL && i < blobs->len; i++)
    if (!note_use (database, statement, &((LmBlob *) g_ptr_array_index (blobs, i))->digest, time, error))
      return FALSE;
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
  gboolean done = code == SQLITE_ROW || code == SQLITE_DONE || lm_database_throw (database, error);
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
  return added && lm_database_execute (database, "DELETE FROM history WHERE id <= (SELECT max(id) FROM history) - " HISTORY_MAX, error);
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
  sqlite3_stmt *statement = prepare (database, SQL_NOTE_USE, error);
  gboolean noted = statement != NULL && note_uses (database, statement, note->start->chain, note->start->time, error)
                   && note_uses (database, statement, note->start->others, note->start->time, error);
  sqlite3_finalize (statement);
  return noted && (!note->history || add_history (database, note->start, error));
}

gboolean
lm_database_note_start (LmDatabase *database, const LmDatabaseStart *start, gboolean history, GError **error)
{
  const Note note = { start, history };
  return lm_database_change (database, change_note_start, &note, error);
}

typedef struct
{
  const GPtrArray *packages; /* LmDatabasePackage */
  gint64 time;
} PackageNote;

static gboolean
note_package (LmDatabase *database, sqlite3_stmt *statement, const LmDatabasePackage *package, GError **error)
{
  sqlite3_bind_blob (statement, 1, package->digest.bytes, LM_DIGEST_SIZE, SQLITE_STATIC);
  bind_text (statement, 2, package->name);
  bind_text (statement, 3, package->version);
  return run_statement (database, statement, error);
}

static gboolean
change_note_packages (LmDatabase *database, gconstpointer data, GError **error)
{
  const PackageNote *note = data;
  /* A database that an earlier lamina made does not have it. */
  gboolean noted = lm_database_execute (database, "CREATE TABLE IF NOT EXISTS package (digest BLOB PRIMARY KEY, name TEXT NOT NULL,"
                                                  " version TEXT NOT NULL) WITHOUT ROWID", error);
  sqlite3_stmt *use = noted ? prepare (database, SQL_NOTE_USE, error) : NULL;
  sqlite3_stmt *name = use != NULL ? prepare (database, "INSERT OR REPLACE INTO package VALUES (?, ?, ?)", error) : NULL;
  noted = name != NULL;
  for (guint i = 0; noted && i < note->packages->len; i++)
    {
      const LmDatabasePackage *package = g_ptr_array_index (note->packages, i);
      noted = note_use (database, use, &package->digest, note->time, error) && note_package (database, name, package, error);
    }
  sqlite3_finalize (use);
  sqlite3_finalize (name);
  return noted;
}

gboolean
lm_database_note_packages (LmDatabase *database, const GPtrArray *packages, gint64 time, GError **error)
{
  const PackageNote note = { packages, time };
  return lm_database_change (database, change_note_packages, &note, error);
}

/* Adds a row to @rows. */
typedef void (*ReadRow) (sqlite3_stmt *statement, GHashTable *rows);

/* A digest and a number. */
static void
read_digest (sqlite3_stmt *statement, GHashTable *rows)
{
  const gint64 number = sqlite3_column_int64 (statement, 1);
  if (sqlite3_column_bytes (statement, 0) == LM_DIGEST_SIZE)
    g_hash_table_insert (rows, g_memdup2 (sqlite3_column_blob (statement, 0), LM_DIGEST_SIZE), g_memdup2 (&number, sizeof number));
}

/* A text and a number. */
static void
read_text (sqlite3_stmt *statement, GHashTable *rows)
{
  const gint64 number = sqlite3_column_int64 (statement, 1);
  const char *text = (const char *) sqlite3_column_text (statement, 0);
  if (text != NULL)
    g_hash_table_insert (rows, g_strdup (text), g_memdup2 (&number, sizeof number));
}

static void
package_free (gpointer data)
{
  LmDatabasePackage *package = data;
  g_free ((char *) package->name);
  g_free ((char *) package->version);
  g_free (package);
}

static void
read_package (sqlite3_stmt *statement, GHashTable *rows)
{
  const char *name = (const char *) sqlite3_column_text (statement, 1), *version = (const char *) sqlite3_column_text (statement, 2);
  if (sqlite3_column_bytes (statement, 0) != LM_DIGEST_SIZE || name == NULL || version == NULL)
    return;
  LmDatabasePackage *package = g_new0 (LmDatabasePackage, 1);
  package->name = g_strdup (name);
  package->version = g_strdup (version);
  memcpy (package->digest.bytes, sqlite3_column_blob (statement, 0), LM_DIGEST_SIZE);
  g_hash_table_replace (rows, &package->digest, package);
}

static gboolean
read_rows (LmDatabase *database, const char *sql, ReadRow read, GHashTable *rows, GError **error)
{
  sqlite3_stmt *statement = prepare (database, sql, error);
  int code = SQLITE_DONE;
  while (statement != NULL && (code = sqlite3_step (statement)) == SQLITE_ROW)
    read (statement, rows);
  if (statement != NULL && code != SQLITE_DONE)
    lm_database_throw (database, error);
  sqlite3_finalize (statement);
  return statement != NULL && code == SQLITE_DONE;
}

/* Reads the rows of @sql into @rows, an empty table, which is freed on error. */
static GHashTable *
list_rows (LmDatabase *database, const char *sql, ReadRow read, GHashTable *table, GError **error)
{
  g_autoptr (GHashTable) rows = table;
  g_autoptr (GError) failure = NULL;
  gboolean ready = lm_database_reconnect (database, error);
  while (ready && database->handle != NULL)
    {
      (void) !read_rows (database, sql, read, rows, &failure);
      if (!lm_database_has_moved (database))
        break;
      g_clear_error (&failure);
      g_hash_table_remove_all (rows);
      ready = lm_database_connect (database, error);
    }
  if (!ready)
    return NULL;
  if (failure == NULL)
    return g_steal_pointer (&rows);
  if (!database->damaged)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
  g_hash_table_remove_all (rows);
  return lm_database_set_aside (database, failure, error) ? g_steal_pointer (&rows) : NULL;
}

static GHashTable *
list_times (LmDatabase *database, const char *sql, GError **error)
{
  return list_rows (database, sql, read_digest, g_hash_table_new_full (lm_digest_hash, lm_digest_equal_func, g_free, g_free), error);
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

GHashTable *
lm_database_list_packages (LmDatabase *database, GError **error)
{
  g_autoptr (GHashTable) found = list_rows (database, "SELECT name, 1 FROM sqlite_master WHERE name = 'package'", read_text,
                                            g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free), error);
  GHashTable *packages = found != NULL ? g_hash_table_new_full (lm_digest_hash, lm_digest_equal_func, NULL, package_free) : NULL;
  if (found == NULL || g_hash_table_size (found) == 0)
    return packages;
  return list_rows (database, "SELECT digest, name, version FROM package", read_package, packages, error);
}

GHashTable *
lm_database_count_selections (LmDatabase *database, GError **error)
{
  return list_rows (database, "SELECT selections, count(*) FROM history WHERE how IN ('launch', 'define') GROUP BY selections", read_text,
                    g_hash_table_new_full (g_str_hash, g_str_equal, g_free, g_free), error);
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
  database->durable = TRUE;
  return lm_database_check_changeable (database, error)
         && lm_database_execute (database, "PRAGMA synchronous = FULL", error)
         && lm_database_change (database, change_pin, &pin, error);
}

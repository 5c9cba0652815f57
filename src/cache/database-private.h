/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The connection to lamina.db, for database.c, which opens it and deals with damage, and for
 * database-notes.c, which reads and writes what is in it. */
#include "base/state-dir.h"
#include "cache/database.h"

#include <sqlite3.h>

struct _LmDatabase
{
  LmStateDir *state;
  char *path;
  gboolean readonly;
  gboolean damaged;    /* SQLite has said so */
  gboolean hidden;     /* this user may not read it */
  gboolean locked;     /* this process holds the lock of the names */
  gboolean durable;    /* a change is on the disk when it has been made */
  GPtrArray *warnings; /* not owned; may be NULL */
  sqlite3 *handle;     /* NULL: empty, and cannot be changed */
};

/* Sets @error to what SQLite says about the last call, and returns FALSE. */
gboolean lm_database_throw (LmDatabase *database, GError **error);

/* Runs @sql, which returns no rows. */
gboolean lm_database_execute (LmDatabase *database, const char *sql, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Opens lamina.db; database->handle is NULL if it counts as empty. */
gboolean lm_database_connect (LmDatabase *database, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Tries again to create what there was no space for; another process may have done so. */
gboolean lm_database_reconnect (LmDatabase *database, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Likewise, and fails if there is still no space. */
gboolean lm_database_check_changeable (LmDatabase *database, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Runs @change in a transaction; if the database turns out to be damaged, or was set aside by
 * another process, again in a new one. */
gboolean lm_database_change (LmDatabase *database, gboolean (*change) (LmDatabase *database, gconstpointer data, GError **error),
                             gconstpointer data, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Replaces a database that is damaged, as @cause says, by an empty one; one that was opened
 * read-only counts as empty. */
gboolean lm_database_set_aside (LmDatabase *database, const GError *cause, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Whether another process has set aside the file that is open here. If so, disconnects: what
 * was read from it is outdated, and what was written to it is lost. */
gboolean lm_database_has_moved (LmDatabase *database);

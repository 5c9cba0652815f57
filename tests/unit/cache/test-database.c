/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/file.h"
#include "cache/cache.h"
#include "cache/database.h"

#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

typedef struct
{
  char *dir;
  char *path;
  GPtrArray *warnings;
} Fixture;

static void
set_up (Fixture *f, gconstpointer data)
{
  f->dir = g_dir_make_tmp ("lm-database-XXXXXX", NULL);
  f->path = g_build_filename (f->dir, "lamina.db", NULL);
  f->warnings = g_ptr_array_new_with_free_func (g_free);
}

static void
tear_down (Fixture *f, gconstpointer data)
{
  g_unsetenv ("LAMINA_TEST_FAULT");
  g_assert_true (lm_file_remove_tree (f->dir, NULL));
  g_free (f->dir);
  g_free (f->path);
  g_ptr_array_unref (f->warnings);
}

/* Notes a start of a machine made of a layer and a kernel. */
/* @began is 0 for a note of libvirt's hook. */
static gboolean
note_since (Fixture *f, gint64 time, gint64 began, gboolean history, GError **error)
{
  LmBlob layer = { .kind = LM_BLOB_LAYER, .digest = lm_digest_of_text ("a") };
  LmBlob kernel = { .kind = LM_BLOB_FILE, .digest = lm_digest_of_text ("b") };
  g_autoptr (GPtrArray) chain = g_ptr_array_new ();
  g_autoptr (GPtrArray) others = g_ptr_array_new ();
  g_autoptr (LmDatabase) database = lm_database_open (f->dir, f->warnings, error);
  char *selections[] = { (char *) "os=a@1", (char *) "b@2", NULL };
  g_ptr_array_add (chain, &layer);
  g_ptr_array_add (chain, &layer);
  g_ptr_array_add (others, &kernel);
  const LmDatabaseStart start = { .time = time, .began = began, .how = "launch", .user = began != 0 ? "me" : NULL, .uuid = "u-u", .name = "web1",
                                  .selections = selections, .chain = chain, .others = others };
  return database != NULL && lm_database_note_start (database, &start, history, error);
}

static gboolean
note (Fixture *f, gint64 time, gboolean history, GError **error)
{
  return note_since (f, time, time, history, error);
}

static void
note_well (Fixture *f, gint64 time)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (note (f, time, TRUE, &error));
  g_assert_no_error (error);
}

/* Returns the first column of the first row that @sql selects. */
static char *
query (Fixture *f, const char *sql)
{
  sqlite3 *handle = NULL;
  sqlite3_stmt *statement = NULL;
  g_assert_cmpint (sqlite3_open (f->path, &handle), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_prepare_v2 (handle, sql, -1, &statement, NULL), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_step (statement), ==, SQLITE_ROW);
  char *text = g_strdup ((const char *) sqlite3_column_text (statement, 0));
  sqlite3_finalize (statement);
  sqlite3_close (handle);
  return text;
}

static void
assert_query (Fixture *f, const char *sql, const char *expected)
{
  g_autofree char *text = query (f, sql);
  g_assert_cmpstr (text, ==, expected);
}

static void
test_note (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  struct stat st;
  note_well (f, 1000);
  note_well (f, 900);
  g_assert_true (note (f, 2000, FALSE, &error));
  assert_query (f, "SELECT count(*) FROM use", "2");
  assert_query (f, "SELECT time FROM use WHERE hex(digest) = "
                   "'CA978112CA1BBDCAFAC231B39A23DC4DA786EFF8147C4E72B9807785AFEE48BB'", "2000");
  assert_query (f, "SELECT count(*) FROM history", "2");
  assert_query (f, "SELECT time || user || how || machine || name || selections FROM history", "1000melaunchu-uweb1os=a@1 b@2");
  assert_query (f, "SELECT substr(chain, 1, 14) || length(chain) FROM history", "sha256:ca97811143");
  g_assert_cmpint (stat (f->path, &st), ==, 0);
  g_assert_cmpuint (st.st_mode & 0777, ==, 0600);
  g_assert_cmpuint (f->warnings->len, ==, 0);
}

/* A start that both libvirt's hook and the process that asked for it note, in either order. */
static void
test_both (Fixture *f, gconstpointer data)
{
  static const char list[] = "SELECT group_concat(how || time || coalesce(user, '-'), ' ') FROM history";
  g_assert_true (note_since (f, 900, 0, TRUE, NULL));
  g_assert_true (note_since (f, 1000, 0, TRUE, NULL));
  assert_query (f, list, "libvirt900- libvirt1000-");
  assert_query (f, "SELECT uid FROM history", "-1");
  g_assert_true (note_since (f, 1001, 950, TRUE, NULL));
  assert_query (f, list, "libvirt900- launch1001me");
  g_assert_true (note_since (f, 1001, 0, TRUE, NULL));
  assert_query (f, list, "libvirt900- launch1001me");
  g_assert_true (note_since (f, 1002, 0, TRUE, NULL));
  assert_query (f, list, "libvirt900- launch1001me libvirt1002-");
}

/* The clock was put back by an hour: what was noted before that is about other starts. */
static void
test_clock (Fixture *f, gconstpointer data)
{
  const gint64 now = g_get_real_time () / G_USEC_PER_SEC;
  g_assert_true (note_since (f, now + 3500, 0, TRUE, NULL));
  g_assert_true (note_since (f, now + 3600, now + 3590, TRUE, NULL));
  g_assert_true (note_since (f, now, 0, TRUE, NULL));
  assert_query (f, "SELECT group_concat(how, ' ') FROM history", "libvirt launch libvirt");
  g_assert_true (note_since (f, now, now - 10, TRUE, NULL));
  assert_query (f, "SELECT group_concat(how, ' ') FROM history", "libvirt launch launch");
}

/* Without somebody who can be told, a damaged database stays. */
static void
test_untold (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmDatabase) database G_GNUC_UNUSED = NULL;
  g_assert_true (g_file_set_contents (f->path, "This is not a database, and nobody asked.", -1, &error));
  g_assert_cmpint (chmod (f->path, 0600), ==, 0);
  database = lm_database_open (f->dir, NULL, &error);
  g_assert_null (database);
  g_assert_error (error, LM_CACHE_ERROR, LM_CACHE_ERROR_DATABASE);
  g_autofree char *text = NULL;
  g_assert_true (g_file_get_contents (f->path, &text, NULL, NULL));
  g_assert_true (g_str_has_prefix (text, "This is not"));
}

/* The time of a use never goes back, and the oldest entries of the history go. */
static void
test_limits (Fixture *f, gconstpointer data)
{
  note_well (f, 1000);
  g_free (query (f, "INSERT INTO history SELECT 50000, time, user, uid, how, machine, name, selections, chain FROM history"
                    " RETURNING id"));
  note_well (f, 500);
  assert_query (f, "SELECT min(time) || ' ' || max(time) FROM use", "1000 1000");
  assert_query (f, "SELECT group_concat(id) FROM history", "50000,50001");
}

static void
write_file (const char *path, const char *text)
{
  g_assert_true (g_file_set_contents (path, text, -1, NULL));
}

/* Not a database any more; the log, which could make up for it, was copied into it before. */
static void
test_damaged (Fixture *f, gconstpointer data)
{
  g_autofree char *damaged = g_strconcat (f->path, ".damaged", NULL);
  g_autoptr (GString) noise = g_string_new (NULL);
  while (noise->len < 20000)
    g_string_append (noise, "this is not a database; ");
  note_well (f, 1000);
  g_free (query (f, "PRAGMA wal_checkpoint(TRUNCATE)"));
  write_file (f->path, noise->str);
  note_well (f, 2000);
  assert_query (f, "SELECT min(time) || ' ' || count(*) FROM use", "2000 2");
  g_assert_cmpuint (f->warnings->len, ==, 1);
  g_assert_nonnull (strstr (f->warnings->pdata[0], "lamina.db.damaged"));
  g_assert_true (g_file_test (damaged, G_FILE_TEST_EXISTS));
  /* An empty file is an empty database, as after a kill just after its creation. */
  write_file (f->path, "");
  note_well (f, 3000);
  g_assert_cmpuint (f->warnings->len, ==, 1);
}

/* The first page is intact, so that it can be opened, but a table is not. */
static void
test_damaged_table (Fixture *f, gconstpointer data)
{
  g_autofree char *text = NULL;
  gsize size;
  note_well (f, 1000);
  g_free (query (f, "PRAGMA wal_checkpoint(TRUNCATE)"));
  g_assert_true (g_file_get_contents (f->path, &text, &size, NULL));
  g_assert_cmpuint (size, >, 8192);
  memset (text + 4096, 0x55, size - 4096);
  g_assert_true (g_file_set_contents (f->path, text, (gssize) size, NULL));
  note_well (f, 2000);
  assert_query (f, "SELECT min(time) || ' ' || count(*) FROM use", "2000 2");
  g_assert_cmpuint (f->warnings->len, ==, 1);
}

static gboolean
pin (Fixture *f, const char *text)
{
  const LmDigest digest = lm_digest_of_text (text);
  g_autoptr (LmDatabase) database = lm_database_open (f->dir, f->warnings, NULL);
  gboolean changed;
  return database != NULL && lm_database_set_pinned (database, &digest, TRUE, &changed, NULL) && changed;
}

/* Damage that "PRAGMA quick_check" describes instead of failing. That pins are lost is said,
 * also to who only reads them, and the next one is kept. */
static void
test_damaged_cell (Fixture *f, gconstpointer data)
{
  const gboolean reads = GPOINTER_TO_INT (data);
  g_autofree char *damaged = g_strconcat (f->path, ".damaged", NULL);
  g_autofree char *text = NULL;
  gsize size;
  g_assert_true (pin (f, "a"));
  g_free (query (f, "PRAGMA wal_checkpoint(TRUNCATE)"));
  g_autofree char *page = query (f, "SELECT rootpage - 1 FROM sqlite_schema WHERE name = 'pin'");
  g_assert_true (g_file_get_contents (f->path, &text, &size, NULL));
  const gsize at = g_ascii_strtoull (page, NULL, 10) * 4096;
  g_assert_cmpuint (at + 4096, <=, size);
  /* The type of the page. A wrong offset of a cell is not always noticed: what it leads to is
   * memory beyond the page. */
  text[at] = (char) 0xff;
  g_assert_true (g_file_set_contents (f->path, text, (gssize) size, NULL));
  if (reads)
    {
      g_autoptr (LmDatabase) database = lm_database_open (f->dir, f->warnings, NULL);
      g_assert_nonnull (database);
      g_autoptr (GHashTable) pins = lm_database_list_pins (database, NULL);
      g_assert_nonnull (pins);
    }
  g_assert_true (pin (f, "b"));
  g_assert_cmpuint (f->warnings->len, ==, 1);
  g_assert_true (g_file_test (damaged, G_FILE_TEST_EXISTS));
  assert_query (f, "SELECT count(*) FROM pin", "1");
}

/* Makes another process, with a connection of its own, find the damage and set the file aside.
 * Here, this process must not open the file, because that would release the locks of SQLite. */
static void
set_aside_elsewhere (Fixture *f)
{
  pid_t child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    {
      g_autofree char *noise = g_strnfill (20000, 'x');
      g_autofree char *log = g_strconcat (f->path, "-wal", NULL);
      int fd = open (f->path, O_WRONLY | O_CLOEXEC);
      int written = fd >= 0 && pwrite (fd, noise, 20000, 0) == 20000 && truncate (log, 0) == 0;
      _exit (written && pin (f, "elsewhere") ? 0 : 1);
    }
  int status;
  g_assert_cmpint (waitpid (child, &status, 0), ==, child);
  g_assert_cmpint (status, ==, 0);
}

/* Who has the database open while it is set aside sees what is pinned in the new one, and does
 * not pin anything in the old one. */
static void
test_replaced (Fixture *f, gconstpointer data)
{
  const LmDigest mine = lm_digest_of_text ("mine"), other = lm_digest_of_text ("elsewhere");
  g_autoptr (GError) error = NULL;
  gboolean changed;
  g_assert_true (pin (f, "a"));
  g_autoptr (LmDatabase) reader = lm_database_open (f->dir, f->warnings, &error);
  g_autoptr (LmDatabase) writer = lm_database_open (f->dir, f->warnings, &error);
  g_autoptr (LmDatabase) looker = lm_database_open_readonly (f->dir, f->warnings, &error);
  LmDatabase *const open_ones[] = { reader, looker, writer };
  for (gsize i = 0; i < G_N_ELEMENTS (open_ones); i++)
    {
      g_autoptr (GHashTable) before = lm_database_list_pins (open_ones[i], &error);
      g_assert_no_error (error);
      g_assert_cmpuint (g_hash_table_size (before), ==, 1);
    }
  set_aside_elsewhere (f);
  for (gsize i = 0; i < 2; i++)
    {
      g_autoptr (GHashTable) pins = lm_database_list_pins (open_ones[i], &error);
      g_assert_no_error (error);
      g_assert_true (g_hash_table_contains (pins, &other));
      g_assert_cmpuint (g_hash_table_size (pins), ==, 1);
    }
  g_assert_true (lm_database_set_pinned (writer, &mine, TRUE, &changed, &error));
  g_assert_no_error (error);
  g_assert_true (changed);
  assert_query (f, "SELECT count(*) FROM pin", "2");
  assert_query (f, "PRAGMA integrity_check", "ok");
}

static pid_t
pin_elsewhere (Fixture *f, const char *text, const char *fault)
{
  pid_t child = fork ();
  g_assert_cmpint (child, >=, 0);
  if (child == 0)
    {
      /* A stopped process must not outlive the test. */
      prctl (PR_SET_PDEATHSIG, SIGKILL);
      if (fault != NULL)
        g_setenv ("LAMINA_TEST_FAULT", fault, TRUE);
      _exit (pin (f, text) ? 0 : 1);
    }
  return child;
}

/* While the rest of a damaged database is deleted by its name, nobody creates a new one, whose
 * log would be deleted with it. */
static void
test_replaced_slowly (Fixture *f, gconstpointer data)
{
  g_autofree char *noise = g_strnfill (20000, 'x');
  int status;
  g_assert_true (pin (f, "a"));
  g_free (query (f, "PRAGMA wal_checkpoint(TRUNCATE)"));
  write_file (f->path, noise);
  pid_t slow = pin_elsewhere (f, "slow", "database-after-rename=stop");
  g_assert_cmpint (waitpid (slow, &status, WUNTRACED), ==, slow);
  g_assert_true (WIFSTOPPED (status));
  g_assert_false (g_file_test (f->path, G_FILE_TEST_EXISTS));
  pid_t other = pin_elsewhere (f, "other", NULL);
  g_usleep (200000);
  g_assert_false (g_file_test (f->path, G_FILE_TEST_EXISTS));
  g_assert_cmpint (kill (slow, SIGCONT), ==, 0);
  g_assert_cmpint (waitpid (slow, &status, 0), ==, slow);
  g_assert_cmpint (status, ==, 0);
  g_assert_cmpint (waitpid (other, &status, 0), ==, other);
  g_assert_cmpint (status, ==, 0);
  assert_query (f, "SELECT count(*) FROM pin", "2");
}

/* Killed between the renaming and the deletion of the rest. */
static void
test_replacement_killed (Fixture *f, gconstpointer data)
{
  g_autofree char *noise = g_strnfill (20000, 'x');
  g_assert_true (pin (f, "a"));
  g_free (query (f, "PRAGMA wal_checkpoint(TRUNCATE)"));
  write_file (f->path, noise);
  g_setenv ("LAMINA_TEST_FAULT", "database-after-rename=eio", TRUE);
  g_assert_false (pin (f, "b"));
  g_unsetenv ("LAMINA_TEST_FAULT");
  g_assert_true (pin (f, "b"));
  assert_query (f, "SELECT count(*) FROM pin", "1");
}

/* How the pages of the database after the first one are read. */
static struct
{
  sqlite3_vfs vfs;
  sqlite3_io_methods methods;
  const sqlite3_io_methods *real;
  guint wrong; /* so many reads deliver zeros, and all after them fail */
  gboolean on;
  gboolean full;
} disk;

static int
read_from_disk (sqlite3_file *file, void *buffer, int size, sqlite3_int64 offset)
{
  if (!disk.on || offset + size <= 4096)
    return disk.real->xRead (file, buffer, size, offset);
  if (disk.wrong == 0)
    return SQLITE_IOERR_READ;
  disk.wrong--;
  memset (buffer, 0, (gsize) size);
  return SQLITE_OK;
}

static int
write_to_disk (sqlite3_file *file, const void *buffer, int size, sqlite3_int64 offset)
{
  return disk.full ? SQLITE_FULL : disk.real->xWrite (file, buffer, size, offset);
}

static int
open_on_disk (sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out_flags)
{
  sqlite3_vfs *real = vfs->pAppData;
  const int code = real->xOpen (real, name, file, flags, out_flags);
  if (code != SQLITE_OK || (flags & SQLITE_OPEN_MAIN_DB) == 0)
    return code;
  disk.real = file->pMethods;
  disk.methods = *disk.real;
  disk.methods.xRead = read_from_disk;
  disk.methods.xWrite = write_to_disk;
  file->pMethods = &disk.methods;
  return SQLITE_OK;
}

static void
set_disk (gboolean use)
{
  sqlite3_vfs *real = use ? sqlite3_vfs_find (NULL) : NULL;
  if (!use)
    {
      sqlite3_vfs_unregister (&disk.vfs);
      return;
    }
  disk.vfs = *real;
  disk.vfs.zName = "disk";
  disk.vfs.pAppData = real;
  disk.vfs.xOpen = open_on_disk;
  g_assert_cmpint (sqlite3_vfs_register (&disk.vfs, TRUE), ==, SQLITE_OK);
}

/* No space is left to create the database, which must not prevent that some is made. */
static void
test_full (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  const LmDigest digest = lm_digest_of_text ("a");
  gboolean changed;
  set_disk (TRUE);
  disk.full = TRUE;
  g_autoptr (LmDatabase) database = lm_database_open (f->dir, f->warnings, &error);
  g_assert_no_error (error);
  g_autoptr (GHashTable) pins = lm_database_list_pins (database, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (g_hash_table_size (pins), ==, 0);
  g_assert_false (lm_database_set_pinned (database, &digest, TRUE, &changed, &error));
  g_assert_error (error, LM_CACHE_ERROR, LM_CACHE_ERROR_NO_SPACE);
  g_clear_error (&error);
  g_assert_false (note (f, 1000, TRUE, &error));
  g_assert_error (error, LM_CACHE_ERROR, LM_CACHE_ERROR_NO_SPACE);
  disk.full = FALSE;
  /* Now another process pins something, which those that opened it before must see. */
  g_assert_true (pin (f, "a"));
  g_autoptr (GHashTable) now = lm_database_list_pins (database, NULL);
  g_assert_cmpuint (g_hash_table_size (now), ==, 1);
  set_disk (FALSE);
  g_assert_cmpuint (f->warnings->len, ==, 0);
}

/* A disk that cannot be read says nothing about the database, even if it delivered wrong data
 * before. */
static void
test_unreadable (Fixture *f, gconstpointer data)
{
  g_autofree char *damaged = g_strconcat (f->path, ".damaged", NULL);
  g_assert_true (pin (f, "a"));
  g_free (query (f, "PRAGMA wal_checkpoint(TRUNCATE)"));
  set_disk (TRUE);
  disk.on = TRUE;
  for (guint wrong = 0; wrong < 3; wrong++)
    {
      disk.wrong = wrong;
      g_assert_false (pin (f, "b"));
      g_assert_false (g_file_test (damaged, G_FILE_TEST_EXISTS));
    }
  disk.on = FALSE;
  set_disk (FALSE);
  g_assert_cmpuint (f->warnings->len, ==, 0);
  assert_query (f, "SELECT count(*) FROM pin", "1");
}

static void
test_refused (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  note_well (f, 1000);
  g_assert_cmpint (chmod (f->path, 0666), ==, 0);
  g_assert_false (note (f, 2000, TRUE, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
  g_clear_error (&error);
  g_assert_cmpint (chmod (f->path, 0600), ==, 0);
  assert_query (f, "PRAGMA user_version", "1");
  g_free (query (f, "SELECT time FROM use"));
  sqlite3 *handle = NULL;
  g_assert_cmpint (sqlite3_open (f->path, &handle), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_exec (handle, "PRAGMA user_version = 2", NULL, NULL, NULL), ==, SQLITE_OK);
  sqlite3_close (handle);
  g_assert_false (note (f, 2000, TRUE, &error));
  g_assert_error (error, LM_CACHE_ERROR, LM_CACHE_ERROR_DATABASE);
  g_assert_nonnull (strstr (error->message, "newer lamina"));
  assert_query (f, "SELECT max(time) FROM use", "1000");
}

/* Starts a process that notes @count starts; with a fault it kills itself. */
static pid_t
note_in_process (Fixture *f, guint count, const char *fault)
{
  pid_t pid = fork ();
  if (pid != 0)
    return pid;
  if (fault != NULL)
    g_setenv ("LAMINA_TEST_FAULT", fault, TRUE);
  for (guint i = 0; i < count; i++)
    if (!note (f, 1000 + i, TRUE, NULL))
      _exit (1);
  _exit (0);
}

/* Several processes create the database and write at the same time. */
static void
test_processes (Fixture *f, gconstpointer data)
{
  pid_t pids[4];
  int status;
  for (gsize i = 0; i < G_N_ELEMENTS (pids); i++)
    pids[i] = note_in_process (f, 25, NULL);
  for (gsize i = 0; i < G_N_ELEMENTS (pids); i++)
    {
      g_assert_cmpint (waitpid (pids[i], &status, 0), ==, pids[i]);
      g_assert_cmpint (status, ==, 0);
    }
  assert_query (f, "SELECT count(*) FROM history", "100");
  assert_query (f, "PRAGMA journal_mode", "wal");
  assert_query (f, "PRAGMA integrity_check", "ok");
}

/* Killed in the transaction that creates the tables, then in one that notes a start. */
static void
test_killed (Fixture *f, gconstpointer data)
{
  int status;
  for (guint i = 0; i < 2; i++)
    {
      pid_t pid = note_in_process (f, 1, "database-before-commit=kill");
      g_assert_cmpint (waitpid (pid, &status, 0), ==, pid);
      g_assert_true (WIFSIGNALED (status) && WTERMSIG (status) == SIGKILL);
      note_well (f, 2000 + i);
    }
  assert_query (f, "SELECT count(*) || ' ' || min(time) FROM history", "2 2000");
  g_assert_cmpuint (f->warnings->len, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/database/note", Fixture, NULL, set_up, test_note, tear_down);
  g_test_add ("/database/both", Fixture, NULL, set_up, test_both, tear_down);
  g_test_add ("/database/clock", Fixture, NULL, set_up, test_clock, tear_down);
  g_test_add ("/database/untold", Fixture, NULL, set_up, test_untold, tear_down);
  g_test_add ("/database/limits", Fixture, NULL, set_up, test_limits, tear_down);
  g_test_add ("/database/damaged", Fixture, NULL, set_up, test_damaged, tear_down);
  g_test_add ("/database/replaced", Fixture, NULL, set_up, test_replaced, tear_down);
  g_test_add ("/database/replaced-slowly", Fixture, NULL, set_up, test_replaced_slowly, tear_down);
  g_test_add ("/database/replacement-killed", Fixture, NULL, set_up, test_replacement_killed, tear_down);
  g_test_add ("/database/damaged-table", Fixture, NULL, set_up, test_damaged_table, tear_down);
  g_test_add ("/database/damaged-cell/written", Fixture, GINT_TO_POINTER (FALSE), set_up, test_damaged_cell, tear_down);
  g_test_add ("/database/damaged-cell/read", Fixture, GINT_TO_POINTER (TRUE), set_up, test_damaged_cell, tear_down);
  g_test_add ("/database/unreadable", Fixture, NULL, set_up, test_unreadable, tear_down);
  g_test_add ("/database/full", Fixture, NULL, set_up, test_full, tear_down);
  g_test_add ("/database/refused", Fixture, NULL, set_up, test_refused, tear_down);
  g_test_add ("/database/processes", Fixture, NULL, set_up, test_processes, tear_down);
  g_test_add ("/database/killed", Fixture, NULL, set_up, test_killed, tear_down);
  return g_test_run ();
}

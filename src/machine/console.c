/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "machine/console.h"
#include "base/error.h"
#include "base/fd.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

G_DEFINE_QUARK (lm-console-error-quark, lm_console_error)

#define POLL_MS 50
#define STEP_MS 10
#define ALIVE_US (1 * G_USEC_PER_SEC)
#define READ_SIZE (64 * 1024)
#define LINE_MAX_SHOWN 160
#define ROTATED_MAX 100

/* What a Linux kernel prints when it shuts down, panics or boots. */
static const char *const boot_marks[] = { "reboot: Restarting system", "reboot: Power down", "reboot: System halted",
                                          "Kernel panic - not syncing", "[    0.000000] Linux version " };

typedef struct
{
  int fd;
  guint64 inode;
  guint64 size;
} LogFile;

typedef struct
{
  const char *path;
  const char *text;
  gsize longest;      /* length of the longest of the text and the boot marks, in bytes */
  int fd;             /* the current file, kept open so that its end is not lost if it is rotated out; -1 if none */
  LmConsolePosition position;
  gboolean follows;   /* what was in the log when the wait began has been read */
  gboolean seen;      /* the text appeared after that */
  GString *tail;      /* the end of what was read, which may contain the beginning of the text or a boot mark */
  gsize searched;     /* how many bytes of it have been searched */
  char *buffer;       /* READ_SIZE bytes */
} ConsoleWatch;

static void
console_watch_clear (ConsoleWatch *watch)
{
  if (watch->fd >= 0)
    close (watch->fd);
  g_string_free (watch->tail, TRUE);
  g_free (watch->buffer);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (ConsoleWatch, console_watch_clear)

static void
log_file_free (gpointer data)
{
  LogFile *file = data;
  if (file->fd >= 0)
    close (file->fd);
  g_free (file);
}

/* Returns the end of the last @pattern in the @size bytes at @from; NULL if there is none. */
static const char *
find_last (const char *from, gsize size, const char *pattern)
{
  const char *const end = from + size;
  const char *last = NULL;
  const char *found;
  while ((found = memmem (from, (gsize) (end - from), pattern, strlen (pattern))) != NULL)
    {
      last = found + strlen (pattern);
      from = found + 1;
    }
  return last;
}

/* Appends @data and searches it; keeps what may be the beginning of the text or a boot mark. */
static void
search_text (ConsoleWatch *watch, const char *data, gsize size)
{
  GString *tail = watch->tail;
  g_string_append_len (tail, data, (gssize) size);
  const char *from = tail->str + watch->searched;
  const char *text = find_last (from, tail->len - watch->searched, watch->text);
  const char *mark = NULL;
  for (guint i = 0; i < G_N_ELEMENTS (boot_marks); i++)
    mark = MAX (mark, find_last (from, tail->len - watch->searched, boot_marks[i]));
  if (text != NULL || mark != NULL)
    {
      watch->position.ready = text != NULL && text >= mark;
      watch->searched = (gsize) (MAX (text, mark) - tail->str);
    }
  watch->seen = watch->seen || (text != NULL && watch->follows);
  if (tail->len >= watch->longest)
    watch->searched = MAX (watch->searched, tail->len - (watch->longest - 1));
  gsize keep = MAX (watch->longest, LINE_MAX_SHOWN);
  if (tail->len > keep)
    {
      gsize drop = MIN (tail->len - keep, watch->searched);
      g_string_erase (tail, 0, (gssize) drop);
      watch->searched -= drop;
    }
}

/* Reads the current file to its end. */
static gboolean
read_to_end (ConsoleWatch *watch, GError **error)
{
  gsize n = READ_SIZE;
  if (lseek (watch->fd, (off_t) watch->position.offset, SEEK_SET) < 0)
    return lm_throw_errno (error, "cannot read the console log %s", watch->path);
  while (n == READ_SIZE)
    {
      if (!lm_fd_read_full (watch->fd, watch->buffer, READ_SIZE, &n, error))
        return FALSE;
      watch->position.offset += n;
      search_text (watch, watch->buffer, n);
    }
  return TRUE;
}

/* The log was started again, so the guest is booting. */
static void
restart_log (ConsoleWatch *watch)
{
  watch->position.offset = 0;
  watch->position.ready = FALSE;
  g_string_truncate (watch->tail, 0);
  watch->searched = 0;
}

/* Adds the file @path if it exists (*out_there). A file that is in @files already
 * has been rotated since; its new position counts. */
static gboolean
add_log_file (GPtrArray *files, const char *path, gboolean *out_there, GError **error)
{
  struct stat st;
  lm_autofd int fd = open (path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  *out_there = fd >= 0;
  if (fd < 0 && errno == ENOENT)
    return TRUE;
  if (fd < 0 || fstat (fd, &st) < 0)
    return lm_throw_errno (error, "cannot read the console log %s", path);
  for (guint i = 0; i < files->len; i++)
    if (((LogFile *) g_ptr_array_index (files, i))->inode == st.st_ino)
      g_ptr_array_remove_index (files, i--);
  LogFile *file = g_new0 (LogFile, 1);
  file->fd = lm_fd_steal (&fd);
  file->inode = st.st_ino;
  file->size = (guint64) st.st_size;
  g_ptr_array_insert (files, 0, file);
  return TRUE;
}

/* Returns all files of the log, oldest first. They are opened newest first, so that
 * a file that is rotated in the meantime is found again under its next name instead
 * of being missed. */
static GPtrArray *
list_log_files (const char *path, GError **error)
{
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (log_file_free);
  gboolean there;
  if (!add_log_file (files, path, &there, error))
    return NULL;
  there = TRUE;
  for (guint i = 0; there && i < ROTATED_MAX; i++)
    {
      g_autofree char *rotated = g_strdup_printf ("%s.%u", path, i);
      if (!add_log_file (files, rotated, &there, error))
        return NULL;
    }
  return g_steal_pointer (&files);
}

static gboolean
find_log_file (GPtrArray *files, guint64 inode, guint *out_index)
{
  for (*out_index = 0; *out_index < files->len; ++*out_index)
    if (((LogFile *) g_ptr_array_index (files, *out_index))->inode == inode)
      return TRUE;
  *out_index = 0;
  return FALSE;
}

/* Reads everything new. The log may not exist yet. */
static gboolean
read_new_lines (ConsoleWatch *watch, GError **error)
{
  g_autoptr (GPtrArray) files = list_log_files (watch->path, error);
  guint index;
  if (files == NULL)
    return FALSE;
  if (!find_log_file (files, watch->position.inode, &index))
    {
      if (watch->fd >= 0 && !read_to_end (watch, error))
        return FALSE;
      if (watch->position.inode != 0 && files->len <= 1)
        restart_log (watch);
    }
  for (; index < files->len; index++)
    {
      LogFile *file = g_ptr_array_index (files, index);
      if (file->inode != watch->position.inode)
        watch->position.offset = 0;
      else if (file->size < watch->position.offset)
        restart_log (watch);
      watch->position.inode = file->inode;
      if (watch->fd >= 0)
        close (watch->fd);
      watch->fd = lm_fd_steal (&file->fd);
      if (!read_to_end (watch, error))
        return FALSE;
    }
  return TRUE;
}

/* Returns the last line that is not empty, escaped for printing. */
static char *
get_last_line (const ConsoleWatch *watch)
{
  g_autofree char *text = g_strndup (watch->tail->str, watch->tail->len);
  g_strchomp (text);
  const char *newline = strrchr (text, '\n');
  return g_strescape (newline != NULL ? newline + 1 : text, NULL);
}

static gboolean
throw_wait_failed (const ConsoleWatch *watch, LmConsoleError code, const char *what, GError **error)
{
  g_autofree char *line = get_last_line (watch);
  g_autofree char *text = g_strescape (watch->text, NULL);
  return lm_throw (error, LM_CONSOLE_ERROR, code,
                   "%s before \"%s\" appeared on its console; the last line is \"%s\" (%s)",
                   what, text, line, watch->path);
}

/* Sleeps in short steps, to notice a cancellation; g_cancellable_make_pollfd()
 * would abort if no descriptor is left. */
static void
wait_a_moment (GCancellable *cancellable)
{
  for (guint ms = 0; ms < POLL_MS && !g_cancellable_is_cancelled (cancellable); ms += STEP_MS)
    g_usleep (STEP_MS * 1000);
}

static gsize
get_longest_pattern (const char *text)
{
  gsize longest = strlen (text);
  for (guint i = 0; i < G_N_ELEMENTS (boot_marks); i++)
    longest = MAX (longest, strlen (boot_marks[i]));
  return longest;
}

gboolean
lm_console_wait (const char *path, const char *text, LmConsolePosition *position, guint seconds, LmConsoleAliveFunc alive,
                 gpointer user_data, GCancellable *cancellable, GError **error)
{
  g_auto (ConsoleWatch) watch = {
    .path = path,
    .text = text,
    .longest = get_longest_pattern (text),
    .fd = -1,
    .position = *position,
    .tail = g_string_new (NULL),
    .buffer = g_malloc (READ_SIZE),
  };
  gint64 now = g_get_monotonic_time ();
  gint64 end = now + (gint64) seconds * G_USEC_PER_SEC;
  gint64 next_alive = now;
  gboolean running = TRUE;
  for (;; watch.follows = TRUE)
    {
      /* Called before the log is read, so that everything logged before the domain stopped counts. */
      if (alive != NULL && now >= next_alive)
        {
          running = alive (user_data);
          next_alive = now + ALIVE_US;
        }
      if (!read_new_lines (&watch, error))
        return FALSE;
      if (watch.position.ready || watch.seen)
        {
          *position = watch.position;
          return TRUE;
        }
      if (!running)
        return throw_wait_failed (&watch, LM_CONSOLE_ERROR_GONE, "the domain stopped", error);
      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
      now = g_get_monotonic_time ();
      if (seconds > 0 && now >= end)
        return throw_wait_failed (&watch, LM_CONSOLE_ERROR_TIMED_OUT, "time ran out", error);
      wait_a_moment (cancellable);
      now = g_get_monotonic_time ();
    }
}

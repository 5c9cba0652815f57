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

/* What a Linux kernel writes when it goes, or comes without a goodbye. */
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
  gsize longest;      /* of the text and the marks, bytes */
  int fd;             /* the file that is read; held, so that its end is not lost when it is rotated out; -1: none */
  LmConsolePosition position;
  gboolean follows;   /* past what stood in the log when the wait began */
  gboolean seen;      /* the text came while following */
  GString *tail;      /* the end of what was read: beginnings of the text or a mark, the last line */
  gsize searched;     /* so many bytes of it hold nothing new */
  char *buffer;       /* READ_SIZE bytes */
} Watch;

static void
watch_clear (Watch *watch)
{
  if (watch->fd >= 0)
    close (watch->fd);
  g_string_free (watch->tail, TRUE);
  g_free (watch->buffer);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Watch, watch_clear)

static void
close_file (gpointer data)
{
  LogFile *file = data;
  if (file->fd >= 0)
    close (file->fd);
  g_free (file);
}

/* The end of the last @pattern in @size bytes at @from, NULL if there is none. */
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

/* Searches what was added; keeps what may be a beginning. */
static void
search (Watch *watch, const char *data, gsize size)
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

/* Reads the file at hand to its end. */
static gboolean
read_rest (Watch *watch, GError **error)
{
  gsize n = READ_SIZE;
  if (lseek (watch->fd, (off_t) watch->position.offset, SEEK_SET) < 0)
    return lm_throw_errno (error, "cannot read the console log %s", watch->path);
  while (n == READ_SIZE)
    {
      if (!lm_fd_read_full (watch->fd, watch->buffer, READ_SIZE, &n, error))
        return FALSE;
      watch->position.offset += n;
      search (watch, watch->buffer, n);
    }
  return TRUE;
}

/* The log begins anew: the guest starts. */
static void
begin_anew (Watch *watch)
{
  watch->position.offset = 0;
  watch->position.ready = FALSE;
  g_string_truncate (watch->tail, 0);
  watch->searched = 0;
}

/* Adds the file @path, unless it is not there (*out_there). A file that is in
 * @files already was rotated since: its new place counts. */
static gboolean
add_file (GPtrArray *files, const char *path, gboolean *out_there, GError **error)
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

/* All files of the log, oldest first. Opened newest first: what is rotated
 * meanwhile is met again under its next name, not missed. */
static GPtrArray *
list_files (const char *path, GError **error)
{
  g_autoptr (GPtrArray) files = g_ptr_array_new_with_free_func (close_file);
  gboolean there;
  if (!add_file (files, path, &there, error))
    return NULL;
  there = TRUE;
  for (guint i = 0; there && i < ROTATED_MAX; i++)
    {
      g_autofree char *rotated = g_strdup_printf ("%s.%u", path, i);
      if (!add_file (files, rotated, &there, error))
        return NULL;
    }
  return g_steal_pointer (&files);
}

static gboolean
find_file (GPtrArray *files, guint64 inode, guint *out_index)
{
  for (*out_index = 0; *out_index < files->len; ++*out_index)
    if (((LogFile *) g_ptr_array_index (files, *out_index))->inode == inode)
      return TRUE;
  *out_index = 0;
  return FALSE;
}

/* Reads all that is new. The log may not be there yet. */
static gboolean
read_new (Watch *watch, GError **error)
{
  g_autoptr (GPtrArray) files = list_files (watch->path, error);
  guint index;
  if (files == NULL)
    return FALSE;
  if (!find_file (files, watch->position.inode, &index))
    {
      if (watch->fd >= 0 && !read_rest (watch, error))
        return FALSE;
      if (watch->position.inode != 0 && files->len <= 1)
        begin_anew (watch);
    }
  for (; index < files->len; index++)
    {
      LogFile *file = g_ptr_array_index (files, index);
      if (file->inode != watch->position.inode)
        watch->position.offset = 0;
      else if (file->size < watch->position.offset)
        begin_anew (watch);
      watch->position.inode = file->inode;
      if (watch->fd >= 0)
        close (watch->fd);
      watch->fd = lm_fd_steal (&file->fd);
      if (!read_rest (watch, error))
        return FALSE;
    }
  return TRUE;
}

/* The last line that is not empty, fit to print. */
static char *
last_line (const Watch *watch)
{
  g_autofree char *text = g_strndup (watch->tail->str, watch->tail->len);
  g_strchomp (text);
  const char *newline = strrchr (text, '\n');
  return g_strescape (newline != NULL ? newline + 1 : text, NULL);
}

static gboolean
throw_waiting (const Watch *watch, LmConsoleError code, const char *what, GError **error)
{
  g_autofree char *line = last_line (watch);
  g_autofree char *text = g_strescape (watch->text, NULL);
  return lm_throw (error, LM_CONSOLE_ERROR, code, "%s before \"%s\" came on its console; the last line there: \"%s\" (%s)",
                   what, text, line, watch->path);
}

/* In short steps, to notice a cancellation; g_cancellable_make_pollfd() would abort
 * where no descriptor is left. */
static void
wait_a_moment (GCancellable *cancellable)
{
  for (guint ms = 0; ms < POLL_MS && !g_cancellable_is_cancelled (cancellable); ms += STEP_MS)
    g_usleep (STEP_MS * 1000);
}

static gsize
longest_of (const char *text)
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
  g_auto (Watch) watch = { .path = path, .text = text, .longest = longest_of (text), .fd = -1, .position = *position,
                           .tail = g_string_new (NULL), .buffer = g_malloc (READ_SIZE) };
  gint64 now = g_get_monotonic_time ();
  gint64 end = now + (gint64) seconds * G_USEC_PER_SEC;
  gint64 next_alive = now;
  gboolean running = TRUE;
  for (;; watch.follows = TRUE)
    {
      /* Asked before the log is read, so that what was logged before the end counts. */
      if (alive != NULL && now >= next_alive)
        {
          running = alive (user_data);
          next_alive = now + ALIVE_US;
        }
      if (!read_new (&watch, error))
        return FALSE;
      if (watch.position.ready || watch.seen)
        {
          *position = watch.position;
          return TRUE;
        }
      if (!running)
        return throw_waiting (&watch, LM_CONSOLE_ERROR_GONE, "the domain stopped", error);
      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
      now = g_get_monotonic_time ();
      if (seconds > 0 && now >= end)
        return throw_waiting (&watch, LM_CONSOLE_ERROR_TIMED_OUT, "time ran out", error);
      wait_a_moment (cancellable);
      now = g_get_monotonic_time ();
    }
}

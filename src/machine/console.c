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

#define LOOK_MS 50
#define ALIVE_US (1 * G_USEC_PER_SEC)
#define READ_SIZE (64 * 1024)
#define LINE_MAX_SHOWN 160

typedef struct
{
  const char *path;
  const char *text;
  guint64 offset;
  ino_t inode;    /* 0: not seen yet */
  GString *tail;  /* the end of what was read: a start of the text, the last line */
  char *buffer;   /* READ_SIZE bytes */
} Watch;

static void
watch_clear (Watch *watch)
{
  g_string_free (watch->tail, TRUE);
  g_free (watch->buffer);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Watch, watch_clear)

/* Finds @text in what was added; keeps what may be its beginning. */
static gboolean
take (Watch *watch, const char *data, gsize size)
{
  gsize length = strlen (watch->text);
  gsize keep = MAX (length, LINE_MAX_SHOWN);
  g_string_append_len (watch->tail, data, (gssize) size);
  if (memmem (watch->tail->str, watch->tail->len, watch->text, length) != NULL)
    return TRUE;
  if (watch->tail->len > keep)
    g_string_erase (watch->tail, 0, (gssize) (watch->tail->len - keep));
  return FALSE;
}

static gboolean
read_new (Watch *watch, int fd, gboolean *out_found, GError **error)
{
  gsize n = READ_SIZE;
  gboolean found = FALSE;
  if (lseek (fd, (off_t) watch->offset, SEEK_SET) < 0)
    return lm_throw_errno (error, "cannot read the console log %s", watch->path);
  while (!found && n == READ_SIZE)
    {
      if (!lm_fd_read_full (fd, watch->buffer, READ_SIZE, &n, error))
        return FALSE;
      watch->offset += n;
      found = take (watch, watch->buffer, n);
    }
  *out_found = found;
  return TRUE;
}

/* One look at the log, which may not be there yet. Opened anew each time:
 * virtlogd rotates by renaming. */
static gboolean
look (Watch *watch, gboolean *out_found, GError **error)
{
  struct stat st;
  lm_autofd int fd = open (watch->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0 && errno == ENOENT)
    {
      *out_found = FALSE;
      return TRUE;
    }
  if (fd < 0 || fstat (fd, &st) < 0)
    return lm_throw_errno (error, "cannot read the console log %s", watch->path);
  if ((watch->inode != 0 && watch->inode != st.st_ino) || (guint64) st.st_size < watch->offset)
    watch->offset = 0;
  watch->inode = st.st_ino;
  return read_new (watch, fd, out_found, error);
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

/* Sleeps, or less when cancelled. */
static void
pause_a_little (GCancellable *cancellable)
{
  GPollFD poll_fd;
  if (cancellable != NULL && g_cancellable_make_pollfd (cancellable, &poll_fd))
    {
      g_poll (&poll_fd, 1, LOOK_MS);
      g_cancellable_release_fd (cancellable);
    }
  else
    g_usleep (LOOK_MS * 1000);
}

gboolean
lm_console_wait (const char *path, const char *text, guint seconds, LmConsoleAliveFunc alive,
                 gpointer user_data, GCancellable *cancellable, GError **error)
{
  g_auto (Watch) watch = { path, text, 0, 0, g_string_new (NULL), g_malloc (READ_SIZE) };
  gint64 now = g_get_monotonic_time ();
  gint64 end = now + (gint64) seconds * G_USEC_PER_SEC;
  gint64 next_alive = now;
  gboolean found = FALSE;
  gboolean running = TRUE;
  for (;;)
    {
      /* Asked before the look, so that what was logged before the end counts. */
      if (alive != NULL && now >= next_alive)
        {
          running = alive (user_data);
          next_alive = now + ALIVE_US;
        }
      if (!look (&watch, &found, error))
        return FALSE;
      if (found)
        return TRUE;
      if (!running)
        return throw_waiting (&watch, LM_CONSOLE_ERROR_GONE, "the domain stopped", error);
      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return FALSE;
      now = g_get_monotonic_time ();
      if (seconds > 0 && now >= end)
        return throw_waiting (&watch, LM_CONSOLE_ERROR_TIMED_OUT, "time ran out", error);
      pause_a_little (cancellable);
      now = g_get_monotonic_time ();
    }
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The store for file:// URLs. Files are not read by curl, which transfers a whole
 * file:// file in one call and cannot be paused. */
#include "config.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/url.h"
#include "store/store.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#define STEP_SIZE (256 * 1024)

typedef struct
{
  LmStoreTransfer base;
  int fd;
  char *path;
  guint64 position;
  guint64 size;
  gboolean begun;
  gsize held; /* bytes in the buffer that the handler has not accepted yet */
  guint8 buffer[STEP_SIZE];
} FileTransfer;

static const char *const schemes[] = { "file", NULL };

static GError *
errno_error (const char *path)
{
  LmHttpError code = errno == ENOENT || errno == ENOTDIR  ? LM_HTTP_ERROR_NOT_FOUND
                     : errno == EACCES || errno == EPERM ? LM_HTTP_ERROR_FORBIDDEN
                     : errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == EIO
                         ? LM_HTTP_ERROR_LOCAL
                         : LM_HTTP_ERROR_FAILED;
  return lm_http_error_new (code, 0, "%s: %s", path, lm_error_text_of_errno (errno));
}

static char *
path_from_url (const char *url, GError **error)
{
  g_autofree char *host = NULL;
  g_autofree char *path = g_filename_from_uri (url, &host, NULL);
  if (path != NULL && (host == NULL || g_ascii_strcasecmp (host, "localhost") == 0))
    return g_steal_pointer (&path);
  g_autofree char *shown = lm_url_redact (url);
  g_propagate_error (error, lm_http_error_new (LM_HTTP_ERROR_BAD_URL, 0, "%.200s: not the URL of a local file", shown));
  return NULL;
}

static GError *
size_error (FileTransfer *self, guint64 found)
{
  return lm_http_error_new (found > self->size ? LM_HTTP_ERROR_TOO_BIG : LM_HTTP_ERROR_TOO_SMALL, 0,
                            "%s has %" G_GUINT64_FORMAT " bytes, but %" G_GUINT64_FORMAT " were expected", self->path, found, self->size);
}

static void
file_close (LmStoreTransfer *transfer)
{
  FileTransfer *self = (FileTransfer *) transfer;
  lm_fd_clear (&self->fd);
  g_free (self->path);
  g_free (self);
}

/* Non-blocking, so that a FIFO of that name does not block. */
static GError *
open_file (FileTransfer *self)
{
  struct stat st;
  self->fd = open (self->path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  if (self->fd < 0 || fstat (self->fd, &st) < 0)
    return errno_error (self->path);
  if (!S_ISREG (st.st_mode))
    return lm_http_error_new (LM_HTTP_ERROR_FAILED, 0, "%s is not a regular file", self->path);
  if ((guint64) st.st_size != self->size)
    return size_error (self, (guint64) st.st_size);
  return NULL;
}

static LmStoreTransfer *
file_start (LmStore *store, const LmStoreRequest *request, GError **error)
{
  g_autofree char *path = path_from_url (request->url, error);
  if (path == NULL)
    return NULL;
  FileTransfer *self = g_new0 (FileTransfer, 1);
  self->fd = -1;
  self->path = g_steal_pointer (&path);
  self->position = request->offset;
  self->size = request->size;
  GError *failure = open_file (self);
  if (failure == NULL)
    return &self->base;
  g_propagate_error (error, failure);
  file_close (&self->base);
  return NULL;
}

/* Reads the next bytes into the buffer; FALSE at the end and on failure. */
static gboolean
fill_buffer (FileTransfer *self, GError **error)
{
  gsize want = (gsize) MIN (self->size - self->position, STEP_SIZE);
  ssize_t n = want == 0 ? 0 : pread (self->fd, self->buffer, want, (off_t) self->position);
  if (n > 0)
    {
      self->held = (gsize) n;
      return TRUE;
    }
  if (n < 0)
    g_propagate_error (error, errno_error (self->path));
  else if (want > 0)
    g_propagate_error (error, size_error (self, self->position));
  return FALSE;
}

static gboolean
file_step (LmStoreTransfer *transfer)
{
  FileTransfer *self = (FileTransfer *) transfer;
  const LmStoreHandler *handler = transfer->handler;
  g_autoptr (GError) failure = NULL;
  gboolean alive = TRUE;
  if (!self->begun)
    {
      LmStoreReply reply = { .offset = self->position };
      self->begun = TRUE;
      alive = handler->begin (transfer->user_data, &reply, &failure);
    }
  if (alive && self->held == 0)
    alive = fill_buffer (self, &failure);
  if (alive)
    {
      if (!handler->data (transfer->user_data, self->buffer, self->held))
        {
          transfer->paused = TRUE;
          return TRUE;
        }
      self->position += self->held;
      self->held = 0;
      return TRUE;
    }
  gpointer user_data = transfer->user_data;
  file_close (transfer);
  handler->done (user_data, failure);
  return FALSE;
}

static LmHttpError
classify_read_error (const GError *error)
{
  switch (error->code)
    {
    case G_IO_ERROR_NOT_FOUND:
    case G_IO_ERROR_NOT_DIRECTORY:
      return LM_HTTP_ERROR_NOT_FOUND;
    case G_IO_ERROR_PERMISSION_DENIED:
      return LM_HTTP_ERROR_FORBIDDEN;
    case G_IO_ERROR_MESSAGE_TOO_LARGE:
      return LM_HTTP_ERROR_TOO_BIG;
    case G_IO_ERROR_TOO_MANY_OPEN_FILES:
      return LM_HTTP_ERROR_LOCAL;
    default:
      return LM_HTTP_ERROR_FAILED;
    }
}

/* A pipe can be read only once, but what is read here may be needed again later, so it must be a file. */
static LmStoreObject *
file_read (const LmStoreRead *request, guint seconds, GCancellable *cancellable, GError **error)
{
  g_autofree char *path = path_from_url (request->url, error);
  if (path == NULL || g_cancellable_set_error_if_cancelled (cancellable, error))
    return NULL;
  g_autoptr (GError) failure = NULL;
  GBytes *body = lm_file_read (path, request->max_size, NULL, &failure);
  if (body == NULL)
    {
      g_propagate_error (error, lm_http_error_new (classify_read_error (failure), 0, "%s", failure->message));
      return NULL;
    }
  LmStoreObject *object = g_new0 (LmStoreObject, 1);
  object->body = body;
  object->url = g_strdup (request->url);
  return object;
}

const LmStoreClass lm_store_file_class = {
  .schemes = schemes,
  .start = file_start,
  .step = file_step,
  .close = file_close,
  .read = file_read,
};

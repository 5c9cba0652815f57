/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Remote sources of content-addressed files behind one small interface. A
 * source moves the bytes of one URL, from an offset, to a handler; it knows
 * neither digests nor retries. Errors: LM_HTTP_ERROR for all of them, with the
 * meanings of io/http.h, so that io/retry can decide. */
#include "io/http.h"
#include "io/retry.h"

typedef struct _LmStore LmStore;
typedef struct _LmStoreTransfer LmStoreTransfer;

typedef struct
{
  const char *url;
  guint64 size;          /* of the whole file, exact, bytes */
  guint64 offset;        /* first byte wanted, < size */
} LmStoreRequest;

typedef struct
{
  guint64 offset;       /* where the bytes that follow start: where asked for, or before */
  const char *encoding; /* a compression that the server says it applied, unasked; NULL: none */
} LmStoreReply;

/* All are called by lm_store_iterate(), in its thread, and must not close
 * their own transfer. */
typedef struct
{
  /* Before the first byte. FALSE ends the transfer with that error. */
  gboolean (*begin) (gpointer user_data, const LmStoreReply *reply, GError **error);
  /* FALSE: no room; the same bytes come again after lm_store_transfer_resume(). */
  gboolean (*data) (gpointer user_data, const void *data, gsize size);
  /* Last call; @error NULL is success. The transfer is freed after it. */
  void (*done) (gpointer user_data, const GError *error);
} LmStoreHandler;

/* A small object to read whole, such as a catalog. */
typedef struct
{
  const char *url;
  const char *validator; /* of a copy at hand; NULL: none */
  gsize max_size;        /* bytes */
  guint seconds;         /* bound on all tries together, > 0 */
  LmRetryPolicy retry;   /* all zero: as for layers */
} LmStoreRead;

typedef struct
{
  GBytes *body;    /* NULL: what the validator stands for is still right */
  char *validator; /* for the next time; NULL: none */
  char *url;       /* where it came from, after redirects */
} LmStoreObject;

void lm_store_object_free (LmStoreObject *object);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmStoreObject, lm_store_object_free)

/* What a kind of source implements; each has one constant of it. Its transfers
 * start with an LmStoreTransfer. */
typedef struct
{
  const char *const *schemes; /* NULL-terminated */
  LmStoreTransfer *(*start) (LmStore *store, const LmStoreRequest *request, GError **error);
  /* Attached by lm_store_start() after start(). Moves some bytes; FALSE when
   * the transfer has ended and was freed. NULL: the HTTP engine drives it. */
  gboolean (*step) (LmStoreTransfer *transfer);
  void (*resume) (LmStoreTransfer *transfer);
  void (*close) (LmStoreTransfer *transfer);
  /* One try of lm_store_read() within @seconds; blocks. */
  LmStoreObject *(*read) (const LmStoreRead *request, guint seconds, GCancellable *cancellable, GError **error);
} LmStoreClass;

struct _LmStoreTransfer
{
  const LmStoreClass *class;
  const LmStoreHandler *handler;
  gpointer user_data;
  LmStore *store;
  gboolean paused; /* its handler has no room */
};

extern const LmStoreClass lm_store_http_class;
extern const LmStoreClass lm_store_file_class;

/** lm_store_new: all sources, over one HTTP engine. @options may be NULL. */
LmStore *lm_store_new (const LmHttpOptions *options);
/** lm_store_free: all transfers have ended or been closed before. */
void lm_store_free (LmStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmStore, lm_store_free)

/** lm_store_get_http: the engine, for classes. */
LmHttp *lm_store_get_http (LmStore *store);

/** lm_store_start: starts to move @request; owned by @store. Does not block.
 * Errors: LM_HTTP_ERROR (BAD_URL: no source speaks its scheme). */
LmStoreTransfer *lm_store_start (LmStore *store, const LmStoreRequest *request, const LmStoreHandler *handler,
                                 gpointer user_data, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_store_transfer_resume: offers the refused bytes again. */
void lm_store_transfer_resume (LmStoreTransfer *transfer);

/** lm_store_transfer_close: ends and frees it; the handler is not called. */
void lm_store_transfer_close (LmStoreTransfer *transfer);

/** lm_store_iterate: moves bytes; waits at most @timeout_ms for some. */
void lm_store_iterate (LmStore *store, guint timeout_ms);

/** lm_store_wakeup: makes a waiting lm_store_iterate() return; any thread. */
void lm_store_wakeup (LmStore *store);

/** lm_store_class_of: the class in the table of schemes that @url is for; static.
 * Errors: LM_HTTP_ERROR_BAD_URL. */
const LmStoreClass *lm_store_class_of (const char *url, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_store_knows: whether @url begins with a scheme of the table and "://". */
gboolean lm_store_knows (const char *url);

/** lm_store_list_schemes: the schemes of the table for messages, newly allocated. */
char *lm_store_list_schemes (void);

/** lm_store_read: reads a small object whole, trying again as for layers.
 * Regular files only. Blocks until done, failed, out of time
 * (LM_HTTP_ERROR_STALLED) or cancelled (G_IO_ERROR_CANCELLED). Other errors:
 * LM_HTTP_ERROR. */
LmStoreObject *lm_store_read (const LmStoreRead *request, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Places that files come from, such as HTTP servers, behind one small interface. A
 * store transfers the bytes of one URL, from an offset on, to a handler; it knows
 * neither digests nor retries. All errors are LM_HTTP_ERROR, with the meanings of
 * io/http.h, so that io/retry can decide what to do. */
#include "io/http.h"
#include "io/retry.h"

typedef struct _LmStore LmStore;
typedef struct _LmStoreTransfer LmStoreTransfer;

typedef struct
{
  const char *url;
  guint64 size;          /* exact size of the whole file in bytes */
  guint64 offset;        /* first byte to transfer, < size */
} LmStoreRequest;

typedef struct
{
  guint64 offset;       /* where in the file the bytes start: at the requested offset or before it */
  const char *encoding; /* Content-Encoding, which was not requested; NULL if none */
} LmStoreReply;

/* Callbacks of a transfer. lm_store_iterate() calls them, in its own thread. They
 * must not close their own transfer. */
typedef struct
{
  /* Called before the first byte. FALSE, with @error set, ends the transfer with that error. */
  gboolean (*begin) (gpointer user_data, const LmStoreReply *reply, GError **error);
  /* Called with the next bytes. FALSE means that there is no room now; the same
   * bytes are passed again after lm_store_transfer_resume(). */
  gboolean (*data) (gpointer user_data, const void *data, gsize size);
  /* The last call; @error is NULL on success. The transfer is freed afterwards. */
  void (*done) (gpointer user_data, const GError *error);
} LmStoreHandler;

/* A request for a small object, such as a catalog, which is read as a whole. */
typedef struct
{
  const char *url;
  const char *validator; /* of the copy that the caller has; NULL if none */
  gsize max_size;        /* in bytes */
  guint seconds;         /* time limit for all attempts together, > 0 */
  LmRetryPolicy retry;   /* all zero for the same as for layers */
} LmStoreRead;

typedef struct
{
  GBytes *body;    /* NULL if the copy that the validator stands for is still current */
  char *validator; /* for the next request; NULL if none */
  char *url;       /* the URL after redirects */
} LmStoreObject;

/** lm_store_object_free: frees @object; NULL is ignored. */
void lm_store_object_free (LmStoreObject *object);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmStoreObject, lm_store_object_free)

/* What a kind of store implements; each kind defines one constant of this type. The
 * struct of its transfers begins with an LmStoreTransfer. */
typedef struct
{
  const char *const *schemes; /* NULL-terminated */
  LmStoreTransfer *(*start) (LmStore *store, const LmStoreRequest *request, GError **error);
  /* The members of LmStoreTransfer are set by lm_store_start(), after start().
   * Transfers some bytes; FALSE if the transfer has ended and was freed. NULL if
   * the HTTP engine does the work. */
  gboolean (*step) (LmStoreTransfer *transfer);
  void (*resume) (LmStoreTransfer *transfer);
  void (*close) (LmStoreTransfer *transfer);
  /* A single attempt of lm_store_read(), at most @seconds long; blocks. */
  LmStoreObject *(*read) (const LmStoreRead *request, guint seconds, GCancellable *cancellable, GError **error);
} LmStoreClass;

struct _LmStoreTransfer
{
  const LmStoreClass *class;
  const LmStoreHandler *handler;
  gpointer user_data;
  LmStore *store;
  gboolean paused; /* the handler has no room */
};

extern const LmStoreClass lm_store_http_class;
extern const LmStoreClass lm_store_file_class;

/** lm_store_new: returns all stores, which share one HTTP engine; never NULL. @options may be NULL. */
LmStore *lm_store_new (const LmHttpOptions *options);
/** lm_store_free: frees @store; NULL is ignored. All transfers must have ended or been closed. */
void lm_store_free (LmStore *store);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmStore, lm_store_free)

/** lm_store_get_http: returns the HTTP engine; for implementations of LmStoreClass. Owned by @store. */
LmHttp *lm_store_get_http (LmStore *store);

/** lm_store_start: starts a transfer, which @store owns. Does not block. Errors:
 * LM_HTTP_ERROR (BAD_URL if no store supports the scheme). */
LmStoreTransfer *lm_store_start (LmStore *store, const LmStoreRequest *request, const LmStoreHandler *handler,
                                 gpointer user_data, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_store_transfer_resume: passes the bytes that the handler refused to it again. */
void lm_store_transfer_resume (LmStoreTransfer *transfer);

/** lm_store_transfer_close: ends and frees @transfer; its handler is not called. */
void lm_store_transfer_close (LmStoreTransfer *transfer);

/** lm_store_iterate: transfers data and calls handlers; waits at most @timeout_ms for something to do. */
void lm_store_iterate (LmStore *store, guint timeout_ms);

/** lm_store_wakeup: makes a waiting lm_store_iterate() return. May be called from any thread. */
void lm_store_wakeup (LmStore *store);

/** lm_store_class_of: returns the entry for @url in the table of schemes; static.
 * Errors: LM_HTTP_ERROR_BAD_URL. */
const LmStoreClass *lm_store_class_of (const char *url, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_store_knows: whether @url begins with a scheme in the table, followed by "://". */
gboolean lm_store_knows (const char *url);

/** lm_store_list_schemes: returns the schemes in the table for messages; newly allocated. */
char *lm_store_list_schemes (void);

/** lm_store_read: reads a small object as a whole and retries as for layers. A
 * local object must be a regular file. Blocks until it is done, has failed, has run
 * out of time (LM_HTTP_ERROR_STALLED) or was cancelled (G_IO_ERROR_CANCELLED).
 * Other errors: LM_HTTP_ERROR. */
LmStoreObject *lm_store_read (const LmStoreRead *request, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Advisory locks on files. A lock is held by an open file description
 * (flock(2)), so the kernel lets go of it when the process dies: liveness is
 * told by the lock, never by a pid. Two locks on one file in one process
 * exclude each other as two processes would.
 *
 * After the lock is had, the file is checked to be still the one of that name
 * (a holder may remove its lock file), else it is opened again.
 *
 * flock() asks for no more than a descriptor, however it was opened: who can read
 * a lock file can hold up everybody by it. So lock files are their owner's alone. */
#include <gio/gio.h>

typedef struct _LmLock LmLock;

typedef enum
{
  LM_LOCK_SHARED,
  LM_LOCK_EXCLUSIVE,
} LmLockMode;

typedef enum
{
  LM_LOCK_ERROR_BUSY,      /* held by another, and no wait was asked for */
  LM_LOCK_ERROR_TIMED_OUT, /* still held when the time was over */
} LmLockError;

#define LM_LOCK_ERROR lm_lock_error_quark ()
GQuark lm_lock_error_quark (void);

/* Called about ten times a second while a lock is waited for. */
typedef void (*LmLockWaitFunc) (gpointer user_data);

/** lm_lock_acquire: locks the file @path, made with mode 0600 if
 * missing, and put right if it is the caller's and others can open it.
 * @timeout_ms: 0 tries once (LM_LOCK_ERROR_BUSY), negative waits for ever,
 * else LM_LOCK_ERROR_TIMED_OUT. @waiting may be NULL. Blocks; @cancellable
 * ends the wait within some 20 ms, and who is cancelled never gets the lock
 * (G_IO_ERROR_CANCELLED). Other errors: G_IO_ERROR. */
LmLock *lm_lock_acquire (const char *path, LmLockMode mode, gint timeout_ms, LmLockWaitFunc waiting, gpointer user_data,
                         GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_lock_remove_file: removes the lock's file while holding it, so that no
 * lock files pile up; exclusive locks only. Those who wait open a new one. */
void lm_lock_remove_file (LmLock *lock);

/* A table: a file of which each byte is a lock of its own, so that there are as
 * many locks as are needed, none of them leaves a file behind, and one descriptor
 * holds any number. The file is empty and stays. */

/** lm_lock_table_open: opens the table @path, made as above; nothing is locked
 * yet. What is locked through it is released with it, by lm_lock_release().
 * Errors: G_IO_ERROR. */
LmLock *lm_lock_table_open (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_lock_table_lock: locks @number, of which 62 bits count; again, it changes
 * the mode. @timeout_ms, blocking and errors as lm_lock_acquire(). */
gboolean lm_lock_table_lock (LmLock *table, guint64 number, LmLockMode mode, gint timeout_ms, GCancellable *cancellable,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_lock_release: lets go and frees; NULL is ignored. */
void lm_lock_release (LmLock *lock);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmLock, lm_lock_release)

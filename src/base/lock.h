/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Advisory file locks. A lock belongs to an open file description (flock(2)), so
 * the kernel releases it when the process dies: whether somebody is alive is told
 * by the lock, never by a pid. Two locks on one file exclude each other within one
 * process just as between two.
 *
 * After a lock is acquired, the file is checked to be still the one that has the
 * name, because a holder may remove its lock file; otherwise it is opened again.
 *
 * flock() works on any open descriptor, so anybody who can read a lock file can
 * block everybody else. Lock files are therefore accessible to their owner only. */
#include <gio/gio.h>

typedef struct _LmLock LmLock;

typedef enum
{
  LM_LOCK_SHARED,
  LM_LOCK_EXCLUSIVE,
} LmLockMode;

typedef enum
{
  LM_LOCK_ERROR_BUSY,      /* somebody else holds it, and the timeout was 0 */
  LM_LOCK_ERROR_TIMED_OUT, /* somebody else still held it after the timeout */
} LmLockError;

#define LM_LOCK_ERROR lm_lock_error_quark ()
GQuark lm_lock_error_quark (void);

/* Called several times a second while waiting for a lock. */
typedef void (*LmLockWaitFunc) (gpointer user_data);

/** lm_lock_acquire: locks the file @path, which is created with mode 0600 if
 * missing; if the caller owns it and others can access it, its mode is corrected.
 * @timeout_ms: 0 tries once (LM_LOCK_ERROR_BUSY), a negative value waits without
 * limit, otherwise LM_LOCK_ERROR_TIMED_OUT. @waiting may be NULL. Blocks;
 * cancelling @cancellable ends the wait within about 20 ms, and a cancelled caller
 * never gets the lock (G_IO_ERROR_CANCELLED). Other errors: G_IO_ERROR. */
LmLock *lm_lock_acquire (const char *path, LmLockMode mode, gint timeout_ms, LmLockWaitFunc waiting, gpointer user_data,
                         GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_lock_remove_file: removes the lock's file while it is locked, so that lock
 * files do not accumulate. For exclusive locks only. Waiting processes create a new
 * file. */
void lm_lock_remove_file (LmLock *lock);

/* A lock table: a file in which each byte is a separate lock. It provides any
 * number of locks that leave no files behind, and one descriptor can hold many of
 * them. The file is empty and is never removed. */

/** lm_lock_table_open: opens the table @path, created like the file of a lock;
 * nothing is locked yet. lm_lock_release() closes it and releases all its locks. On a
 * read-only file system, shared locks are possible, and to see those of others.
 * Errors: G_IO_ERROR. */
LmLock *lm_lock_table_open (const char *path, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_lock_table_lock: locks @number (the low 62 bits count). If it is already
 * locked through @table, changes the mode. @timeout_ms, blocking and errors as for
 * lm_lock_acquire(). */
gboolean lm_lock_table_lock (LmLock *table, guint64 number, LmLockMode mode, gint timeout_ms, GCancellable *cancellable,
                             GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_lock_table_unlock: releases the lock on @number that is held through @table. */
void lm_lock_table_unlock (LmLock *table, guint64 number);

/** lm_lock_table_is_locked: returns whether @number is locked, in any mode, by
 * somebody else than @table. FALSE also if that cannot be determined. */
gboolean lm_lock_table_is_locked (LmLock *table, guint64 number);

/** lm_lock_table_is_in_use: returns whether anything in @table is locked, in any mode, by
 * somebody else than @table. TRUE also if that cannot be determined. */
gboolean lm_lock_table_is_in_use (LmLock *table);

/** lm_lock_release: releases the lock or all locks of a table, and frees @lock;
 * NULL is ignored. */
void lm_lock_release (LmLock *lock);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmLock, lm_lock_release)

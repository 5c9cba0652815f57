/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The lock of a machine's name, which allows only one run at a time to create,
 * start or remove it, or to read its disk, which may take minutes. It is the only lock that is held while pulling,
 * and only the layers of that machine. */
#include "base/lock.h"
#include "ops/host.h"

/** lm_name_lock_acquire: takes the lock of @name. Waits for another run, which it
 * reports to @host, but for no longer than ten minutes. Errors:
 * LM_LOCK_ERROR_TIMED_OUT, G_IO_ERROR. */
LmLock *lm_name_lock_acquire (const LmHost *host, const char *name, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_name_lock_release: releases @lock and removes its file, unless a machine has the name. */
void lm_name_lock_release (const LmHost *host, const char *name, LmLock *lock);

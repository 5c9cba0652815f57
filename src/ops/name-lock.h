/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The lock of a machine's name: one run at a time makes, starts or removes it. It
 * is held over the pull of that machine's own layers; nothing else is. */
#include "base/lock.h"
#include "ops/host.h"

/** lm_name_lock_acquire: takes the lock of @name. Waits for another run, which it
 * tells @host of, but not for more than ten minutes. Errors: LM_LOCK_ERROR_TIMED_OUT,
 * G_IO_ERROR. */
LmLock *lm_name_lock_acquire (const LmHost *host, const char *name, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_name_lock_release: releases @lock; its file goes too, unless a machine has the name. */
void lm_name_lock_release (const LmHost *host, const char *name, LmLock *lock);

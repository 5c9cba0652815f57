/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/name-lock.h"
#include "base/error.h"
#include "machine/machine.h"

#define WAIT_SECONDS 600

LmLock *
lm_name_lock_acquire (const LmHost *host, const char *name, GCancellable *cancellable, GError **error)
{
  if (g_cancellable_set_error_if_cancelled (cancellable, error))
    return NULL;
  g_autoptr (GError) failure = NULL;
  LmLock *lock = lm_machine_lock (host->state_dir, name, 0, cancellable, &failure);
  if (g_error_matches (failure, LM_LOCK_ERROR, LM_LOCK_ERROR_BUSY))
    {
      g_clear_error (&failure);
      g_autofree char *text = g_strdup_printf ("waiting for another lamina process that is working on %s", name);
      host->status (host->user_data, text);
      lock = lm_machine_lock (host->state_dir, name, WAIT_SECONDS * 1000, cancellable, &failure);
    }
  if (g_error_matches (failure, LM_LOCK_ERROR, LM_LOCK_ERROR_TIMED_OUT))
    return lm_throw_null (error, LM_LOCK_ERROR, LM_LOCK_ERROR_TIMED_OUT,
                          "another lamina process has been working on %s for %d minutes, perhaps pulling its layers; "
                          "try again later", name, WAIT_SECONDS / 60);
  if (failure != NULL)
    g_propagate_error (error, g_steal_pointer (&failure));
  return lock;
}

void
lm_name_lock_release (const LmHost *host, const char *name, LmLock *lock)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (LmMachine) machine = lm_machine_find (host->state_dir, name, NULL, &failure);
  if (machine == NULL && g_error_matches (failure, LM_MACHINE_ERROR, LM_MACHINE_ERROR_NOT_FOUND))
    lm_lock_remove_file (lock);
  lm_lock_release (lock);
}

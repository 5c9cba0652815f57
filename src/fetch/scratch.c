/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "fetch/scratch.h"
#include "base/error.h"
#include "fetch/check.h"

#define POLL_US (200 * 1000)

LmDigest
lm_scratch_name (const char *what)
{
  return lm_digest_of_text (what);
}

/* Calls @on_wait, which may be NULL, if it has to wait. */
static LmPartial *
open_when_free (LmCache *cache, const LmDigest *digest, LmScratchWaitFunc on_wait, gpointer user_data, gboolean *out_waited,
                GCancellable *cancellable, GError **error)
{
  for (;; on_wait = NULL)
    {
      g_autoptr (GError) failure = NULL;
      LmPartial *partial = lm_partial_open (cache, digest, &failure);
      if (partial != NULL)
        return partial;
      if (!g_error_matches (failure, LM_CACHE_ERROR, LM_CACHE_ERROR_BUSY))
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return NULL;
        }
      if (on_wait != NULL)
        on_wait (user_data);
      *out_waited = TRUE;
      g_usleep (POLL_US);
      if (g_cancellable_set_error_if_cancelled (cancellable, error))
        return NULL;
    }
}

LmPartial *
lm_scratch_open (LmCache *cache, const char *what, LmScratchWaitFunc on_wait, gpointer user_data, gboolean *out_waited,
                 GCancellable *cancellable, GError **error)
{
  const LmDigest name = lm_scratch_name (what);
  return open_when_free (cache, &name, on_wait, user_data, out_waited, cancellable, error);
}

static gboolean
check_and_publish (LmPartial *partial, const LmBlob *blob, GCancellable *cancellable, GError **error)
{
  guint64 virtual_size;
  return lm_fetch_check (blob, lm_partial_get_path (partial), &blob->digest, "", &virtual_size, cancellable, error)
         && lm_partial_sync (partial, error) && lm_partial_publish (partial, blob->kind, cancellable, error);
}

gboolean
lm_scratch_publish (LmCache *cache, LmPartial *partial, const LmBlob *blob, gboolean *out_waited, GCancellable *cancellable,
                    GError **error)
{
  g_autoptr (LmPartial) own = partial;
  g_autoptr (GError) failure = NULL;
  if (!lm_partial_rename (own, &blob->digest, &failure))
    {
      if (!g_error_matches (failure, LM_CACHE_ERROR, LM_CACHE_ERROR_BUSY))
        return lm_fetch_error_translate (g_steal_pointer (&failure), error);
      /* A process that writes the same file needs none of this one, and what comes after it finds that one. */
      g_clear_error (&failure);
      lm_partial_discard (g_steal_pointer (&own));
      lm_partial_close (open_when_free (cache, &blob->digest, NULL, NULL, out_waited, cancellable, &failure));
      return failure == NULL || lm_fetch_error_translate (g_steal_pointer (&failure), error);
    }
  if (check_and_publish (own, blob, cancellable, &failure))
    return TRUE;
  /* Nobody could go on with it: whoever makes the layer again gets a file with another digest. */
  lm_partial_discard (g_steal_pointer (&own));
  return lm_fetch_error_translate (g_steal_pointer (&failure), error);
}

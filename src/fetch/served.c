/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "fetch/served.h"
#include "base/trace.h"

struct _LmServed
{
  LmLock *locks;      /* NULL if they cannot be used */
  GHashTable *counts; /* char * -> guint, the number of transfers; none for 0 */
};

LmServed *
lm_served_new (LmCache *cache)
{
  g_autoptr (GError) failure = NULL;
  LmServed *served = g_new0 (LmServed, 1);
  served->counts = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  served->locks = lm_cache_open_part_locks (cache, &failure);
  if (served->locks == NULL)
    lm_trace (LM_TRACE_CACHE, "cannot tell other processes which servers are used: %s", failure->message);
  return served;
}

void
lm_served_free (LmServed *served)
{
  if (served == NULL)
    return;
  lm_lock_release (served->locks);
  g_hash_table_unref (served->counts);
  g_free (served);
}

/* The table is also used for the digests of files, so the number is that of a text
 * that is not the contents of a file. */
static guint64
get_lock_number (const char *name)
{
  g_autofree char *text = g_strconcat ("server ", name, NULL);
  LmDigest digest = lm_digest_of_text (text);
  return lm_digest_get_number (&digest);
}

void
lm_served_begin (LmServed *served, const char *name)
{
  guint count = GPOINTER_TO_UINT (g_hash_table_lookup (served->counts, name));
  g_hash_table_insert (served->counts, g_strdup (name), GUINT_TO_POINTER (count + 1));
  if (count == 0 && served->locks != NULL)
    (void) !lm_lock_table_lock (served->locks, get_lock_number (name), LM_LOCK_SHARED, 0, NULL, NULL);
}

void
lm_served_end (LmServed *served, const char *name)
{
  guint count = GPOINTER_TO_UINT (g_hash_table_lookup (served->counts, name));
  g_return_if_fail (count > 0);
  if (count > 1)
    {
      g_hash_table_insert (served->counts, g_strdup (name), GUINT_TO_POINTER (count - 1));
      return;
    }
  g_hash_table_remove (served->counts, name);
  if (served->locks != NULL)
    lm_lock_table_unlock (served->locks, get_lock_number (name));
}

gboolean
lm_served_has_other (LmServed *served, const char *name)
{
  return served->locks != NULL && lm_lock_table_is_locked (served->locks, get_lock_number (name));
}

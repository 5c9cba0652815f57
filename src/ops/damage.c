/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/damage.h"
#include "cache/quarantine.h"

gboolean
lm_damage_set_aside (const LmHost *host, LmCache *cache, const LmBlob *blob, char **out_path, GCancellable *cancellable,
                     GError **error)
{
  g_autoptr (GPtrArray) deleted = g_ptr_array_new_with_free_func (g_free);
  if (!lm_quarantine_move (cache, blob, out_path, deleted, cancellable, error))
    return FALSE;
  for (guint i = 0; i < deleted->len; i++)
    {
      g_autofree char *text = g_strdup_printf ("%s, an older damaged file, was deleted, because only the last ones are kept",
                                               (const char *) g_ptr_array_index (deleted, i));
      host->warning (host->user_data, text);
    }
  return TRUE;
}

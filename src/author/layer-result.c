/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "author/layer-result.h"

LmLayerResult *
lm_layer_result_new (LmLayerAction action, const char *name, const char *version, const char *group, const LmBuild *build)
{
  LmLayerResult *result = g_new0 (LmLayerResult, 1);
  result->action = action;
  result->name = g_strdup (name);
  result->version = g_strdup (version);
  result->group = g_strdup (group);
  lm_blob_copy (&result->blob, &build->blob);
  result->chain = g_new0 (char *, 1);
  result->packages = g_strdupv (build->packages);
  result->removed = g_strdupv (build->removed);
  return result;
}

void
lm_layer_result_free (LmLayerResult *result)
{
  if (result == NULL)
    return;
  g_free (result->name);
  g_free (result->version);
  g_free (result->group);
  lm_blob_clear (&result->blob);
  g_strfreev (result->chain);
  g_strfreev (result->packages);
  g_strfreev (result->removed);
  g_free (result->lock_path);
  g_free (result);
}

void
lm_layer_result_add_below (LmLayerResult *result, const char *name, const char *version)
{
  const guint n = g_strv_length (result->chain);
  result->chain = g_renew (char *, result->chain, n + 2);
  result->chain[n] = g_strdup_printf ("%s@%s", name, version);
  result->chain[n + 1] = NULL;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "fetch/error.h"
#include "base/lock.h"
#include "cache/cache.h"
#include "image/error.h"
#include "io/http.h"
#include "io/run.h"

G_DEFINE_QUARK (lm-fetch-error-quark, lm_fetch_error)

gboolean
lm_fetch_error_translate (GError *error, GError **out)
{
  LmFetchError code = LM_FETCH_ERROR_FAILED;
  if (error->domain == LM_FETCH_ERROR || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_propagate_error (out, error);
      return FALSE;
    }
  if (g_error_matches (error, LM_CACHE_ERROR, LM_CACHE_ERROR_NO_SPACE) || g_error_matches (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE)
      || g_error_matches (error, LM_RUN_ERROR, LM_RUN_ERROR_NO_SPACE))
    code = LM_FETCH_ERROR_NO_SPACE;
  else if (error->domain == LM_HTTP_ERROR && error->code != LM_HTTP_ERROR_LOCAL)
    code = LM_FETCH_ERROR_SOURCE;
  else if (g_error_matches (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_REFUSED))
    code = LM_FETCH_ERROR_REFUSED;
  else if (error->domain == LM_LOCK_ERROR)
    code = LM_FETCH_ERROR_BUSY;
  g_set_error_literal (out, LM_FETCH_ERROR, (int) code, error->message);
  g_error_free (error);
  return FALSE;
}

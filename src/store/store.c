/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "store/store.h"
#include "base/url.h"

#include <string.h>

struct _LmStore
{
  LmHttp *http;
  GPtrArray *stepped; /* LmStoreTransfers that have a step() function; they own themselves */
};

static const LmStoreClass *const classes[] = { &lm_store_http_class, &lm_store_file_class };

LmStore *
lm_store_new (const LmHttpOptions *options)
{
  LmStore *store = g_new0 (LmStore, 1);
  store->http = lm_http_new (options);
  store->stepped = g_ptr_array_new ();
  return store;
}

void
lm_store_free (LmStore *store)
{
  if (store == NULL)
    return;
  g_assert (store->stepped->len == 0);
  g_ptr_array_unref (store->stepped);
  lm_http_free (store->http);
  g_free (store);
}

LmHttp *
lm_store_get_http (LmStore *store)
{
  return store->http;
}

const LmStoreClass *
lm_store_class_of (const char *url, GError **error)
{
  g_autofree char *given = g_uri_parse_scheme (url);
  g_autofree char *scheme = given ? g_ascii_strdown (given, -1) : NULL;
  for (gsize i = 0; scheme != NULL && i < G_N_ELEMENTS (classes); i++)
    if (g_strv_contains (classes[i]->schemes, scheme))
      return classes[i];
  g_autofree char *shown = lm_url_redact (url);
  g_autofree char *known = lm_store_list_schemes ();
  g_propagate_error (error, lm_http_error_new (LM_HTTP_ERROR_BAD_URL, 0,
                                               "%.200s: the scheme of this URL is not one of %s", shown, known));
  return NULL;
}

gboolean
lm_store_knows (const char *url)
{
  g_autofree char *scheme = g_uri_parse_scheme (url);
  return scheme != NULL && g_str_has_prefix (url + strlen (scheme), "://") && lm_store_class_of (url, NULL) != NULL;
}

char *
lm_store_list_schemes (void)
{
  g_autoptr (GStrvBuilder) all = g_strv_builder_new ();
  for (gsize i = 0; i < G_N_ELEMENTS (classes); i++)
    g_strv_builder_addv (all, (const char **) classes[i]->schemes);
  g_auto (GStrv) schemes = g_strv_builder_end (all);
  return g_strjoinv (", ", schemes);
}

LmStoreTransfer *
lm_store_start (LmStore *store, const LmStoreRequest *request, const LmStoreHandler *handler, gpointer user_data,
                GError **error)
{
  const LmStoreClass *class = lm_store_class_of (request->url, error);
  if (class == NULL)
    return NULL;
  LmStoreTransfer *transfer = class->start (store, request, error);
  if (transfer == NULL)
    return NULL;
  transfer->class = class;
  transfer->handler = handler;
  transfer->user_data = user_data;
  transfer->store = store;
  if (class->step != NULL)
    g_ptr_array_add (store->stepped, transfer);
  return transfer;
}

void
lm_store_transfer_resume (LmStoreTransfer *transfer)
{
  transfer->paused = FALSE;
  if (transfer->class->resume != NULL)
    transfer->class->resume (transfer);
}

void
lm_store_transfer_close (LmStoreTransfer *transfer)
{
  g_ptr_array_remove (transfer->store->stepped, transfer);
  transfer->class->close (transfer);
}

void
lm_store_iterate (LmStore *store, guint timeout_ms)
{
  gboolean moved = FALSE;
  for (guint i = 0; i < store->stepped->len;)
    {
      LmStoreTransfer *transfer = store->stepped->pdata[i];
      if (transfer->paused)
        {
          i++;
          continue;
        }
      moved = TRUE;
      if (transfer->class->step (transfer))
        i++;
      else
        g_ptr_array_remove_index (store->stepped, i);
    }
  lm_http_iterate (store->http, moved ? 0 : timeout_ms);
}

void
lm_store_wakeup (LmStore *store)
{
  lm_http_wakeup (store->http);
}

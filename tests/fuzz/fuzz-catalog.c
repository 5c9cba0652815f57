/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Input: the text of a catalog, or an index. */
#include "config.h"
#include "fuzz.h"
#include "catalog/catalog-check.h"
#include "catalog/catalog.h"
#include "catalog/installed.h"
#include "catalog/selection.h"

#include <string.h>

#define URL "http://lab.example/c.yaml"

/* Checks what the rest of lamina relies on. */
static void
check_layer (const LmLayer *layer)
{
  g_assert_true (lm_name_is_valid (layer->name));
  g_assert_true (lm_name_is_valid (layer->group));
  g_assert_true (lm_version_is_valid (layer->version));
  g_assert_cmpuint (layer->builds->len, >, 0);
  for (guint i = 0; i < layer->builds->len; i++)
    {
      const LmBlob *build = &lm_layer_get_build (layer, i)->blob;
      g_assert_cmpuint (build->size, >, 0);
      g_assert_nonnull (build->urls[0]);
      for (char **url = build->urls; *url; url++)
        g_assert_true (g_str_has_prefix (*url, "http://") || g_str_has_prefix (*url, "https://"));
      char **packages = lm_layer_get_build (layer, i)->packages, **removed = lm_layer_get_build (layer, i)->removed;
      g_assert_true ((packages == NULL) == (removed == NULL));
      for (; packages != NULL && *packages != NULL; packages++)
        g_assert_true (lm_installed_is_valid (*packages));
      for (; removed != NULL && *removed != NULL; removed++)
        g_assert_true (lm_installed_name_is_valid (*removed));
    }
}

/* What is refused has a reason that its author is told. */
static void
check_report (const char *text, gsize size, gboolean refused)
{
  g_autoptr (LmCatalogReport) report = lm_catalog_check (URL, text, size, NULL);
  guint errors = 0;
  for (guint i = 0; i < report->problems->len; i++)
    errors += ((const LmCatalogProblem *) report->problems->pdata[i])->warning ? 0 : 1;
  g_assert_true (!refused || errors > 0);
}

static void
read_text (const char *text, gsize size)
{
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  g_autoptr (GError) error = NULL;
  g_autoptr (LmCatalog) catalog = lm_catalog_parse ("fuzz", NULL, URL, text, size, warnings, &error);
  g_assert_true ((catalog == NULL) == (error != NULL));
  check_report (text, size, catalog == NULL);
  if (catalog == NULL)
    return;
  for (guint i = 0; i < lm_catalog_get_n_layers (catalog); i++)
    {
      g_autoptr (LmLayer) layer = lm_catalog_load_layer (catalog, i);
      check_layer (layer);
    }
  g_autoptr (GBytes) serialized = lm_catalog_serialize (catalog, "s");
  G_GNUC_UNUSED g_autoptr (LmCatalog) loaded = lm_catalog_load (serialized, "fuzz", NULL, URL, "s", &error);
  g_assert_no_error (error);
  g_assert_cmpuint (lm_catalog_get_n_layers (loaded), ==, lm_catalog_get_n_layers (catalog));
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  read_text ((const char *) data, size);
  g_autoptr (GBytes) index = g_bytes_new (data, size);
  g_autoptr (LmCatalog) catalog = lm_catalog_load (index, "fuzz", NULL, URL, "s", NULL);
  for (guint i = 0; catalog && i < lm_catalog_get_n_layers (catalog); i++)
    lm_layer_free (lm_catalog_load_layer (catalog, i));
  return 0;
}

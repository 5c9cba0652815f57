/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "catalog/catalog-text.h"
#include "base/text.h"
#include "base/url.h"
#include "catalog/relation.h"
#include "catalog/selection.h"
#include "catalog/value.h"

#include <string.h>

#define MAX_TEXT 1024
#define MAX_NAMES 10000
#define MAX_URLS 64

gboolean
lm_catalog_text_read_name (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  LmCatalogPart *r = (LmCatalogPart *) fr;
  if (!lm_value_expect_string (fr, event, error))
    return FALSE;
  if (!lm_name_is_valid (event->text))
    return lm_value_refuse (fr, event, "a name (small letters, digits and + . _ -, at most " G_STRINGIFY (LM_NAME_MAX) ")", error);
  *(guint32 *) slot = lm_prepared_builder_add_common (r->builder, event->text, event->length);
  return TRUE;
}

gboolean
lm_catalog_text_read_version (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  LmCatalogPart *r = (LmCatalogPart *) fr;
  if (!lm_value_expect_string (fr, event, error))
    return FALSE;
  if (!lm_version_is_valid (event->text))
    return lm_value_refuse (fr, event, "a version (letters, digits and . + ~ : -, at most " G_STRINGIFY (LM_VERSION_MAX) ")", error);
  *(guint32 *) slot = lm_prepared_builder_add_common (r->builder, event->text, event->length);
  return TRUE;
}

gboolean
lm_catalog_text_read_arch (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  LmCatalogPart *r = (LmCatalogPart *) fr;
  if (!lm_value_expect_string (fr, event, error))
    return FALSE;
  gsize good = strspn (event->text, "abcdefghijklmnopqrstuvwxyz0123456789_");
  if (good == 0 || good != event->length || good > 32)
    return lm_value_refuse (fr, event, "an architecture, as x86_64 or aarch64 is", error);
  *(guint32 *) slot = lm_prepared_builder_add_common (r->builder, event->text, event->length);
  return TRUE;
}

gboolean
lm_catalog_text_read_line (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  LmCatalogPart *r = (LmCatalogPart *) fr;
  if (!lm_value_expect_string (fr, event, error))
    return FALSE;
  if (event->length > MAX_TEXT)
    return lm_field_throw (fr, event->line, error, "this text is longer than %d bytes", MAX_TEXT);
  const char *bad = lm_text_find_unprintable (event->text);
  if (bad != NULL && *bad == '\n')
    return lm_field_throw (fr, event->line, error, "this text must be one line");
  if (bad != NULL)
    return lm_field_throw (fr, event->line, error, "the control character U+%04X is not allowed here", g_utf8_get_char (bad));
  *(guint32 *) slot = lm_prepared_builder_add_common (r->builder, event->text, event->length);
  return TRUE;
}

static void
add_to_list (LmCatalogPart *r, guint32 string)
{
  g_array_append_val (r->builder->lists, string);
}

static gboolean
read_relation (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  LmCatalogPart *r = (LmCatalogPart *) fr;
  LmRelation relation;
  gboolean exact = GPOINTER_TO_INT (slot);
  if (!lm_value_expect_string (fr, event, error))
    return FALSE;
  if (!lm_relation_parse (event->text, &relation)
      || (exact && relation.op != LM_RELATION_ANY && relation.op != LM_RELATION_EQUAL))
    return lm_value_refuse (fr, event,
                            exact ? "\"name\" or \"name = version\"" : "\"name\" or \"name >= version\" (or < <= = >)", error);
  add_to_list (r, lm_prepared_builder_add_common (r->builder, event->text, event->length));
  return TRUE;
}

static gboolean
read_relations (LmCatalogPart *r, const LmYamlEvent *event, LmPreparedSpan *span, gboolean exact, GError **error)
{
  span->first = r->builder->lists->len;
  return lm_field_read_list (&r->fields, event, "names", MAX_NAMES, read_relation, GINT_TO_POINTER (exact), &span->n, error);
}

gboolean
lm_catalog_text_read_needs (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  LmCatalogPart *r = (LmCatalogPart *) fr;
  return read_relations (r, event, slot, FALSE, error);
}

gboolean
lm_catalog_text_read_provides (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  LmCatalogPart *r = (LmCatalogPart *) fr;
  return read_relations (r, event, slot, TRUE, error);
}

/* Whether @text begins as the last good absolute URL did, and goes on plainly:
 * a catalog of a hundred thousand mirrors is checked in no time. */
static gboolean
is_known_url (LmCatalogPart *r, const char *text)
{
  gsize length = r->known_prefix ? strlen (r->known_prefix) : 0;
  return length > 0 && strncmp (text, r->known_prefix, length) == 0 && lm_url_is_plain (text + length)
         && strlen (text) <= LM_URL_MAX;
}

static gboolean
read_url (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  LmCatalogPart *r = (LmCatalogPart *) fr;
  g_autoptr (GError) local = NULL;
  if (!lm_value_expect_string (fr, event, error))
    return FALSE;
  if (lm_url_is_plain (event->text) || is_known_url (r, event->text))
    {
      add_to_list (r, lm_prepared_builder_add_string (r->builder, event->text, event->length));
      return TRUE;
    }
  g_autofree char *url = lm_url_resolve (r->base_url, event->text, &local);
  if (url == NULL)
    return lm_field_throw (fr, event->line, error, "%s", local->message);
  add_to_list (r, lm_prepared_builder_add_string (r->builder, url, strlen (url)));
  if (strcmp (url, event->text) == 0 && strpbrk (url, "?#") == NULL)
    {
      g_free (r->known_prefix);
      r->known_prefix = lm_url_directory (url);
    }
  return TRUE;
}

gboolean
lm_catalog_text_read_urls (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  LmCatalogPart *r = (LmCatalogPart *) fr;
  LmPreparedSpan *span = slot;
  guint line = event->line;
  span->first = r->builder->lists->len;
  if (!lm_field_read_list (fr, event, "URLs", MAX_URLS, read_url, NULL, &span->n, error))
    return FALSE;
  return span->n > 0 || lm_field_throw (fr, line, error, "at least one URL is needed");
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Input: the metadata of a domain as libvirt returns it, or a template. */
#include "config.h"
#include "fuzz.h"
#include "io/xml.h"
#include "domain/metadata.h"

#include <string.h>

static gboolean
marker (LmXml *xml, LmXmlNode *into, const char *name, gpointer user_data, GError **error)
{
  lm_xml_set (xml, lm_xml_add (xml, into, "made", "<text>&@NAME@"), "name", "\"'<");
  return strcmp (name, "no") != 0;
}

/* The result of filling is well-formed, whatever the template is. */
static void
fill (const char *data, size_t size)
{
  static const char *const required[] = { NULL };
  g_autoptr (GHashTable) values = g_hash_table_new (g_str_hash, g_str_equal);
  g_hash_table_insert (values, (gpointer) "NAME", (gpointer) "</name>&\"'@NAME@\n");
  const LmXmlFill gaps = { values, required, marker, NULL };
  g_autoptr (GError) error = NULL;
  g_autoptr (LmXml) xml = lm_xml_parse (data, size, "template", &error);
  if (xml == NULL)
    {
      g_assert_error (error, LM_XML_ERROR, LM_XML_ERROR_SYNTAX);
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      return;
    }
  if (!lm_xml_fill (xml, &gaps, NULL, &error))
    {
      g_assert_error (error, LM_XML_ERROR, LM_XML_ERROR_TEMPLATE);
      return;
    }
  g_autofree char *text = lm_xml_to_string (xml, &error);
  g_assert_no_error (error);
  G_GNUC_UNUSED g_autoptr (LmXml) again = lm_xml_parse (text, strlen (text), "filled", &error);
  g_assert_no_error (error);
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autoptr (GError) error = NULL;
  g_autoptr (LmDomainSpec) spec = lm_domain_metadata_parse (text, &error);
  g_assert_true ((spec == NULL) == (error != NULL));
  if (error != NULL)
    g_assert_true (error->domain == LM_METADATA_ERROR || error->domain == LM_XML_ERROR);
  fill ((const char *) data, size);
  return 0;
}

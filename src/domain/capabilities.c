/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "domain/capabilities.h"
#include "io/xml.h"

#include <string.h>

/* "+UID:+GID" */
static gboolean
parse_label (const char *label, guint *out_uid)
{
  guint64 uid;
  g_auto (GStrv) ids = g_strsplit (label, ":", 2);
  const char *text = ids[0] != NULL && ids[0][0] == '+' ? ids[0] + 1 : ids[0];
  if (text == NULL || !g_ascii_string_to_unsigned (text, 10, 0, G_MAXUINT32 - 1, &uid, NULL))
    return FALSE;
  *out_uid = (guint) uid;
  return TRUE;
}

gboolean
lm_capabilities_qemu_user (const char *xml, guint *out_uid)
{
  g_autoptr (LmXml) parsed = lm_xml_parse (xml, strlen (xml), "capabilities", NULL);
  const LmXmlNode *host = parsed != NULL ? lm_xml_child (lm_xml_root (parsed), NULL, "host") : NULL;
  const LmXmlNode *model = host != NULL ? lm_xml_child (host, NULL, "secmodel") : NULL;
  for (; model != NULL; model = lm_xml_next (model, NULL, "secmodel"))
    {
      const LmXmlNode *name = lm_xml_child (model, NULL, "model");
      const LmXmlNode *label = lm_xml_child (model, NULL, "baselabel");
      g_autofree char *text = name != NULL ? lm_xml_text (name) : NULL;
      if (g_strcmp0 (text, "dac") != 0 || label == NULL)
        continue;
      g_autofree char *ids = lm_xml_text (label);
      return parse_label (ids, out_uid);
    }
  return FALSE;
}

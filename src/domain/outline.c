/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "domain/outline.h"
#include "base/error.h"

#include <string.h>

void
lm_domain_outline_free (LmDomainOutline *outline)
{
  if (outline == NULL)
    return;
  g_free (outline->name);
  g_free (outline->uuid);
  g_free (outline->kernel);
  g_free (outline->initrd);
  g_ptr_array_unref (outline->disks);
  g_free (outline);
}

static char *
read_child_text (const LmXmlNode *parent, const char *name)
{
  const LmXmlNode *node = parent != NULL ? lm_xml_child (parent, NULL, name) : NULL;
  return node != NULL ? lm_xml_text (node) : NULL;
}

static void
read_disks (const LmXmlNode *root, GPtrArray *disks)
{
  const LmXmlNode *devices = lm_xml_child (root, NULL, "devices");
  const LmXmlNode *disk = devices != NULL ? lm_xml_child (devices, NULL, "disk") : NULL;
  for (; disk != NULL; disk = lm_xml_next (disk, NULL, "disk"))
    {
      const LmXmlNode *source = lm_xml_child (disk, NULL, "source");
      char *file = source != NULL ? lm_xml_attribute (source, "file") : NULL;
      if (file == NULL && source != NULL)
        file = lm_xml_attribute (source, "dev");
      if (file != NULL)
        g_ptr_array_add (disks, file);
    }
}

LmDomainOutline *
lm_domain_outline_parse (const char *text, GError **error)
{
  g_autoptr (LmXml) xml = lm_xml_parse (text, strlen (text), "domain", error);
  if (xml == NULL)
    return NULL;
  const LmXmlNode *root = lm_xml_root (xml);
  const LmXmlNode *os = lm_xml_child (root, NULL, "os");
  g_autoptr (LmDomainOutline) outline = g_new0 (LmDomainOutline, 1);
  g_autofree char *uuid = read_child_text (root, "uuid");
  outline->disks = g_ptr_array_new_with_free_func (g_free);
  outline->name = read_child_text (root, "name");
  outline->uuid = uuid != NULL ? g_ascii_strdown (uuid, -1) : NULL;
  if (!lm_xml_is (root, NULL, "domain") || outline->name == NULL || outline->uuid == NULL
      || !g_uuid_string_is_valid (outline->uuid))
    return lm_throw_null (error, LM_XML_ERROR, LM_XML_ERROR_SYNTAX, "this is not the XML of a domain with name and UUID");
  outline->kernel = read_child_text (os, "kernel");
  outline->initrd = read_child_text (os, "initrd");
  read_disks (root, outline->disks);
  return g_steal_pointer (&outline);
}

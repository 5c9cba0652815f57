/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "domain/osinfo.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"
#include "io/xml.h"

#include <string.h>

G_DEFINE_QUARK (lm-osinfo-error-quark, lm_osinfo_error)

#define FILE_SIZE_MAX (1024 * 1024)

/* Whether the database file @file may describe @short_id. File names are the short
 * id plus dashes (debian-12.xml, centos-stream-9.xml), so dashes are ignored. */
static gboolean
file_matches (const char *file, const char *short_id)
{
  while (*short_id != '\0')
    {
      if (*file == '-')
        file++;
      else if (*short_id == '-')
        short_id++;
      else if (*file++ != *short_id++)
        return FALSE;
    }
  return strcmp (file, ".xml") == 0;
}

/* Returns the URL of the operating system that the file @path describes, if it has @short_id. */
static char *
read_system (const char *path, const char *short_id)
{
  g_autoptr (GBytes) bytes = lm_file_read (path, FILE_SIZE_MAX, NULL, NULL);
  if (bytes == NULL || g_bytes_get_size (bytes) == 0)
    return NULL;
  g_autoptr (LmXml) xml = lm_xml_parse (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), path, NULL);
  const LmXmlNode *os = xml != NULL ? lm_xml_child (lm_xml_root (xml), NULL, "os") : NULL;
  const LmXmlNode *id = os != NULL ? lm_xml_child (os, NULL, "short-id") : NULL;
  for (; id != NULL; id = lm_xml_next (id, NULL, "short-id"))
    {
      g_autofree char *text = lm_xml_text (id);
      if (strcmp (text, short_id) == 0)
        return lm_xml_attribute (os, "id");
    }
  return NULL;
}

static char *
find_in_vendor (const char *path, const char *short_id)
{
  g_autoptr (GDir) dir = g_dir_open (path, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      if (!file_matches (name, short_id))
        continue;
      g_autofree char *file = g_build_filename (path, name, NULL);
      char *url = read_system (file, short_id);
      if (url != NULL)
        return url;
    }
  return NULL;
}

static char *
find_in_database (const char *path, const char *short_id)
{
  g_autofree char *os = g_build_filename (path, "os", NULL);
  g_autoptr (GDir) dir = g_dir_open (os, 0, NULL);
  const char *name;
  while (dir != NULL && (name = g_dir_read_name (dir)) != NULL)
    {
      g_autofree char *vendor = g_build_filename (os, name, NULL);
      char *url = find_in_vendor (vendor, short_id);
      if (url != NULL)
        return url;
    }
  return NULL;
}

char *
lm_osinfo_find (const char *const *dirs, const char *text, GError **error)
{
  if (strstr (text, "://") != NULL)
    return g_strdup (text);
  for (guint i = 0; text[0] != '\0' && dirs[i] != NULL; i++)
    {
      char *url = find_in_database (dirs[i], text);
      if (url != NULL)
        return url;
    }
  g_autofree char *safe = lm_text_escape (text, 100);
  return lm_throw_null (error, LM_OSINFO_ERROR, LM_OSINFO_ERROR_UNKNOWN,
                        "the osinfo database of this host has no operating system \"%s\"; "
                        "\"osinfo-query os\" lists them, or give a URL",
                        safe);
}

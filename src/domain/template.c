/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "domain/template.h"
#include "base/content.h"
#include "base/error.h"
#include "base/file.h"
#include "base/text.h"

#include <limits.h>
#include <string.h>

G_DEFINE_QUARK (lm-template-error-quark, lm_template_error)

static LmXml *
load_template_file (const char *path, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (GBytes) bytes = lm_file_read (path, LM_XML_SIZE_MAX, cancellable, &failure);
  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
  if (bytes == NULL)
    return lm_throw_null (error, LM_TEMPLATE_ERROR,
                          g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NOT_FOUND) ? LM_TEMPLATE_ERROR_NOT_FOUND
                                                                                      : LM_TEMPLATE_ERROR_INVALID,
                          "template: %s", failure->message);
  gsize size;
  const char *data = g_bytes_get_data (bytes, &size);
  if ((size == 0 || *data != '<') && !lm_content_check (bytes, path, "a domain template (XML)", &failure))
    return lm_throw_null (error, LM_TEMPLATE_ERROR, LM_TEMPLATE_ERROR_INVALID, "template: %s", failure->message);
  return lm_xml_parse (data != NULL ? data : "", size, path, error);
}

LmXml *
lm_template_load (const char *const *dirs, const char *name, GCancellable *cancellable, GError **error)
{
  if (strchr (name, '/') != NULL)
    return load_template_file (name, cancellable, error);
  if (!lm_text_is_word (name, "._-", NAME_MAX))
    {
      g_autofree char *safe = lm_text_escape (name, 100);
      return lm_throw_null (error, LM_TEMPLATE_ERROR, LM_TEMPLATE_ERROR_INVALID,
                            "\"%s\" is not a template name; to use a file, give a path with a \"/\"", safe);
    }
  g_autofree char *file = g_strconcat (name, ".xml", NULL);
  for (guint i = 0; dirs[i] != NULL; i++)
    {
      g_autofree char *path = g_build_filename (dirs[i], file, NULL);
      g_autoptr (GError) local = NULL;
      LmXml *xml = load_template_file (path, NULL, &local);
      if (xml != NULL)
        return xml;
      if (!g_error_matches (local, LM_TEMPLATE_ERROR, LM_TEMPLATE_ERROR_NOT_FOUND))
        {
          g_propagate_error (error, g_steal_pointer (&local));
          return NULL;
        }
    }
  g_autofree char *searched = g_strjoinv (", ", (char **) dirs);
  return lm_throw_null (error, LM_TEMPLATE_ERROR, LM_TEMPLATE_ERROR_NOT_FOUND, "no template %s in %s", file, searched);
}

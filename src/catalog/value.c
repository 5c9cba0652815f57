/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "catalog/value.h"
#include "base/digest.h"
#include "base/size.h"

#define MAX_FILE_SIZE (G_GUINT64_CONSTANT (1) << 44)

gboolean
lm_value_expect_string (LmFieldReader *fr, const LmYamlEvent *event, GError **error)
{
  return lm_field_expect (fr, event, LM_YAML_STRING, "a string", error);
}

gboolean
lm_value_refuse (LmFieldReader *fr, const LmYamlEvent *event, const char *what, GError **error)
{
  g_autofree char *safe = lm_field_shown (event->text);
  return lm_field_throw (fr, event->line, error, "\"%s\" is not %s", safe, what);
}

gboolean
lm_value_read_flag (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  if (!lm_field_expect (fr, event, LM_YAML_BOOL, "true or false", error))
    return FALSE;
  *(guint32 *) slot = (guint32) lm_yaml_bool_value (event->text);
  return TRUE;
}

gboolean
lm_value_read_file_size (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  gint64 value;
  if (!lm_field_expect (fr, event, LM_YAML_INT, "a number of bytes", error))
    return FALSE;
  if (!lm_yaml_int_value (event->text, &value) || value < 1 || (guint64) value > MAX_FILE_SIZE)
    return lm_field_throw (fr, event->line, error, "a decimal number of bytes from 1 to %" G_GUINT64_FORMAT " is needed here",
                     MAX_FILE_SIZE);
  *(guint64 *) slot = (guint64) value;
  return TRUE;
}

gboolean
lm_value_read_amount (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  g_autoptr (GError) local = NULL;
  guint64 bytes;
  if (!lm_field_expect (fr, event, LM_YAML_STRING, "a size with a unit, as 512MiB,", error))
    return FALSE;
  if (!lm_size_parse (event->text, 0, &bytes, &local))
    return lm_field_throw (fr, event->line, error, "%s", local->message);
  if (bytes < LM_SIZE_MIB || bytes > MAX_FILE_SIZE)
    return lm_field_throw (fr, event->line, error, "a size from 1MiB to 16TiB, with its unit, is needed here");
  *(guint64 *) slot = bytes;
  return TRUE;
}

gboolean
lm_value_read_digest (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error)
{
  g_autoptr (GError) local = NULL;
  if (!lm_value_expect_string (fr, event, error))
    return FALSE;
  if (!lm_digest_parse (event->text, slot, &local))
    return lm_field_throw (fr, event->line, error, "%s", local->message);
  return TRUE;
}

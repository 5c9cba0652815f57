/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/json.h"
#include "base/url.h"

void
lm_json_add_string (JsonBuilder *builder, const char *key, const char *value)
{
  json_builder_set_member_name (builder, key);
  if (value != NULL)
    json_builder_add_string_value (builder, value);
  else
    json_builder_add_null_value (builder);
}

void
lm_json_add_digest (JsonBuilder *builder, const char *key, const LmDigest *digest)
{
  lm_json_add_string (builder, key, digest ? lm_digest_format (digest, (char[LM_DIGEST_STRING_SIZE]){ 0 }) : NULL);
}

void
lm_json_add_bool (JsonBuilder *builder, const char *key, gboolean value)
{
  json_builder_set_member_name (builder, key);
  json_builder_add_boolean_value (builder, value);
}

void
lm_json_add_uint (JsonBuilder *builder, const char *key, guint64 value)
{
  json_builder_set_member_name (builder, key);
  json_builder_add_int_value (builder, (gint64) value);
}

void
lm_json_add_strv (JsonBuilder *builder, const char *key, char *const *values)
{
  json_builder_set_member_name (builder, key);
  json_builder_begin_array (builder);
  for (; values && *values; values++)
    json_builder_add_string_value (builder, *values);
  json_builder_end_array (builder);
}

void
lm_json_add_url (JsonBuilder *builder, const char *key, const char *url)
{
  g_autofree char *shown = url ? lm_url_redact (url) : NULL;
  lm_json_add_string (builder, key, shown);
}

void
lm_json_add_urls (JsonBuilder *builder, const char *key, char *const *urls)
{
  json_builder_set_member_name (builder, key);
  json_builder_begin_array (builder);
  for (; urls && *urls; urls++)
    {
      g_autofree char *shown = lm_url_redact (*urls);
      json_builder_add_string_value (builder, shown);
    }
  json_builder_end_array (builder);
}

char *
lm_json_finish (JsonBuilder *builder)
{
  g_autoptr (JsonNode) root = json_builder_get_root (builder);
  g_autofree char *text = json_to_string (root, TRUE);
  return g_strconcat (text, "\n", NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Short helpers over json-glib that write members of JSON objects; json-value.h reads them. */
#include "base/digest.h"
#include <json-glib/json-glib.h>

/* Each function adds the member @key to the object that is open in @builder. A NULL
 * value becomes null. */
void lm_json_add_string (JsonBuilder *builder, const char *key, const char *value);
void lm_json_add_digest (JsonBuilder *builder, const char *key, const LmDigest *digest);
void lm_json_add_bool (JsonBuilder *builder, const char *key, gboolean value);
/** lm_json_add_uint: @value must be less than 2^63, because JSON readers expect a
 * signed number. */
void lm_json_add_uint (JsonBuilder *builder, const char *key, guint64 value);
/** lm_json_add_strv: adds an array; empty if @values is NULL. */
void lm_json_add_strv (JsonBuilder *builder, const char *key, char *const *values);
/** lm_json_add_url, lm_json_add_urls: like the functions for strings, but redact
 * the URLs (base/url.h). */
void lm_json_add_url (JsonBuilder *builder, const char *key, const char *url);
void lm_json_add_urls (JsonBuilder *builder, const char *key, char *const *urls);

/** lm_json_finish: returns the text, indented and with a newline at the end; newly
 * allocated. */
char *lm_json_finish (JsonBuilder *builder);

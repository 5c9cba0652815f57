/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Members of JSON objects in one line each, over json-glib's builder. */
#include "base/digest.h"
#include <json-glib/json-glib.h>

/* Each adds the member @key to the object that is open. NULL gives null. */
void lm_json_add_string (JsonBuilder *builder, const char *key, const char *value);
void lm_json_add_digest (JsonBuilder *builder, const char *key, const LmDigest *digest);
void lm_json_add_bool (JsonBuilder *builder, const char *key, gboolean value);
/** lm_json_add_uint: @value must be below 2^63, as JSON readers have it. */
void lm_json_add_uint (JsonBuilder *builder, const char *key, guint64 value);
/** lm_json_add_strv: an array; NULL gives an empty one. */
void lm_json_add_strv (JsonBuilder *builder, const char *key, char *const *values);
/** lm_json_add_url, lm_json_add_urls: the same for URLs, redacted (base/url.h). */
void lm_json_add_url (JsonBuilder *builder, const char *key, const char *url);
void lm_json_add_urls (JsonBuilder *builder, const char *key, char *const *urls);

/** lm_json_finish: the text, pretty-printed with a newline at its end; newly allocated. */
char *lm_json_finish (JsonBuilder *builder);

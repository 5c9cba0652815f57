/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Members of JSON objects in one line each, over json-glib. What is read is JSON
 * that lamina or a tool it started wrote; for what others write see yaml.h. */
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

/* Reading. @object may be NULL, as if empty; a member of another type counts as not
 * there. What is returned belongs to @object. */

/** lm_json_get_string: NULL: not there. */
const char *lm_json_get_string (JsonObject *object, const char *key);
/** lm_json_get_int: @fallback: not there. */
gint64 lm_json_get_int (JsonObject *object, const char *key, gint64 fallback);
/** lm_json_get_bool: FALSE: not there, too. */
gboolean lm_json_get_bool (JsonObject *object, const char *key);
/** lm_json_get_array, lm_json_get_object: NULL: not there. */
JsonArray *lm_json_get_array (JsonObject *object, const char *key);
JsonObject *lm_json_get_object (JsonObject *object, const char *key);
/** lm_json_get_element: the object at @index of @array; NULL: another value. */
JsonObject *lm_json_get_element (JsonArray *array, guint index);
/** lm_json_get_strv: the strings of an array; empty: not there. Newly allocated. */
char **lm_json_get_strv (JsonObject *object, const char *key);

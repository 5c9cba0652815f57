/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Reads JSON that lamina, or a tool that it ran, has written; for JSON that people
 * write see yaml.h. As strict as json-reader.h: other texts, and strings with NUL
 * bytes, are refused. A text of any size takes few allocations. */
#include <glib.h>

typedef enum
{
  LM_JSON_ERROR_SYNTAX, /* not a JSON text */
} LmJsonError;

#define LM_JSON_ERROR lm_json_error_quark ()
GQuark lm_json_error_quark (void);

/* A text, and a value in it, which belongs to it. */
typedef struct _LmJson LmJson;
typedef struct _LmJsonValue LmJsonValue;

/** lm_json_parse: reads the @size bytes at @text, which it does not keep. Error:
 * LM_JSON_ERROR_SYNTAX, with the line. */
LmJson *lm_json_parse (const char *text, gsize size, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_json_free: frees @json and its values; NULL is ignored. */
void lm_json_free (LmJson *json);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmJson, lm_json_free)

/** lm_json_get_root: returns the value that @json is; never NULL. */
const LmJsonValue *lm_json_get_root (const LmJson *json);

/** lm_json_is_object: whether @value, which may be NULL, is an object. */
gboolean lm_json_is_object (const LmJsonValue *value);
/** lm_json_is_set: whether @value is neither NULL nor null nor false. */
gboolean lm_json_is_set (const LmJsonValue *value);

/** lm_json_get_first: returns the first element of an array, or value of an object;
 * NULL if there is none, or if @value is NULL or something else. */
const LmJsonValue *lm_json_get_first (const LmJsonValue *value);
/** lm_json_get_next: returns what follows @value in its array or object; NULL if it is the last. */
const LmJsonValue *lm_json_get_next (const LmJsonValue *value);

/* The following return the member @key of @object; if there are several, the last. If
 * @object is NULL or no object, it counts as empty; a member of another type counts as
 * missing. */

/** lm_json_get_member: NULL if missing. */
const LmJsonValue *lm_json_get_member (const LmJsonValue *object, const char *key);
/** lm_json_get_string: NULL if missing. */
const char *lm_json_get_string (const LmJsonValue *object, const char *key);
/** lm_json_get_int: @fallback if missing, or if it does not fit. */
gint64 lm_json_get_int (const LmJsonValue *object, const char *key, gint64 fallback);
/** lm_json_get_bool: FALSE if missing. */
gboolean lm_json_get_bool (const LmJsonValue *object, const char *key);
/** lm_json_get_array: NULL if missing. */
const LmJsonValue *lm_json_get_array (const LmJsonValue *object, const char *key);
/** lm_json_get_strv: returns the strings of an array, empty if missing; newly allocated. */
char **lm_json_get_strv (const LmJsonValue *object, const char *key);

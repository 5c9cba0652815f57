/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/json-value.h"
#include "base/error.h"
#include "base/json-reader.h"

#include <string.h>

G_DEFINE_QUARK (lm-json-error-quark, lm_json_error)

struct _LmJsonValue
{
  LmJsonToken kind;
  gboolean has_content; /* of an array or object: its first value is the next one in memory */
  guint next;           /* how far the next value of the same array or object is; 0 if there is none */
  const char *key;      /* in an object; otherwise NULL */
  const char *text;     /* of a string or word */
};

struct _LmJson
{
  GArray *values; /* LmJsonValue, in the order of the text */
  char *texts;    /* the keys, strings and words, each with a NUL */
};

/* A text that is being read. */
typedef struct
{
  LmJson *json;
  LmJsonReader reader;
  char *free;                        /* in json->texts, from here */
  const char *key;                   /* of the next value */
  guint last[LM_JSON_DEPTH_MAX + 1]; /* at each depth: index of the last value, plus 1; 0 if there is none */
} Reading;

void
lm_json_free (LmJson *json)
{
  if (json == NULL)
    return;
  g_array_unref (json->values);
  g_free (json->texts);
  g_free (json);
}

/* There is room: a string loses its quotes, and something follows each word but the only one. */
static const char *
keep_text (Reading *reading)
{
  const GString *value = reading->reader.value;
  const char *kept = memcpy (reading->free, value->str, value->len + 1);
  reading->free += value->len + 1;
  return kept;
}

/* @depth: of the value, 0 for the root */
static void
add_value (Reading *reading, LmJsonToken kind, guint depth)
{
  GArray *values = reading->json->values;
  const LmJsonValue value = { .kind = kind, .key = g_steal_pointer (&reading->key),
                              .text = kind == LM_JSON_STRING || kind == LM_JSON_WORD ? keep_text (reading) : NULL };
  if (reading->last[depth] > 0)
    g_array_index (values, LmJsonValue, reading->last[depth] - 1).next = values->len - (reading->last[depth] - 1);
  else if (depth > 0)
    g_array_index (values, LmJsonValue, values->len - 1).has_content = TRUE;
  g_array_append_val (values, value);
  reading->last[depth] = values->len;
}

/* Reads all tokens; FALSE if the text is refused. */
static gboolean
read_tokens (Reading *reading)
{
  LmJsonReader *reader = &reading->reader;
  LmJsonToken token;
  while (lm_json_reader_next (reader, &token))
    {
      const guint depth = reader->depth;
      if (token == LM_JSON_END)
        return TRUE;
      if (token == LM_JSON_STRING && strlen (reader->value->str) != reader->value->len)
        {
          reader->problem = "a string has a NUL byte";
          return FALSE;
        }
      if (token == LM_JSON_STRING && depth > 0 && reader->in_object[depth - 1] && reading->key == NULL)
        reading->key = keep_text (reading);
      else if (token == LM_JSON_STRING || token == LM_JSON_WORD)
        add_value (reading, token, depth);
      else if (token == LM_JSON_OBJECT || token == LM_JSON_ARRAY)
        {
          add_value (reading, token, depth - 1);
          reading->last[depth] = 0;
        }
    }
  return FALSE;
}

LmJson *
lm_json_parse (const char *text, gsize size, GError **error)
{
  if (!g_utf8_validate_len (text, size, NULL))
    return lm_throw_null (error, LM_JSON_ERROR, LM_JSON_ERROR_SYNTAX, "not valid JSON: it is not UTF-8");
  g_autoptr (LmJson) json = g_new0 (LmJson, 1);
  json->values = g_array_sized_new (FALSE, FALSE, sizeof (LmJsonValue), 64);
  json->texts = g_malloc (size + 1);
  Reading reading = { .json = json, .free = json->texts };
  lm_json_reader_init (&reading.reader, text, size);
  const gboolean ok = read_tokens (&reading);
  lm_json_reader_clear (&reading.reader);
  return ok ? g_steal_pointer (&json)
            : lm_throw_null (error, LM_JSON_ERROR, LM_JSON_ERROR_SYNTAX, "not valid JSON: line %u: %s", reading.reader.line,
                             reading.reader.problem);
}

const LmJsonValue *
lm_json_get_root (const LmJson *json)
{
  return &g_array_index (json->values, LmJsonValue, 0);
}

gboolean
lm_json_is_object (const LmJsonValue *value)
{
  return value != NULL && value->kind == LM_JSON_OBJECT;
}

static gboolean
is_word (const LmJsonValue *value, const char *word)
{
  return value != NULL && value->kind == LM_JSON_WORD && strcmp (value->text, word) == 0;
}

gboolean
lm_json_is_set (const LmJsonValue *value)
{
  return value != NULL && !is_word (value, "null") && !is_word (value, "false");
}

static const char *
get_text (const LmJsonValue *value)
{
  return value != NULL && value->kind == LM_JSON_STRING ? value->text : NULL;
}

const LmJsonValue *
lm_json_get_first (const LmJsonValue *value)
{
  return value != NULL && value->has_content ? value + 1 : NULL;
}

const LmJsonValue *
lm_json_get_next (const LmJsonValue *value)
{
  return value->next > 0 ? value + value->next : NULL;
}

const LmJsonValue *
lm_json_get_member (const LmJsonValue *object, const char *key)
{
  const LmJsonValue *found = NULL;
  if (lm_json_is_object (object))
    for (const LmJsonValue *value = lm_json_get_first (object); value != NULL; value = lm_json_get_next (value))
      if (strcmp (value->key, key) == 0)
        found = value;
  return found;
}

const char *
lm_json_get_string (const LmJsonValue *object, const char *key)
{
  return get_text (lm_json_get_member (object, key));
}

gint64
lm_json_get_int (const LmJsonValue *object, const char *key, gint64 fallback)
{
  const LmJsonValue *value = lm_json_get_member (object, key);
  gint64 number;
  return value != NULL && value->kind == LM_JSON_WORD
             && g_ascii_string_to_signed (value->text, 10, G_MININT64, G_MAXINT64, &number, NULL)
           ? number
           : fallback;
}

gboolean
lm_json_get_bool (const LmJsonValue *object, const char *key)
{
  return is_word (lm_json_get_member (object, key), "true");
}

const LmJsonValue *
lm_json_get_array (const LmJsonValue *object, const char *key)
{
  const LmJsonValue *value = lm_json_get_member (object, key);
  return value != NULL && value->kind == LM_JSON_ARRAY ? value : NULL;
}

char **
lm_json_get_strv (const LmJsonValue *object, const char *key)
{
  GPtrArray *strings = g_ptr_array_new ();
  const LmJsonValue *value = lm_json_get_first (lm_json_get_array (object, key));
  for (; value != NULL; value = lm_json_get_next (value))
    if (get_text (value) != NULL)
      g_ptr_array_add (strings, g_strdup (get_text (value)));
  g_ptr_array_add (strings, NULL);
  return (char **) g_ptr_array_free (strings, FALSE);
}

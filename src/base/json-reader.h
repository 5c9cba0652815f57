/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Reads JSON token by token: RFC 8259, strictly. In constant memory, without
 * recursion, so that neither a large text nor a deeply nested one is a danger
 * (json-glib keeps the whole tree, recurses without a limit, and takes what is
 * not JSON). For yaml.c, which gives both languages one interface. */
#include <glib.h>

#define LM_JSON_DEPTH_MAX 256

typedef enum
{
  LM_JSON_OBJECT,
  LM_JSON_OBJECT_END,
  LM_JSON_ARRAY,
  LM_JSON_ARRAY_END,
  LM_JSON_STRING, /* keys too */
  LM_JSON_WORD,   /* a number, true, false or null, as written */
  LM_JSON_END,    /* after the one value that a text is */
} LmJsonToken;

typedef struct
{
  const char *at; /* in the text */
  const char *end;
  gboolean in_object[LM_JSON_DEPTH_MAX];
  guint depth;
  guint state;
  guint line; /* of the last token; counts from 1 */
  GString *value; /* strings, decoded, and words; may hold NUL bytes */
  const char *problem; /* after FALSE: what is wrong, static */
} LmJsonReader;

/** lm_json_reader_init: to read the @size bytes at @text, which must outlive it. */
void lm_json_reader_init (LmJsonReader *reader, const char *text, gsize size);
void lm_json_reader_clear (LmJsonReader *reader);

/** lm_json_reader_next: the next token; FALSE when there is none, as the text is
 * not JSON or nested deeper than LM_JSON_DEPTH_MAX. Not to be called after
 * LM_JSON_END or FALSE. */
gboolean lm_json_reader_next (LmJsonReader *reader, LmJsonToken *out_token) G_GNUC_WARN_UNUSED_RESULT;

/** lm_json_is_valid: whether the whole text is JSON in UTF-8. */
gboolean lm_json_is_valid (const char *text, gsize size);

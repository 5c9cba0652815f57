/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A strict JSON tokenizer (RFC 8259). It uses constant memory and does not recurse,
 * so neither a large nor a deeply nested text is a danger; json-glib keeps the
 * whole tree, recurses without a limit and accepts texts that are not JSON. Used by
 * yaml.c, which gives YAML and JSON the same interface. */
#include <glib.h>

#define LM_JSON_DEPTH_MAX 256

typedef enum
{
  LM_JSON_OBJECT,
  LM_JSON_OBJECT_END,
  LM_JSON_ARRAY,
  LM_JSON_ARRAY_END,
  LM_JSON_STRING, /* a value or a key */
  LM_JSON_WORD,   /* a number, true, false or null, as written in the text */
  LM_JSON_END,    /* the end of the text, after its single value */
} LmJsonToken;

typedef struct
{
  const char *at; /* position in the text */
  const char *end;
  gboolean in_object[LM_JSON_DEPTH_MAX];
  guint depth;
  guint state;
  guint line; /* line of the last token, counted from 1 */
  GString *value; /* the decoded string, or the word; may contain NUL bytes */
  const char *problem; /* after an error: what is wrong, static */
} LmJsonReader;

/** lm_json_reader_init: prepares @reader to read the @size bytes at @text, which
 * must outlive it. */
void lm_json_reader_init (LmJsonReader *reader, const char *text, gsize size);
/** lm_json_reader_clear: frees what @reader owns, but not @reader itself. */
void lm_json_reader_clear (LmJsonReader *reader);

/** lm_json_reader_next: reads the next token. FALSE if the text is not JSON or is
 * nested deeper than LM_JSON_DEPTH_MAX; @reader then says what is wrong. Must not
 * be called again after LM_JSON_END or FALSE. */
gboolean lm_json_reader_next (LmJsonReader *reader, LmJsonToken *out_token) G_GNUC_WARN_UNUSED_RESULT;

/** lm_json_is_valid: whether the @size bytes at @text are one JSON value in UTF-8. */
gboolean lm_json_is_valid (const char *text, gsize size);

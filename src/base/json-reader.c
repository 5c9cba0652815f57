/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/json-reader.h"

#include <string.h>

/* What is allowed as the next token. */
enum
{
  VALUE,         /* at the beginning, after a comma in an array, after a colon */
  VALUE_OR_END,  /* after [ */
  KEY,           /* after a comma in an object */
  KEY_OR_END,    /* after { */
  COLON,
  COMMA_OR_END,
  NOTHING,
};

void
lm_json_reader_init (LmJsonReader *reader, const char *text, gsize size)
{
  *reader = (LmJsonReader){ .at = text, .end = text + size, .line = 1, .state = VALUE };
  reader->value = g_string_sized_new (256);
}

void
lm_json_reader_clear (LmJsonReader *reader)
{
  if (reader->value != NULL)
    g_string_free (reader->value, TRUE);
  reader->value = NULL;
}

static gboolean
set_problem (LmJsonReader *r, const char *problem)
{
  r->problem = problem;
  return FALSE;
}

static void
skip_space (LmJsonReader *r)
{
  for (; r->at < r->end; r->at++)
    if (*r->at == '\n')
      r->line++;
    else if (*r->at != ' ' && *r->at != '\t' && *r->at != '\r')
      return;
}

/* Returns the value of the four digits after "\u", or -1 if they are not there. */
static int
read_hex (LmJsonReader *r)
{
  int value = 0;
  if (r->end - r->at < 4)
    return -1;
  for (guint i = 0; i < 4; i++)
    {
      int digit = g_ascii_xdigit_value (*r->at++);
      if (digit < 0)
        return -1;
      value = value * 16 + digit;
    }
  return value;
}

static gboolean
read_unicode (LmJsonReader *r)
{
  int c = read_hex (r);
  if (c < 0)
    return set_problem (r, "expected four hexadecimal digits after \\u");
  if (c >= 0xd800 && c < 0xdc00)
    {
      int low = -1;
      if (r->end - r->at >= 2 && r->at[0] == '\\' && r->at[1] == 'u')
        {
          r->at += 2;
          low = read_hex (r);
        }
      if (low < 0xdc00 || low > 0xdfff)
        return set_problem (r, "the second half of a surrogate pair is missing");
      c = 0x10000 + ((c - 0xd800) << 10) + (low - 0xdc00);
    }
  else if (c >= 0xdc00 && c < 0xe000)
    return set_problem (r, "the first half of a surrogate pair is missing");
  if (c == 0)
    g_string_append_c (r->value, '\0');
  else
    g_string_append_unichar (r->value, (gunichar) c);
  return TRUE;
}

static gboolean
read_escape (LmJsonReader *r)
{
  static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
  char c = r->at < r->end ? *r->at++ : '\0';
  if (c == 'u')
    return read_unicode (r);
  const char *found = c != '\0' ? strchr (from, c) : NULL;
  if (found == NULL)
    return set_problem (r, "unknown escape in a string");
  g_string_append_c (r->value, to[found - from]);
  return TRUE;
}

/* Called after the opening quote. */
static gboolean
read_string (LmJsonReader *r)
{
  g_string_truncate (r->value, 0);
  for (;;)
    {
      const char *from = r->at;
      while (r->at < r->end && *r->at != '"' && *r->at != '\\' && (guint8) *r->at >= 0x20)
        r->at++;
      g_string_append_len (r->value, from, r->at - from);
      if (r->at == r->end)
        return set_problem (r, "a string is not terminated");
      char c = *r->at++;
      if (c == '"')
        return TRUE;
      if (c != '\\')
        return set_problem (r, "unescaped control character in a string");
      if (!read_escape (r))
        return FALSE;
    }
}

static gsize
count_digits (const char *text)
{
  return strspn (text, "0123456789");
}

/* RFC 8259, section 6 */
static gboolean
is_number (const char *p)
{
  p += *p == '-';
  gsize whole = count_digits (p);
  if (whole == 0 || (whole > 1 && *p == '0'))
    return FALSE;
  p += whole;
  if (*p == '.')
    {
      gsize part = count_digits (++p);
      if (part == 0)
        return FALSE;
      p += part;
    }
  if (*p == 'e' || *p == 'E')
    {
      p++;
      p += *p == '-' || *p == '+';
      gsize exponent = count_digits (p);
      if (exponent == 0)
        return FALSE;
      p += exponent;
    }
  return *p == '\0';
}

static gboolean
read_json_word (LmJsonReader *r)
{
  const char *from = r->at;
  while (r->at < r->end && (g_ascii_isalnum (*r->at) || *r->at == '-' || *r->at == '+' || *r->at == '.'))
    r->at++;
  g_string_truncate (r->value, 0);
  g_string_append_len (r->value, from, r->at - from);
  const char *word = r->value->str;
  if (strcmp (word, "true") == 0 || strcmp (word, "false") == 0 || strcmp (word, "null") == 0 || is_number (word))
    return TRUE;
  return set_problem (r, "expected a value");
}

static gboolean
begin_collection (LmJsonReader *r, gboolean object)
{
  r->at++;
  if (r->depth == LM_JSON_DEPTH_MAX)
    return set_problem (r, "nested too deeply");
  r->in_object[r->depth++] = object;
  r->state = object ? KEY_OR_END : VALUE_OR_END;
  return TRUE;
}

static void
end_value (LmJsonReader *r)
{
  r->state = r->depth > 0 ? COMMA_OR_END : NOTHING;
}

/* Skips the comma or colon that must precede the next token, if any. */
static gboolean
skip_separator (LmJsonReader *r)
{
  skip_space (r);
  char c = r->at < r->end ? *r->at : '\0';
  if (r->state == COLON)
    {
      if (c != ':')
        return set_problem (r, "expected a colon after the key");
      r->state = VALUE;
    }
  else if (r->state == COMMA_OR_END && c == ',')
    r->state = r->in_object[r->depth - 1] ? KEY : VALUE;
  else
    return TRUE;
  r->at++;
  skip_space (r);
  return TRUE;
}

static gboolean
read_json_value (LmJsonReader *r, char c, LmJsonToken *out_token)
{
  if (c == '{' || c == '[')
    {
      *out_token = c == '{' ? LM_JSON_OBJECT : LM_JSON_ARRAY;
      return begin_collection (r, c == '{');
    }
  *out_token = c == '"' ? LM_JSON_STRING : LM_JSON_WORD;
  r->at += c == '"';
  if (c == '"' ? !read_string (r) : !read_json_word (r))
    return FALSE;
  end_value (r);
  return TRUE;
}

gboolean
lm_json_reader_next (LmJsonReader *r, LmJsonToken *out_token)
{
  if (!skip_separator (r))
    return FALSE;
  char c = r->at < r->end ? *r->at : '\0';
  if (r->state == NOTHING)
    {
      *out_token = LM_JSON_END;
      return r->at == r->end || set_problem (r, "unexpected text after the end");
    }
  gboolean may_end = r->state == KEY_OR_END || r->state == VALUE_OR_END || r->state == COMMA_OR_END;
  if (may_end && r->depth > 0 && c == (r->in_object[r->depth - 1] ? '}' : ']'))
    {
      *out_token = c == '}' ? LM_JSON_OBJECT_END : LM_JSON_ARRAY_END;
      r->at++;
      r->depth--;
      end_value (r);
      return TRUE;
    }
  if (r->state == COMMA_OR_END)
    return set_problem (r, r->in_object[r->depth - 1] ? "expected a comma or }" : "expected a comma or ]");
  if (r->state != KEY && r->state != KEY_OR_END)
    return read_json_value (r, c, out_token);
  if (c != '"')
    return set_problem (r, "expected a key in quotes");
  r->at++;
  *out_token = LM_JSON_STRING;
  r->state = COLON;
  return read_string (r);
}

gboolean
lm_json_is_valid (const char *text, gsize size)
{
  LmJsonReader reader;
  LmJsonToken token = LM_JSON_OBJECT;
  lm_json_reader_init (&reader, text, size);
  gboolean valid = TRUE;
  while (valid && token != LM_JSON_END)
    valid = lm_json_reader_next (&reader, &token);
  lm_json_reader_clear (&reader);
  return valid && g_utf8_validate_len (text, size, NULL);
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/yaml.h"
#include "base/error.h"
#include "base/json-reader.h"
#include "base/text.h"

#include <errno.h>
#include <string.h>
#include <yaml.h>

G_DEFINE_QUARK (lm-yaml-error-quark, lm_yaml_error)

const LmYamlLimits lm_yaml_limits_small = { .size = 1 << 20, .scalar = 256 << 10, .depth = 16, .nodes = 100000 };

struct _LmYamlReader
{
  char *name;
  gsize size;
  LmYamlLimits limits;
  gboolean is_json;
  LmJsonReader json;
  yaml_parser_t parser;
  yaml_event_t event; /* owns what the last LmYamlEvent points to */
  guint first_line;
  const char *text;
  guint depth;
  guint nodes;
};

/* A single scalar means the same in both languages. */
static gboolean
begins_as_json (const char *text, gsize size)
{
  while (size > 0 && strchr (" \t\r\n", *text) != NULL && *text != '\0')
    {
      text++;
      size--;
    }
  return size > 0 && (*text == '{' || *text == '[');
}

LmYamlReader *
lm_yaml_reader_new (const char *name, const char *text, gsize size, const LmYamlLimits *limits)
{
  gsize mark = lm_text_count_mark (text, size);
  text += mark;
  size -= mark;
  LmYamlReader *reader = g_new0 (LmYamlReader, 1);
  reader->name = g_strdup (name);
  reader->size = size;
  reader->limits = *limits;
  reader->first_line = 1;
  reader->text = text;
  reader->is_json = size <= limits->size && begins_as_json (text, size) && lm_json_is_valid (text, size);
  if (reader->is_json)
    {
      lm_json_reader_init (&reader->json, text, size);
      return reader;
    }
  if (!yaml_parser_initialize (&reader->parser))
    g_error ("out of memory");
  yaml_parser_set_encoding (&reader->parser, YAML_UTF8_ENCODING);
  yaml_parser_set_input_string (&reader->parser, (const unsigned char *) text, size);
  return reader;
}

void
lm_yaml_reader_free (LmYamlReader *reader)
{
  if (reader == NULL)
    return;
  if (reader->is_json)
    lm_json_reader_clear (&reader->json);
  else
    {
      yaml_event_delete (&reader->event);
      yaml_parser_delete (&reader->parser);
    }
  g_free (reader->name);
  g_free (reader);
}

void
lm_yaml_reader_set_first_line (LmYamlReader *reader, guint line)
{
  reader->first_line = line;
}

guint
lm_yaml_reader_get_nodes (const LmYamlReader *reader)
{
  return reader->nodes;
}

static gboolean
throw_at_line (LmYamlReader *reader, GError **error, LmYamlError code, gsize line, const char *what)
{
  return lm_throw (error, LM_YAML_ERROR, code, "%s:%" G_GSIZE_FORMAT ": %s", reader->name, line, what);
}

static gsize
count_newlines (const LmYamlReader *reader, gsize offset)
{
  gsize n = 0;
  for (gsize i = 0; i < MIN (offset, reader->size); i++)
    n += reader->text[i] == '\n';
  return n;
}

/* Whether "{" is followed by a quoted key, as hardly anybody writes it in YAML. */
static gboolean
is_meant_as_json (const LmYamlReader *reader)
{
  g_autofree char *start = g_strndup (reader->text, MIN (reader->size, 4096));
  const char *brace = start + strspn (start, " \t\r\n");
  return brace[0] == '{' && brace[1 + strspn (brace + 1, " \t\r\n")] == '"';
}

/* Finds what is wrong with the text as JSON, for a user who meant to write JSON;
 * FALSE if it does not begin like JSON or is correct. libyaml may report an earlier
 * position, at which the text is correct JSON. */
static gboolean
find_json_problem (const LmYamlReader *reader, const char **out_problem, gsize *out_line)
{
  if (!begins_as_json (reader->text, reader->size))
    return FALSE;
  LmJsonReader json;
  LmJsonToken token = LM_JSON_OBJECT;
  lm_json_reader_init (&json, reader->text, reader->size);
  gboolean good = TRUE;
  while (good && token != LM_JSON_END)
    good = lm_json_reader_next (&json, &token);
  lm_json_reader_clear (&json);
  *out_problem = json.problem;
  *out_line = json.line + reader->first_line - 1;
  return !good;
}

static gboolean
throw_parser (LmYamlReader *reader, GError **error)
{
  const yaml_parser_t *p = &reader->parser;
  const char *problem = p->problem ? p->problem : "cannot be read";
  if (p->error == YAML_MEMORY_ERROR)
    g_error ("out of memory");
  /* libyaml's reader, which is ahead of the parser, gives no line for its errors
   * (bad UTF-8, control characters). */
  gsize before = p->error == YAML_READER_ERROR ? count_newlines (reader, p->problem_offset) : p->problem_mark.line;
  gsize line = before + reader->first_line;
  g_autofree char *what = g_strconcat (problem, p->context ? " " : "", p->context ? p->context : "", NULL);
  const char *json;
  gsize json_line;
  if (!find_json_problem (reader, &json, &json_line))
    return throw_at_line (reader, error, LM_YAML_ERROR_SYNTAX, line, what);
  g_autofree char *both = g_strdup_printf ("%s; as YAML, line %" G_GSIZE_FORMAT ": %s", json, line, what);
  return throw_at_line (reader, error, LM_YAML_ERROR_SYNTAX, json_line, is_meant_as_json (reader) ? json : both);
}

static gboolean
check_scalar (LmYamlReader *reader, const LmYamlEvent *event, GError **error)
{
  if (event->length > reader->limits.scalar)
    return throw_at_line (reader, error, LM_YAML_ERROR_LIMIT, event->line, "the value is too long");
  if (memchr (event->text, '\0', event->length) != NULL)
    return throw_at_line (reader, error, LM_YAML_ERROR_UNSUPPORTED, event->line, "a value must not contain a NUL byte");
  return TRUE;
}

static gboolean
count_node (LmYamlReader *reader, const LmYamlEvent *event, const yaml_char_t *tag, GError **error)
{
  if (tag != NULL)
    return throw_at_line (reader, error, LM_YAML_ERROR_UNSUPPORTED, event->line, "tags (!...) are not supported");
  if (++reader->nodes > reader->limits.nodes)
    return throw_at_line (reader, error, LM_YAML_ERROR_LIMIT, event->line, "the document has too many values");
  if (event->kind != LM_YAML_SCALAR && ++reader->depth > reader->limits.depth)
    return throw_at_line (reader, error, LM_YAML_ERROR_LIMIT, event->line, "nested too deeply");
  return TRUE;
}

/* Block scalars ("|" and ">") end with line ends that belong to the notation, not
 * to the value. */
static void
strip_line_ends (yaml_char_t *text, gsize *length)
{
  while (*length > 0 && text[*length - 1] == '\n')
    text[--*length] = '\0';
}

/* Converts the event in the reader to *out, which is zeroed. Sets *out_skip if it is
 * about the stream or its documents and therefore not for the caller. */
static gboolean
translate_event (LmYamlReader *reader, LmYamlEvent *out, gboolean *out_skip, GError **error)
{
  yaml_event_t *e = &reader->event;
  *out_skip = FALSE;
  out->line = (guint) MIN (e->start_mark.line + reader->first_line, G_MAXUINT);
  switch (e->type)
    {
    case YAML_SCALAR_EVENT:
      out->kind = LM_YAML_SCALAR;
      out->text = (const char *) e->data.scalar.value;
      out->length = e->data.scalar.length;
      out->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
      if (e->data.scalar.style == YAML_LITERAL_SCALAR_STYLE || e->data.scalar.style == YAML_FOLDED_SCALAR_STYLE)
        strip_line_ends (e->data.scalar.value, &out->length);
      return count_node (reader, out, e->data.scalar.tag, error) && check_scalar (reader, out, error);
    case YAML_SEQUENCE_START_EVENT:
      out->kind = LM_YAML_SEQUENCE;
      return count_node (reader, out, e->data.sequence_start.tag, error);
    case YAML_MAPPING_START_EVENT:
      out->kind = LM_YAML_MAPPING;
      return count_node (reader, out, e->data.mapping_start.tag, error);
    case YAML_SEQUENCE_END_EVENT:
    case YAML_MAPPING_END_EVENT:
      out->kind = e->type == YAML_SEQUENCE_END_EVENT ? LM_YAML_SEQUENCE_END : LM_YAML_MAPPING_END;
      reader->depth--;
      return TRUE;
    case YAML_ALIAS_EVENT:
      return throw_at_line (reader, error, LM_YAML_ERROR_UNSUPPORTED, out->line,
                            "aliases (*name) are not supported; repeat the value");
    case YAML_STREAM_END_EVENT:
      out->kind = LM_YAML_END;
      if (reader->nodes > 0)
        return TRUE;
      *out = (LmYamlEvent){ .kind = LM_YAML_SCALAR, .line = out->line, .text = "", .plain = TRUE };
      reader->nodes++;
      return TRUE;
    case YAML_DOCUMENT_START_EVENT:
      if (reader->nodes > 0)
        return throw_at_line (reader, error, LM_YAML_ERROR_SYNTAX, out->line, "a second document (---) is not allowed");
      *out_skip = TRUE;
      return TRUE;
    case YAML_STREAM_START_EVENT:
    case YAML_DOCUMENT_END_EVENT:
    case YAML_NO_EVENT:
    default:
      *out_skip = TRUE;
      return TRUE;
    }
}

static gboolean
next_json_event (LmYamlReader *reader, LmYamlEvent *out, GError **error)
{
  static const LmYamlKind kinds[] = { [LM_JSON_OBJECT] = LM_YAML_MAPPING,
                                      [LM_JSON_OBJECT_END] = LM_YAML_MAPPING_END,
                                      [LM_JSON_ARRAY] = LM_YAML_SEQUENCE,
                                      [LM_JSON_ARRAY_END] = LM_YAML_SEQUENCE_END,
                                      [LM_JSON_STRING] = LM_YAML_SCALAR,
                                      [LM_JSON_WORD] = LM_YAML_SCALAR,
                                      [LM_JSON_END] = LM_YAML_END };
  LmJsonToken token;
  if (!lm_json_reader_next (&reader->json, &token))
    return throw_at_line (reader, error, LM_YAML_ERROR_SYNTAX, reader->json.line, reader->json.problem);
  *out = (LmYamlEvent){ .kind = kinds[token], .line = reader->json.line + reader->first_line - 1 };
  if (out->kind == LM_YAML_MAPPING_END || out->kind == LM_YAML_SEQUENCE_END)
    reader->depth--;
  if (out->kind == LM_YAML_MAPPING_END || out->kind == LM_YAML_SEQUENCE_END || out->kind == LM_YAML_END)
    return TRUE;
  if (out->kind == LM_YAML_SCALAR)
    {
      out->text = reader->json.value->str;
      out->length = reader->json.value->len;
      out->plain = token == LM_JSON_WORD;
    }
  return count_node (reader, out, NULL, error) && (out->kind != LM_YAML_SCALAR || check_scalar (reader, out, error));
}

static gboolean
next_yaml_event (LmYamlReader *reader, LmYamlEvent *out, GError **error)
{
  gboolean skip = TRUE;
  if (reader->event.type == YAML_STREAM_END_EVENT)
    {
      guint line = (guint) MIN (reader->event.start_mark.line + reader->first_line, G_MAXUINT);
      *out = (LmYamlEvent){ .kind = LM_YAML_END, .line = line };
      return TRUE;
    }
  while (skip)
    {
      yaml_event_delete (&reader->event);
      if (!yaml_parser_parse (&reader->parser, &reader->event))
        return throw_parser (reader, error);
      if (!translate_event (reader, out, &skip, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
lm_yaml_reader_next (LmYamlReader *reader, LmYamlEvent *out_event, GError **error)
{
  LmYamlEvent event = { 0 };
  if (reader->size > reader->limits.size)
    return throw_at_line (reader, error, LM_YAML_ERROR_LIMIT, 1, "the document is too large");
  if (!(reader->is_json ? next_json_event : next_yaml_event) (reader, &event, error))
    return FALSE;
  *out_event = event;
  return TRUE;
}

gboolean
lm_yaml_reader_skip (LmYamlReader *reader, const LmYamlEvent *event, GError **error)
{
  if (event->kind != LM_YAML_SEQUENCE && event->kind != LM_YAML_MAPPING)
    return TRUE;
  return lm_yaml_reader_leave (reader, reader->depth - 1, error);
}

guint
lm_yaml_reader_get_depth (const LmYamlReader *reader)
{
  return reader->depth;
}

gboolean
lm_yaml_reader_leave (LmYamlReader *reader, guint depth, GError **error)
{
  LmYamlEvent inner;
  while (reader->depth > depth)
    if (!lm_yaml_reader_next (reader, &inner, error))
      return FALSE;
  return TRUE;
}

static gboolean
is_one_of (const char *text, const char *const *words)
{
  for (; *words; words++)
    {
      /* the three accepted spellings are yes, Yes and YES */
      if (g_ascii_strcasecmp (text, *words) != 0)
        continue;
      gboolean tail_lower = TRUE, all_upper = TRUE;
      for (const char *p = text; *p; p++)
        {
          tail_lower = tail_lower && (p == text || g_ascii_islower (*p));
          all_upper = all_upper && g_ascii_isupper (*p);
        }
      return tail_lower || all_upper;
    }
  return FALSE;
}

static const char *const true_words[] = { "true", "yes", "on", NULL };
static const char *const false_words[] = { "false", "no", "off", NULL };
static const char *const null_words[] = { "null", NULL };

/* Decimal, octal, hexadecimal, binary; '_' may separate digits. */
static gboolean
looks_like_int (const char *p)
{
  const char *digits = "0123456789_";
  p += *p == '-' || *p == '+';
  if (p[0] == '0' && (p[1] == 'x' || p[1] == 'b' || p[1] == 'o') && p[2] != '\0')
    {
      digits = p[1] == 'x' ? "0123456789abcdefABCDEF_" : "01234567_";
      p += 2;
    }
  return g_ascii_isxdigit (*p) && p[strspn (p, digits)] == '\0';
}

static gboolean
looks_like_float (const char *p)
{
  static const char *const special[] = { ".inf", ".Inf", ".INF", ".nan", ".NaN", ".NAN", NULL };
  p += *p == '-' || *p == '+';
  if (g_strv_contains (special, p))
    return TRUE;
  gsize whole = strspn (p, "0123456789_"), part = 0;
  gboolean point = p[whole] == '.';
  p += whole;
  if (point)
    {
      part = strspn (++p, "0123456789_");
      p += part;
    }
  if (whole + part == 0)
    return FALSE;
  if (*p == 'e' || *p == 'E')
    {
      p++;
      p += *p == '-' || *p == '+';
      if (!g_ascii_isdigit (*p))
        return FALSE;
      p += strspn (p, "0123456789");
      return *p == '\0';
    }
  return point && *p == '\0';
}

LmYamlType
lm_yaml_type_of (const char *text, gboolean plain)
{
  if (!plain)
    return LM_YAML_STRING;
  if (*text == '\0' || strcmp (text, "~") == 0)
    return LM_YAML_NULL;
  if (g_ascii_isdigit (*text) || *text == '-' || *text == '+' || *text == '.')
    return looks_like_int (text) ? LM_YAML_INT : looks_like_float (text) ? LM_YAML_FLOAT : LM_YAML_STRING;
  if (strchr ("tTyYoOfFnN", *text) == NULL || strlen (text) > strlen ("false"))
    return LM_YAML_STRING;
  if (is_one_of (text, true_words) || is_one_of (text, false_words))
    return LM_YAML_BOOL;
  return is_one_of (text, null_words) ? LM_YAML_NULL : LM_YAML_STRING;
}

const char *
lm_yaml_type_name (LmYamlType type)
{
  switch (type)
    {
    case LM_YAML_STRING:
      return "a string";
    case LM_YAML_NULL:
      return "nothing";
    case LM_YAML_BOOL:
      return "true or false";
    case LM_YAML_INT:
      return "a whole number";
    case LM_YAML_FLOAT:
    default:
      return "a number";
    }
}

const char *
lm_yaml_kind_name (LmYamlKind kind)
{
  return kind == LM_YAML_SEQUENCE ? "a list" : kind == LM_YAML_MAPPING ? "a mapping" : "a single value";
}

gboolean
lm_yaml_bool_value (const char *text)
{
  return is_one_of (text, true_words);
}

gboolean
lm_yaml_int_value (const char *text, gint64 *out_value)
{
  const char *digits = text + (*text == '-' || *text == '+');
  char *end;
  if (!g_ascii_isdigit (*digits) || (digits[0] == '0' && digits[1] != '\0'))
    return FALSE;
  errno = 0;
  gint64 value = g_ascii_strtoll (text, &end, 10);
  if (errno != 0 || *end != '\0')
    return FALSE;
  *out_value = value;
  return TRUE;
}

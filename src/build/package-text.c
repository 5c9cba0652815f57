/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "build/package-text.h"
#include "base/error.h"
#include "build/packages.h"

#include <string.h>

/* libsolv follows alternatives and conditions by recursion. No real index has more. */
#define MAX_ALTERNATIVES 1000
#define MAX_NESTING 100
/* With a million dependencies of one package, libsolv takes minutes. Debian's longest line has 76 KB. */
#define MAX_LINE (1024 * 1024)

/* Debian's priorities, the most important first. */
static const char *const priorities[] = { "required", "important", "standard", "optional" };

const char *
lm_package_text_field (const char *line, gsize *size, const char *name)
{
  const gsize length = strlen (name);
  if (*size <= length || line[length] != ':' || g_ascii_strncasecmp (line, name, length) != 0)
    return NULL;
  const char *value = line + length + 1, *end = line + *size;
  while (value < end && (*value == ' ' || *value == '\t'))
    value++;
  *size = (gsize) (end - value);
  return value;
}

static guint
parse_priority (const char *value, gsize size)
{
  guint i = 0;
  while (i < G_N_ELEMENTS (priorities) && (strlen (priorities[i]) != size || memcmp (value, priorities[i], size) != 0))
    i++;
  return i;
}

static guint64
parse_number (const char *value, gsize size)
{
  guint64 number = 0;
  for (gsize i = 0; i < size && g_ascii_isdigit (value[i]) && number < G_MAXUINT32 * G_GUINT64_CONSTANT (1000); i++)
    number = number * 10 + (guint64) (value[i] - '0');
  return number;
}

static gboolean
is_yes (const char *value, gsize size)
{
  return size == 3 && g_ascii_strncasecmp (value, "yes", 3) == 0;
}

static void
parse_digest (const char *value, gsize size, LmPackageExtra *extra)
{
  g_autofree char *text = g_strdup_printf ("sha256:%.*s", (int) MIN (size, LM_DIGEST_STRING_SIZE), value);
  extra->has_digest = lm_digest_parse (g_strchomp (text), &extra->digest, NULL);
}

/* As lm_package_text_field(), but quick for the many lines that begin with another letter. */
static const char *
find_field (const char *line, gsize length, const char *name, gsize *out_size)
{
  *out_size = length;
  return (*line | 0x20) == (*name | 0x20) ? lm_package_text_field (line, out_size, name) : NULL;
}

/* Reads a line of the record that @extra describes. Returns whether it is the record's name. */
static gboolean
read_line (const char *line, gsize length, LmPackageExtra *extra)
{
  gsize size;
  const char *value;
  if ((value = find_field (line, length, "Size", &size)) != NULL)
    extra->size = parse_number (value, size);
  else if ((value = find_field (line, length, "SHA256", &size)) != NULL)
    parse_digest (value, size, extra);
  else if ((value = find_field (line, length, "Priority", &size)) != NULL)
    extra->priority = parse_priority (value, size);
  else if ((value = find_field (line, length, "Essential", &size)) != NULL)
    extra->kept |= extra->essential = is_yes (value, size);
  else if ((value = find_field (line, length, "Protected", &size)) != NULL
           || (value = find_field (line, length, "Important", &size)) != NULL)
    extra->kept |= is_yes (value, size);
  return find_field (line, length, "Package", &size) != NULL;
}

void
lm_package_text_read_extras (const char *text, gsize size, GArray *extras)
{
  const LmPackageExtra none = { .priority = G_N_ELEMENTS (priorities) };
  LmPackageExtra extra = none;
  gboolean named = FALSE;
  for (const char *line = text, *end = text + size; line < end;)
    {
      const char *newline = memchr (line, '\n', (gsize) (end - line));
      const gsize length = (gsize) ((newline ? newline : end) - line);
      named |= read_line (line, length, &extra);
      line += length + 1;
      if ((length == 0 || line >= end) && named)
        {
          g_array_append_val (extras, extra);
          extra = none;
          named = FALSE;
        }
    }
}

static gboolean
has_long_line (const char *text, const char *end)
{
  for (const char *newline; end - text > MAX_LINE; text = newline + 1)
    if ((newline = memchr (text, '\n', MAX_LINE + 1)) == NULL)
      return TRUE;
  return FALSE;
}

/* How often @character is in what begins at @text, up to one of @ends; *out_end is there. */
static gsize
count_until (const char *text, const char *end, char character, char ends, const char **out_end)
{
  gsize count = 0;
  for (; text < end && *text != ends; text++)
    count += *text == character;
  *out_end = text;
  return count;
}

gboolean
lm_package_text_check (const char *text, gsize size, gboolean is_debian, const char *shown, GError **error)
{
  const char *const end = text + size;
  const char *problem = memchr (text, '\0', size) != NULL ? "it has NUL bytes"
                        : is_debian && g_strstr_len (text, (gssize) MIN (size, 65536), "\r\n") != NULL ? "its lines end with CR LF"
                        : is_debian && has_long_line (text, end) ? "a line is longer than 1 MiB" : NULL;
  for (const char *part = text; problem == NULL && part < end; part++)
    if (is_debian && count_until (part, end, '|', '\n', &part) > MAX_ALTERNATIVES)
      problem = "a dependency has too many alternatives";
    else if (!is_debian && count_until (part, end, '(', '"', &part) > MAX_NESTING)
      problem = "a dependency is nested too deeply";
  return problem == NULL || lm_throw (error, LM_PACKAGES_ERROR, LM_PACKAGES_ERROR_INVALID, "%s: %s", shown, problem);
}

GBytes *
lm_package_text_end_line (GBytes *index)
{
  gsize size;
  const char *text = g_bytes_get_data (index, &size);
  if (text[size - 1] == '\n')
    return g_bytes_ref (index);
  char *copy = g_malloc (size + 1);
  memcpy (copy, text, size);
  copy[size] = '\n';
  return g_bytes_new_take (copy, size + 1);
}

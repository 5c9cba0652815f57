/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cli/output.h"
#include "base/json.h"
#include "base/text.h"
#include "base/url.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

struct _LmTable
{
  guint n_columns;
  gboolean *right;
  GPtrArray *cells; /* row by row, titles first */
  GArray *lengths;  /* glong: of the cells, in characters */
};

/* Returns how many printable ASCII characters @text begins with: nearly always all of it. */
static gsize
count_plain (const char *text)
{
  gsize n = 0;
  while (text[n] >= ' ' && text[n] <= '~')
    n++;
  return n;
}

char *
lm_output_safe (const char *text)
{
  const gsize plain = count_plain (text);
  if (text[plain] == '\0')
    return g_strndup (text, plain);
  if (g_utf8_validate (text, -1, NULL) && lm_text_find_unprintable (text) == NULL)
    return g_strdup (text);
  g_autofree char *valid = g_utf8_make_valid (text, -1);
  g_autoptr (GString) safe = g_string_new (NULL);
  const char *from = valid, *bad;
  while ((bad = lm_text_find_unprintable (from)) != NULL)
    {
      g_string_append_len (safe, from, bad - from);
      g_string_append_c (safe, '?');
      from = g_utf8_next_char (bad);
    }
  g_string_append (safe, from);
  return g_string_free (g_steal_pointer (&safe), FALSE);
}

char *
lm_output_message (const char *text)
{
  g_autofree char *public = lm_url_redact_text (text);
  return lm_output_safe (public);
}

/* Takes ownership of @text. */
static void
add_cell (LmTable *table, char *text)
{
  const gsize plain = count_plain (text);
  const glong length = (glong) plain + g_utf8_strlen (text + plain, -1);
  g_ptr_array_add (table->cells, text);
  g_array_append_val (table->lengths, length);
}

LmTable *
lm_table_new (const char *const *titles)
{
  LmTable *table = g_new0 (LmTable, 1);
  table->n_columns = g_strv_length ((char **) titles);
  table->right = g_new0 (gboolean, table->n_columns);
  table->cells = g_ptr_array_new_with_free_func (g_free);
  table->lengths = g_array_new (FALSE, FALSE, sizeof (glong));
  for (guint i = 0; i < table->n_columns; i++)
    {
      table->right[i] = titles[i][0] == '>';
      add_cell (table, g_strdup (titles[i] + (table->right[i] ? 1 : 0)));
    }
  return table;
}

void
lm_table_free (LmTable *table)
{
  if (table == NULL)
    return;
  g_ptr_array_unref (table->cells);
  g_array_unref (table->lengths);
  g_free (table->right);
  g_free (table);
}

void
lm_table_add (LmTable *table, const char *const *cells)
{
  for (guint i = 0; i < table->n_columns; i++)
    add_cell (table, cells[i] ? lm_output_safe (cells[i]) : g_strdup ("-"));
}

static void
add_spaces (GString *line, gsize n)
{
  const gsize before = line->len;
  g_string_set_size (line, before + n);
  memset (line->str + before, ' ', n);
}

static void
print_table_row (LmTable *table, guint row, const glong *widths, GString *line)
{
  g_string_truncate (line, 0);
  for (guint i = 0; i < table->n_columns; i++)
    {
      const guint at = row * table->n_columns + i;
      const gsize pad = (gsize) (widths[i] - g_array_index (table->lengths, glong, at));
      if (table->right[i])
        add_spaces (line, pad);
      g_string_append (line, g_ptr_array_index (table->cells, at));
      if (!table->right[i])
        add_spaces (line, pad);
      if (i + 1 < table->n_columns)
        add_spaces (line, 2);
    }
  puts (g_strchomp (line->str));
}

void
lm_table_print (LmTable *table)
{
  g_autofree glong *widths = g_new0 (glong, table->n_columns);
  g_autoptr (GString) line = g_string_new (NULL);
  for (guint i = 0; i < table->cells->len; i++)
    {
      glong *width = &widths[i % table->n_columns];
      *width = MAX (*width, g_array_index (table->lengths, glong, i));
    }
  for (guint row = 0; row < table->cells->len / table->n_columns; row++)
    print_table_row (table, row, widths, line);
  lm_table_free (table);
}

void
lm_output_json (JsonBuilder *builder)
{
  json_builder_end_object (builder);
  g_autofree char *text = lm_json_finish (builder);
  fputs (text, stdout);
}

void
lm_output_warning (const char *format, ...)
{
  va_list args;
  va_start (args, format);
  g_autofree char *text = g_strdup_vprintf (format, args);
  va_end (args);
  g_autofree char *safe = lm_output_message (text);
  fprintf (stderr, "lamina: warning: %s\n", safe);
}

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
};

char *
lm_output_safe (const char *text)
{
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

LmTable *
lm_table_new (const char *const *titles)
{
  LmTable *table = g_new0 (LmTable, 1);
  table->n_columns = g_strv_length ((char **) titles);
  table->right = g_new0 (gboolean, table->n_columns);
  table->cells = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < table->n_columns; i++)
    {
      table->right[i] = titles[i][0] == '>';
      g_ptr_array_add (table->cells, g_strdup (titles[i] + (table->right[i] ? 1 : 0)));
    }
  return table;
}

void
lm_table_free (LmTable *table)
{
  if (table == NULL)
    return;
  g_ptr_array_unref (table->cells);
  g_free (table->right);
  g_free (table);
}

void
lm_table_add (LmTable *table, const char *const *cells)
{
  for (guint i = 0; i < table->n_columns; i++)
    g_ptr_array_add (table->cells, cells[i] ? lm_output_safe (cells[i]) : g_strdup ("-"));
}

static void
print_table_row (LmTable *table, guint row, const glong *widths)
{
  g_autoptr (GString) line = g_string_new (NULL);
  for (guint i = 0; i < table->n_columns; i++)
    {
      const char *cell = g_ptr_array_index (table->cells, row * table->n_columns + i);
      int pad = (int) (widths[i] - g_utf8_strlen (cell, -1));
      if (table->right[i])
        g_string_append_printf (line, "%*s%s", pad, "", cell);
      else
        g_string_append_printf (line, "%s%*s", cell, pad, "");
      if (i + 1 < table->n_columns)
        g_string_append (line, "  ");
    }
  puts (g_strchomp (line->str));
}

void
lm_table_print (LmTable *table)
{
  g_autofree glong *widths = g_new0 (glong, table->n_columns);
  for (guint i = 0; i < table->cells->len; i++)
    {
      glong width = g_utf8_strlen (g_ptr_array_index (table->cells, i), -1);
      widths[i % table->n_columns] = MAX (widths[i % table->n_columns], width);
    }
  for (guint row = 0; row < table->cells->len / table->n_columns; row++)
    print_table_row (table, row, widths);
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

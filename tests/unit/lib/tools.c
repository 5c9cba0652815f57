/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "tests/unit/lib/tools.h"
#include "io/run.h"

#include <stdarg.h>

gboolean
tools_have (const char *program)
{
  g_autofree char *path = g_find_program_in_path (program);
  g_autofree char *why = g_strdup_printf ("%s is not installed", program);
  if (path == NULL)
    g_test_skip (why);
  return path != NULL;
}

char *
tools_run (const char *const *argv)
{
  g_autoptr (GError) error = NULL;
  char *out = NULL;
  g_assert_true (lm_run (argv, NULL, &out, NULL, &error));
  g_assert_no_error (error);
  return out;
}

char *
tools_mkqcow2 (const char *first, ...)
{
  g_autofree char *script = g_test_build_filename (G_TEST_DIST, "lib", "mkqcow2.py", NULL);
  g_autoptr (GPtrArray) argv = g_ptr_array_new ();
  g_ptr_array_add (argv, (char *) "python3");
  g_ptr_array_add (argv, script);
  va_list rest;
  va_start (rest, first);
  for (const char *word = first; word != NULL; word = va_arg (rest, const char *))
    g_ptr_array_add (argv, (char *) word);
  va_end (rest);
  g_ptr_array_add (argv, NULL);
  return tools_run ((const char *const *) argv->pdata);
}

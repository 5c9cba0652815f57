/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "doctor/check.h"

#include <string.h>

void
lm_check_add (LmDoctor *doctor, LmDiagnosisLevel level, char *command, const char *format, ...)
{
  LmDiagnosis *diagnosis = g_new0 (LmDiagnosis, 1);
  va_list arguments;
  va_start (arguments, format);
  *diagnosis = (LmDiagnosis){ doctor->check, level, g_strdup_vprintf (format, arguments), command };
  va_end (arguments);
  g_ptr_array_add (doctor->diagnoses, diagnosis);
}

char *
lm_check_quote (const char *program, const char *path)
{
  /* Without quotes where none are needed, which reads better. */
  gboolean plain = TRUE;
  for (const char *p = path; *p != '\0'; p++)
    plain = plain && (g_ascii_isalnum (*p) || strchr ("/._-+:@", *p) != NULL);
  g_autofree char *quoted = plain && *path != '\0' ? g_strdup (path) : g_shell_quote (path);
  return g_strconcat (program, " ", quoted, NULL);
}

char *
lm_check_name_some (const GPtrArray *names)
{
  const char *first = names->pdata[0];
  if (names->len == 1)
    return g_strdup (first);
  if (names->len == 2)
    return g_strdup_printf ("%s and %s", first, (const char *) names->pdata[1]);
  return g_strdup_printf ("%s and %u others", first, names->len - 1);
}

char *
lm_check_directory (const LmDoctor *doctor, const char *name)
{
  return g_build_filename (doctor->host->state_dir, name, NULL);
}

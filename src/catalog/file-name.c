/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "catalog/file-name.h"
#include "catalog/selection.h"

#include <string.h>

static const char *const suffixes[] = { ".qcow2", ".img", ".raw", ".xz", ".gz", ".zst", ".bz2" };

static const struct
{
  const char *word;
  const char *arch;
} arches[] = {
  { "amd64", "x86_64" }, { "x86_64", "x86_64" }, { "arm64", "aarch64" }, { "aarch64", "aarch64" }, { "ppc64el", "ppc64le" },
  { "ppc64le", "ppc64le" }, { "s390x", "s390x" }, { "riscv64", "riscv64" }, { "i386", "i686" }, { "i686", "i686" },
};

static void
cut_suffixes (char *text)
{
  for (gboolean cut = TRUE; cut;)
    {
      cut = FALSE;
      for (gsize i = 0; i < G_N_ELEMENTS (suffixes) && !cut; i++)
        if (g_str_has_suffix (text, suffixes[i]))
          {
            text[strlen (text) - strlen (suffixes[i])] = '\0';
            cut = TRUE;
          }
    }
}

/* Cuts "-ARCH", "_ARCH" or ".ARCH" off the end of @text. */
static char *
cut_arch (char *text)
{
  for (gsize i = 0; i < G_N_ELEMENTS (arches); i++)
    {
      gsize length = strlen (text), width = strlen (arches[i].word);
      if (length <= width + 1 || strcmp (text + length - width, arches[i].word) != 0
          || strchr ("-_.", text[length - width - 1]) == NULL)
        continue;
      text[length - width - 1] = '\0';
      return g_strdup (arches[i].arch);
    }
  return NULL;
}

LmFileName
lm_file_name_parse (const char *file_name)
{
  LmFileName parsed = { 0 };
  g_autofree char *text = g_ascii_strdown (file_name, -1);
  cut_suffixes (text);
  parsed.arch = cut_arch (text);
  char *version = strrchr (text, '-');
  if (version == NULL)
    return parsed;
  *version++ = '\0';
  gsize digits = strspn (version, "0123456789.");
  gboolean plain = g_ascii_isalpha (text[0]) && strspn (text, "abcdefghijklmnopqrstuvwxyz") == strlen (text);
  if (!plain || !g_ascii_isdigit (*version) || version[digits] != '\0' || g_str_has_suffix (version, ".")
      || !lm_name_is_valid (text) || !lm_version_is_valid (version))
    return parsed;
  parsed.name = g_strdup (text);
  parsed.version = g_strdup (version);
  return parsed;
}

void
lm_file_name_clear (LmFileName *parsed)
{
  g_free (parsed->name);
  g_free (parsed->version);
  g_free (parsed->arch);
}

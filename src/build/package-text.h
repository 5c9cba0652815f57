/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The text of a package index, before and beside libsolv. Pure. */
#include "base/digest.h"
#include <gio/gio.h>

/* What libsolv does not keep of Debian's index. */
typedef struct
{
  guint64 size;   /* of the package's file in bytes; 0 if it is not given */
  guint priority; /* from 0, the most important: required, important, standard, optional, others */
  gboolean essential; /* part of every system */
  gboolean kept;      /* must not be removed: essential, protected or important */
  gboolean has_digest;
  LmDigest digest; /* SHA-256 of the package's file; libsolv keeps only the longest of several checksums */
} LmPackageExtra;

/** lm_package_text_check: refuses what libsolv would read differently than
 * lm_package_text_read_extras(), or with unlimited recursion. Messages call the index @shown.
 * Errors: LM_PACKAGES_ERROR_INVALID. */
gboolean lm_package_text_check (const char *text, gsize size, gboolean is_debian, const char *shown,
                                GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_package_text_end_line: returns @index, which is not empty, with a newline at its end,
 * because libsolv drops a last line without one; a new reference. */
GBytes *lm_package_text_end_line (GBytes *index);

/** lm_package_text_field: if the line of *@size bytes at @line is the field @name, returns
 * its value and stores the value's length in *@size; else NULL. Names of fields are
 * case-insensitive. */
const char *lm_package_text_field (const char *line, gsize *size, const char *name);

/** lm_package_text_read_extras: appends an LmPackageExtra to @extras for each record of Debian's
 * index, in their order, which is also the order in which libsolv numbers the packages. */
void lm_package_text_read_extras (const char *text, gsize size, GArray *extras);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Recognizes files that are not what was expected, such as an HTML page in place of
 * a layer. For error messages only: no decision depends on the result. */
#include <gio/gio.h>

/** lm_content_recognize: returns what kind of file begins with the @size bytes at
 * @data, such as "a gzip-compressed file", or NULL if it is not recognized. Sets
 * *out_advice (which may be NULL) to what the user can do about it. Both strings
 * are static. Disk images are recognized only if @data holds the first 36 KiB. */
const char *lm_content_recognize (const void *data, gsize size, const char **out_advice);

/* So many bytes from the beginning are enough to recognize most kinds. */
#define LM_CONTENT_HEAD 512

/** lm_content_describe: returns text to append to a message about a layer that is
 * not a qcow2 image, in the form ": it is ...; do ...", or "" if the @size bytes at
 * @data are not recognized. Newly allocated. */
char *lm_content_describe (const void *data, gsize size);

/** lm_content_check: whether the file @name with @bytes may be what is @wanted ("a YAML or
 * JSON file"), that is, is not recognized as something else. Error: G_IO_ERROR_INVALID_DATA,
 * "NAME is ..., not WANTED". */
gboolean lm_content_check (GBytes *bytes, const char *name, const char *wanted, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What a file is that should have been another, for messages only: nothing is
 * decided by it. */
#include <glib.h>

/** lm_content_recognize: what the @size bytes at the beginning of a file say it
 * is ("a file compressed with gzip"); NULL: nothing that is known. *out_advice
 * (may be NULL) becomes what to do about it. Both are static. For disk images
 * the first 36 KiB are looked at. */
const char *lm_content_recognize (const void *data, gsize size, const char **out_advice);

/* So many first bytes tell most kinds apart. */
#define LM_CONTENT_HEAD 512

/** lm_content_describe: ": it is a ...; do ...", to be put after a message about
 * a layer, for what is no qcow2 image by its first @size bytes; "" if nothing is
 * known of it. Newly allocated. */
char *lm_content_describe (const void *data, gsize size);

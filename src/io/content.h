/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What a file is that is not what was expected, by its first bytes; for
 * messages only, nothing is decided by it. Pure. */
#include <glib.h>

/* So many first bytes are enough. */
#define LM_CONTENT_HEAD 512

/** lm_content_describe: ": it is a ..., do ...", to be put after a message, for
 * the file that begins with the @size bytes at @head; "" if nothing is known
 * of it that would help. Static. */
const char *lm_content_describe (const void *head, gsize size);

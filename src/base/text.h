/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Text that others wrote: its encoding, what of it may be printed, and words that
 * are safe wherever a name is allowed. */
#include <glib.h>

/** lm_text_count_mark: returns the number of bytes of the UTF-8 byte order mark at
 * the beginning of @text: 3 or 0. */
gsize lm_text_count_mark (const char *text, gsize size);

/** lm_text_normalize: returns the text @bytes as UTF-8 without a byte order mark.
 * UTF-16 is recognized by its byte order mark; any other text is returned
 * unchanged. Line ends are kept. Newly allocated, or a reference to @bytes. */
GBytes *lm_text_normalize (GBytes *bytes);

/** lm_text_find_unprintable: returns the first character of the UTF-8 @text that
 * must not be printed, or NULL if there is none: control characters, line and
 * paragraph separators, and invisible characters that change how other text looks,
 * such as direction marks and overrides. The joiners that scripts and emoji need
 * (U+200C, U+200D) are allowed. */
const char *lm_text_find_unprintable (const char *text);

/** lm_text_compare: compares two elements of a GPtrArray of texts by their bytes, for g_ptr_array_sort(). */
int lm_text_compare (gconstpointer a, gconstpointer b);

/** lm_text_is_word: whether @text consists of 1 to @max characters, each an ASCII
 * letter, a digit or one of @extra, and begins with a letter or digit. */
gboolean lm_text_is_word (const char *text, const char *extra, gsize max);

/** lm_text_escape: returns the beginning of @text, at most @max bytes, for a message
 * that quotes it. Quotes, backslashes and control characters are escaped as in C; if
 * @text is not UTF-8, so are all bytes that are not ASCII. Newly allocated. */
char *lm_text_escape (const char *text, gsize max);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Text that comes from others: files as the editors of other systems write them,
 * what of it may be shown, and words that are safe wherever a name may stand. */
#include <glib.h>

/** lm_text_normalize: the text @bytes in UTF-8 without a byte order mark;
 * UTF-16 is recognized by its mark. What is neither, and line ends, stay as
 * they are. Newly allocated, or a reference to @bytes. */
GBytes *lm_text_normalize (GBytes *bytes);

/** lm_text_find_unprintable: the first character of the UTF-8 @text that must not
 * be shown to people: control characters, line and paragraph separators, and
 * invisible ones that change how other text looks, such as marks and overrides
 * of the direction; NULL if there is none. The joiners that scripts and emoji
 * need (U+200C, U+200D) may be shown. */
const char *lm_text_find_unprintable (const char *text);

/** lm_text_is_word: whether @text is 1 to @max characters, ASCII letters,
 * digits and those of @extra, the first a letter or digit. */
gboolean lm_text_is_word (const char *text, const char *extra, gsize max);

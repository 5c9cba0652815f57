/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Text files as the editors of other systems write them. */
#include <glib.h>

/** lm_text_normalize: the text @bytes in UTF-8 without a byte order mark;
 * UTF-16 is recognized by its mark. What is neither, and line ends, stay as
 * they are. Newly allocated, or a reference to @bytes. */
GBytes *lm_text_normalize (GBytes *bytes);

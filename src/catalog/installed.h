/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* An installed package as a catalog names it: the text "NAME=VERSION", or
 * "NAME:ARCH=VERSION" for one of a foreign architecture. Pure. The part before the "="
 * is called its name here; it identifies the package, in whatever version. */
#include <glib.h>

/** lm_installed_is_valid: whether @text is a package as above, with the characters that
 * dpkg and rpm allow, and of a reasonable length. */
gboolean lm_installed_is_valid (const char *text);
/** lm_installed_name_is_valid: whether @text is the name of one, NAME or NAME:ARCH. */
gboolean lm_installed_name_is_valid (const char *text);

/** lm_installed_name_length: returns the length in bytes of the name in @text, a package or a name. */
gsize lm_installed_name_length (const char *text);

/** lm_installed_compare: orders packages by their names and then by the text of their
 * versions, which need not be the order of versions. */
int lm_installed_compare (const char *one, const char *other);
/** lm_installed_compare_names: orders packages and names by their names alone. */
int lm_installed_compare_names (const char *one, const char *other);

/* For tables whose keys are packages and names, compared by their names alone. */
guint lm_installed_hash_name (gconstpointer text);
gboolean lm_installed_same_name (gconstpointer one, gconstpointer other);

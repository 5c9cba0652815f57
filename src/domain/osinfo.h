/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Finds the operating system for a short id ("debian12") in libosinfo's database on
 * disk. Reads only one file of it: libosinfo itself takes longer to load its
 * database than a launch should take. */
#include <glib.h>

typedef enum
{
  LM_OSINFO_ERROR_UNKNOWN, /* the database of this host does not contain it */
} LmOsinfoError;

#define LM_OSINFO_ERROR lm_osinfo_error_quark ()
GQuark lm_osinfo_error_quark (void);

/** lm_osinfo_find: returns the URL that identifies the operating system @text,
 * newly allocated. @text is a short id, or a URL, which is returned unchanged.
 * @dirs (NULL-terminated) contain databases, such as /usr/share/osinfo. Blocks on
 * the disk. Error: LM_OSINFO_ERROR_UNKNOWN. */
char *lm_osinfo_find (const char *const *dirs, const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

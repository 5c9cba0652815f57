/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Which operating system a short id ("debian12") stands for, by libosinfo's
 * database on disk. One file of it is read, not all: libosinfo itself takes
 * longer to load its database than a launch may take. */
#include <glib.h>

typedef enum
{
  LM_OSINFO_ERROR_UNKNOWN, /* no such system in this host's database */
} LmOsinfoError;

#define LM_OSINFO_ERROR lm_osinfo_error_quark ()
GQuark lm_osinfo_error_quark (void);

/** lm_osinfo_find: the URL that names the system @text, newly allocated.
 * @text is a short id, or a URL, which is given back as it is. @dirs
 * (NULL-terminated) hold databases, such as /usr/share/osinfo. Blocks on the
 * disk. Error: LM_OSINFO_ERROR_UNKNOWN. */
char *lm_osinfo_find (const char *const *dirs, const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What the file name of a published disk image says about it. Pure. */
#include <glib.h>

typedef struct
{
  char *name;    /* a valid name and version; NULL if the file name does not say both clearly */
  char *version;
  char *arch;    /* as in uname(2); NULL if it is not said */
} LmFileName;

/** lm_file_name_parse: parses NAME-VERSION[-ARCH] followed by suffixes such as ".qcow2.xz".
 * Whatever else is in the name makes it unclear: images that differ in that would get the same
 * name and version. */
LmFileName lm_file_name_parse (const char *file_name);

/** lm_file_name_clear: frees the members. */
void lm_file_name_clear (LmFileName *parsed);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LmFileName, lm_file_name_clear)

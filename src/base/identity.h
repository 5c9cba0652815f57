/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The identity of a file and of its contents, taken from stat(2): if it is the
 * same, the contents need not be read again. Times have the resolution of the file
 * system's clock, so a change may not show if the file was changed just before. */
#include <glib.h>
#include <sys/stat.h>

typedef struct
{
  guint64 device;
  guint64 inode;
  guint64 size;  /* in bytes */
  guint64 mtime; /* in nanoseconds since 1970, both */
  guint64 ctime;
} LmIdentity;

/** lm_identity_of: returns the identity that @st contains. */
LmIdentity lm_identity_of (const struct stat *st);

/** lm_identity_of_fd: returns the identity of the open file @fd; all members are 0,
 * as for no file, if it cannot be determined. */
LmIdentity lm_identity_of_fd (int fd);

/** lm_identity_has_same_content: whether size, modification time and inode are the
 * same. Owner, mode and names may have changed, and whoever owns the file can also
 * restore its modification time, so that a change does not show. */
gboolean lm_identity_has_same_content (const LmIdentity *one, const LmIdentity *other);

/** lm_identity_is_untouched: whether the time of the last change of the inode is the
 * same too, which nobody can restore. The device is ignored, because its number may
 * change at a reboot. */
gboolean lm_identity_is_untouched (const LmIdentity *one, const LmIdentity *other);

/** lm_identity_is_equal: whether all members are the same. */
gboolean lm_identity_is_equal (const LmIdentity *one, const LmIdentity *other);

/** lm_identity_is_settled: whether @time, the mtime or ctime of a file, is so long
 * ago that any later change shows in it. */
gboolean lm_identity_is_settled (guint64 time);

/** lm_identity_format: returns what lm_identity_has_same_content() compares as
 * text: three decimal numbers of fixed width; newly allocated. */
char *lm_identity_format (const LmIdentity *identity);

/* The length of the text that lm_identity_format_all() returns. */
#define LM_IDENTITY_ALL_SIZE 104

/** lm_identity_format_all: likewise for all members. */
char *lm_identity_format_all (const LmIdentity *identity);

/** lm_identity_parse: parses the text that lm_identity_format_all() returns. FALSE if
 * @text does not have that form. */
gboolean lm_identity_parse (const char *text, LmIdentity *out_identity);

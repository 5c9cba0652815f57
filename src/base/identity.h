/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What tells one state of a file from another without reading it. Times have the
 * resolution of the file system's clock: of a file that was changed just now, a
 * further change may not show. */
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

/** lm_identity_of: takes the identity from @st. */
LmIdentity lm_identity_of (const struct stat *st);

/** lm_identity_has_same_content: whether size, modification time and inode are the
 * same. The time of the last change of the inode does not count, because libvirt
 * changes owners of files, nor does the device, whose number may be another one
 * after a reboot. Whoever may write the file can undo such a change of its times. */
gboolean lm_identity_has_same_content (const LmIdentity *one, const LmIdentity *other);

/** lm_identity_is_equal: whether everything is the same. */
gboolean lm_identity_is_equal (const LmIdentity *one, const LmIdentity *other);

/** lm_identity_is_settled: whether @time, the mtime or ctime of a file, is so long
 * ago that any later change shows in it. */
gboolean lm_identity_is_settled (guint64 time);

/* The form of lm_identity_format(). */
#define LM_IDENTITY_FORMAT_SIZE 62

/** lm_identity_format: what lm_identity_has_same_content() compares, as text: three
 * decimal numbers of fixed width; newly allocated. */
char *lm_identity_format (const LmIdentity *identity);

/** lm_identity_format_all: the same of the whole identity. */
char *lm_identity_format_all (const LmIdentity *identity);

/** lm_identity_parse: reads the result of lm_identity_format(); what it does not
 * contain is 0. FALSE if @text is anything else. */
gboolean lm_identity_parse (const char *text, LmIdentity *out_identity);

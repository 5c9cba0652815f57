/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Reading a file from the disk, past the page cache (O_DIRECT, open(2)): what guests
 * read often stays in memory, and what is on the disk is seen. Where the file system
 * does not do that, the file is read as usual. Private to cache. */
#include <gio/gio.h>

typedef struct
{
  int fd;
  guint64 offset;  /* of the next read */
  gboolean direct; /* reads go past the page cache */
} LmDirect;

/** lm_direct_begin: prepares to read the open file @fd, which @direct does not own, from
 * its beginning. */
void lm_direct_begin (LmDirect *direct, int fd);

/** lm_direct_new_buffer: returns a buffer of @size bytes, a multiple of 4096, as
 * lm_direct_read() needs it; to be freed with free(). */
void *lm_direct_new_buffer (gsize size);

/** lm_direct_read: reads the next @size bytes, the size of @buffer, or up to the end of
 * the file if that comes first. Blocks. Errors: LM_CACHE_ERROR_UNREADABLE if the disk
 * reports an error, G_IO_ERROR. */
gboolean lm_direct_read (LmDirect *direct, void *buffer, gsize size, gsize *out_read, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_direct_end: makes other reads of the file usual ones again. */
void lm_direct_end (LmDirect *direct);

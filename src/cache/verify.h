/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Computing digests of files, and notes on the result for later runs. Private to
 * cache. */
#include "base/digest.h"
#include "base/identity.h"
#include "cache/pace.h"
#include <gio/gio.h>

/** lm_verify_hash: computes the digest of the open file @fd, from its beginning,
 * and may move its file position. *out_identity is its identity, which was the same
 * before and after that; if it changes meanwhile, the file is read again, up to a
 * limit. *out_settled, which may be NULL, is whether *out_identity would show any
 * change since reading began, and the inode was not touched meanwhile. If @pace is not
 * NULL, reads at that pace, and past the page cache (direct.h). @shown is for messages.
 * Errors: G_IO_ERROR, _BUSY if it keeps changing; LM_CACHE_ERROR_UNREADABLE, only with
 * a @pace. */
gboolean lm_verify_hash (int fd, const char *shown, LmPace *pace, LmDigest *out_digest, LmIdentity *out_identity,
                         gboolean *out_settled, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_verify_write_note: writes @identity to the file @name in the directory
 * @dir_fd, by a single write, and cuts off what else the file contains. Errors are
 * ignored: the file is then verified again. */
void lm_verify_write_note (int dir_fd, const char *name, const LmIdentity *identity);

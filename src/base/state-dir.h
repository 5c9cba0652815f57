/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The directory below which lamina keeps everything (design: cache, machines,
 * catalogs). What lies in it is believed, so nobody but its user and root may
 * put anything there. Errors: G_IO_ERROR; _PERMISSION_DENIED also where another
 * user could have put files that lamina would take for its own. */
#include <gio/gio.h>

/** lm_state_dir_make: makes the state directory if missing (0755, so that QEMU's
 * user reaches the layers). What is missing above it root makes so too; for
 * others, whose QEMU runs as they do, the umask rules there. Checks its owner. */
gboolean lm_state_dir_make (const char *state_dir, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_state_dir_make_below: makes the directory @name below @dir_fd with exactly
 * @mode, whatever the umask; one that is there already keeps its mode. */
gboolean lm_state_dir_make_below (int dir_fd, const char *name, guint mode, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_state_dir_check: whether the directory @name below @dir_fd belongs to this
 * user or root, and others cannot write to it. */
gboolean lm_state_dir_check (int dir_fd, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

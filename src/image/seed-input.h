/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What a user gives for a cloud-init seed, checked before it is written into
 * one: input that is of no use in the guest is refused, or warned of where it
 * may be meant. Pure. @name is the file's, for messages. Text may begin with a
 * byte order mark, be UTF-16 and have CRLF line ends. All errors:
 * LM_IMAGE_ERROR_INVALID, with the line. */
#include "image/error.h"

/** lm_seed_input_check_key: whether @line is an OpenSSH public key as
 * authorized_keys has it, "[OPTIONS] TYPE BASE64 [COMMENT]", whole and not
 * a private one. Format: sshd(8), RFC 4253 section 6.6. */
gboolean lm_seed_input_check_key (const char *line, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_seed_input_keys: the keys in @bytes, one a line; blank lines and "#"
 * comments are skipped. At least one; newly allocated. */
char **lm_seed_input_keys (const char *name, GBytes *bytes, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_seed_input_user_data: @bytes as they go into the seed. "#cloud-config"
 * must be a YAML mapping. *out_warning, newly allocated, NULL if there is
 * nothing to warn of: that cloud-init will ignore it, or the guest not start the
 * script. Format: cloud-init's "User-data formats". */
GBytes *lm_seed_input_user_data (const char *name, GBytes *bytes, char **out_warning, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_seed_input_meta_data: likewise; a YAML mapping, or nothing at all. */
GBytes *lm_seed_input_meta_data (const char *name, GBytes *bytes, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_seed_input_network_config: likewise; a YAML mapping, which has a version
 * (1 or 2) unless it is warned of. */
GBytes *lm_seed_input_network_config (const char *name, GBytes *bytes, char **out_warning, GError **error) G_GNUC_WARN_UNUSED_RESULT;

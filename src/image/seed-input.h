/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Checks what a user gives for a cloud-init seed, before it is written to one.
 * Input that is useless in the guest is refused, or causes a warning if it may be
 * intended. Pure. @name is the name of the file, for messages. Text may begin with
 * a byte order mark, be UTF-16, and have CRLF line ends. All errors:
 * LM_IMAGE_ERROR_INVALID, with the line. */
#include "image/error.h"

/** lm_seed_input_check_key: whether @line is a complete OpenSSH public key as in
 * authorized_keys, "[OPTIONS] TYPE BASE64 [COMMENT]", and not a private key.
 * Format: sshd(8), RFC 4253 section 6.6. */
gboolean lm_seed_input_check_key (const char *line, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_seed_input_keys: returns the keys in @bytes, one per line; blank lines and
 * "#" comments are skipped. At least one key is required. Newly allocated. */
char **lm_seed_input_keys (const char *name, GBytes *bytes, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_seed_input_user_data: returns @bytes as they are written to the seed. If they
 * begin with "#cloud-config" they must be a YAML mapping. *out_warning, newly
 * allocated or NULL, warns that cloud-init will ignore the data or that the guest
 * may not run the script. Format: "User-data formats" of cloud-init. */
GBytes *lm_seed_input_user_data (const char *name, GBytes *bytes, char **out_warning, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_seed_input_meta_data: likewise for meta-data: a YAML mapping, or empty. */
GBytes *lm_seed_input_meta_data (const char *name, GBytes *bytes, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_seed_input_network_config: likewise for network-config: a YAML mapping; a
 * warning if it has no version 1 or 2. */
GBytes *lm_seed_input_network_config (const char *name, GBytes *bytes, char **out_warning, GError **error) G_GNUC_WARN_UNUSED_RESULT;

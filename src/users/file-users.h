/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Who may use files of this host: the domains on all connections that are known, in
 * whatever state, and what is in the directories of machines. ops/usage.h asks on
 * behalf of a machine that is to be removed, users/layer-users.h on behalf of the
 * cache. Metadata of domains does not count, because a clone has a copy of it. */
#include "machine/machine.h"
#include "users/scope.h"
#include "virt/definition.h"

/* One domain, or one file in the directory of a machine. */
typedef struct
{
  const LmVirtDefinition *domain; /* NULL for a file */
  const char *uri;                /* of the domain's connection */
  const char *uuid;               /* of the domain, or of the machine with that directory */
  const char *text;               /* "the domain web1 (qemu:///system)", "the disk PATH" */
} LmFileUser;

/* Functions that return FALSE with @error set end the visit. */
typedef struct
{
  gpointer data;
  /* Whether @user is to be skipped. */
  gboolean (*skip) (gpointer data, const LmFileUser *user);
  /* @user refers to @path, which may also be any other text; @is_disk: perhaps as to
   * a disk image, which can refer to other files. */
  gboolean (*use) (gpointer data, const LmFileUser *user, const char *path, gboolean is_disk, GError **error);
  /* It cannot be determined what @what uses. */
  gboolean (*unknown) (gpointer data, const char *what, const GError *cause, GError **error);
  /* The connection @uri cannot be opened; @cause names it. */
  gboolean (*unreachable) (gpointer data, const char *uri, const GError *cause, GError **error);
} LmFileVisitor;

/** lm_file_users_visit_domains: visits the domains that @reader finds. @uri is the
 * connection that it opens, for messages; NULL for libvirt's choice. Blocks. */
gboolean lm_file_users_visit_domains (LmVirtReader *reader, const char *uri, const LmFileVisitor *visitor,
                                      GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_file_users_list_uris: returns the URIs of the connections that the records
 * @machines (LmMachine) and the settings name, each once, without that of @virt, which
 * may be NULL. The strings belong to @machines and @scope. */
GPtrArray *lm_file_users_list_uris (const LmUsersScope *scope, LmVirt *virt, const GPtrArray *machines);

/** lm_file_users_visit_directories: visits the files in the directories of machines. */
gboolean lm_file_users_visit_directories (const LmUsersScope *scope, const LmFileVisitor *visitor, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_file_users_list_references: returns what the disk image @path itself refers
 * to, see lm_image_list_references(); empty if it is not a regular file or block device that exists.
 * Errors: G_IO_ERROR_PERMISSION_DENIED if this user may not read or reach it, and others. */
GPtrArray *lm_file_users_list_references (const char *path, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

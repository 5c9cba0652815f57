/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The cloud-init seed: a small disk labelled "cidata" that contains user-data,
 * meta-data and, if given, network-config. Format: the NoCloud data source of
 * cloud-init. The disk is ISO 9660 with Rock Ridge and Joliet, as created by
 * virt-install. */
#include "image/error.h"
#include <gio/gio.h>

/* The maximum size of each of the three files in bytes. */
#define LM_SEED_FILE_MAX (1024 * 1024)

typedef struct
{
  const char *uuid;            /* instance-id */
  const char *name;            /* local-hostname, after adapting it to the rules for host names */
  GBytes *user_data;           /* as given by the user; NULL if none; likewise the next two */
  GBytes *meta_data;
  GBytes *network_config;
  const char *const *ssh_keys; /* as returned by lm_seed_input_keys(); NULL if none */
} LmSeedSpec;

/* The files on the disk. */
typedef struct
{
  GBytes *user_data;
  GBytes *meta_data;
  GBytes *network_config; /* NULL if there is no such file */
} LmSeedFiles;

/** lm_seed_files_free: frees @files; NULL is ignored. */
void lm_seed_files_free (LmSeedFiles *files);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmSeedFiles, lm_seed_files_free)

/** lm_seed_render: returns the files for @spec; pure. Keys are put into a user-data
 * created for them. If the user gave user-data, they are put into the meta-data as
 * public-keys, and cloud-init adds them to those of the user-data. If the user gave
 * both files, there is no place for keys: LM_IMAGE_ERROR_INVALID, as for an invalid
 * key or a file that is too large. */
LmSeedFiles *lm_seed_render (const LmSeedSpec *spec, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_seed_argv: returns the command with which xorriso creates @output from the
 * files in @directory, both absolute; NULL-terminated, newly allocated. */
char **lm_seed_argv (const char *directory, const char *output);

/** lm_seed_write: creates the seed disk @path (absolute, mode 0600), atomically
 * replacing an existing one; durable when it returns. The same @spec always gives
 * the same bytes. Runs xorriso; blocks. Errors: those of lm_seed_render(),
 * LM_IMAGE_ERROR_FAILED (xorriso is not installed), LM_RUN_ERROR, G_IO_ERROR. */
gboolean lm_seed_write (const LmSeedSpec *spec, const char *path, GCancellable *cancellable,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The cloud-init seed: a small disk labelled "cidata" that holds user-data,
 * meta-data and, if given, network-config. Format: cloud-init's NoCloud data
 * source. The disk is ISO 9660 with Rock Ridge and Joliet, as virt-install's. */
#include "image/error.h"
#include <gio/gio.h>

/* Each of the three files may have this many bytes. */
#define LM_SEED_FILE_MAX (1024 * 1024)

typedef struct
{
  const char *uuid;            /* instance-id */
  const char *name;            /* local-hostname, made fit for one */
  GBytes *user_data;           /* as the user gave them; NULL: none; likewise the next two */
  GBytes *meta_data;
  GBytes *network_config;
  const char *const *ssh_keys; /* as lm_seed_input_keys() gives them; NULL: none */
} LmSeedSpec;

/* What is put on the disk. */
typedef struct
{
  GBytes *user_data;
  GBytes *meta_data;
  GBytes *network_config; /* NULL: no such file */
} LmSeedFiles;

void lm_seed_files_free (LmSeedFiles *files);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmSeedFiles, lm_seed_files_free)

/** lm_seed_render: the files for @spec; pure. Keys go into a user-data made
 * for them; beside a user-data that is given, into the meta-data as
 * public-keys, where cloud-init adds them to what the user-data has. Given
 * both files, there is no place for a key: LM_IMAGE_ERROR_INVALID, as for a
 * bad key or too large a file. */
LmSeedFiles *lm_seed_render (const LmSeedSpec *spec, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_seed_argv: the command by which xorriso makes @output of the files in
 * @directory, both absolute; NULL-terminated, newly allocated. */
char **lm_seed_argv (const char *directory, const char *output);

/** lm_seed_write: makes the seed disk @path (absolute, mode 0600), replacing
 * one that is there, whole or not at all; durable when it returns. The same
 * @spec gives the same bytes. Starts xorriso; blocks. Errors: as
 * lm_seed_render(), LM_IMAGE_ERROR_FAILED (xorriso is not installed),
 * LM_RUN_ERROR, G_IO_ERROR. */
gboolean lm_seed_write (const LmSeedSpec *spec, const char *path, GCancellable *cancellable,
                        GError **error) G_GNUC_WARN_UNUSED_RESULT;

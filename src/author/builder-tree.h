/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The tree of a base: mmdebstrap installs the locked packages in an empty one. Scripts of these packages
 * run in it on this host, as root, or as root of a user namespace. For builder-disk.c only. */
#include "author/builder-disk.h"

/** lm_builder_tree_make: writes the tree that has the packages of @build, and nothing else, to the tar
 * file @to. The files of the recipe are in it when the packages are configured. The network is not
 * used. Blocks, for a minute or two. Errors: LM_RUN_ERROR (also if mmdebstrap or uidmap is missing),
 * LM_BUILDER_ERROR_REQUEST (packages of RPM), G_IO_ERROR. */
gboolean lm_builder_tree_make (const LmBuilderDisk *build, const char *to, GCancellable *cancellable,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

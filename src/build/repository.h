/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Where package indexes come from: a file, a URL, a directory or URL with rpm-md metadata,
 * or what the package manager of this machine knows. Compressed indexes are decompressed. */
#include "build/packages.h"
#include <gio/gio.h>

typedef enum
{
  LM_REPOSITORY_ERROR_INVALID, /* not the metadata of a repository, or without a package index */
  LM_REPOSITORY_ERROR_DIGEST,  /* the index is not the one that the metadata describe */
  LM_REPOSITORY_ERROR_NONE,    /* this machine's package manager knows no index */
} LmRepositoryError;

#define LM_REPOSITORY_ERROR lm_repository_error_quark ()
GQuark lm_repository_error_quark (void);

/** lm_repository_load: adds the packages of the index at @place to @packages: a path or URL
 * of a Debian Packages file, of a repomd.xml, or of a directory with "repodata/repomd.xml".
 * The files of the packages are below the part of a Debian index's URL before "/dists/", or
 * else the index's directory; with rpm-md, the directory that contains "repodata".
 * The digest that a repomd.xml gives for its index is checked; who wrote either is not.
 * Blocks; @cancellable ends it. Errors: LM_REPOSITORY_ERROR, LM_PACKAGES_ERROR,
 * LM_UNPACK_ERROR, LM_HTTP_ERROR, LM_URL_ERROR. */
gboolean lm_repository_load (LmPackages *packages, const char *place, GCancellable *cancellable, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;

/** lm_repository_load_apt: adds the packages that apt of this machine could install, for
 * its native architecture, as of its last update. All packages of a flat repository are
 * taken to be of that architecture. Their files are where apt gets them from, if
 * that is http, https or file; lm_packages_dup_blob() fails for others, such as cdrom, copy or
 * mirror+file. What else apt is configured with for these places, such as a proxy
 * (Acquire::http::Proxy) or passwords (apt_auth.conf(5)), is not known here: who fetches
 * the files uses the environment's proxy. Blocks. Errors: as above, LM_RUN_ERROR. */
gboolean lm_repository_load_apt (LmPackages *packages, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What is installed in a guest, from what its package manager keeps or prints. The text is
 * untrusted. Pure. */
#include <gio/gio.h>

#define LM_PACKAGE_STATUS_SIZE_MAX (64 * 1024 * 1024)

/* Both lists are in bytewise order: "NAME=VERSION", or "NAME:ARCH=VERSION" for packages of
 * another architecture than the guest's own. */
typedef struct
{
  char **installed;
  char **incomplete; /* neither installed nor removed completely; no layer should be made of this */
} LmPackageStatus;

/** lm_package_status_clear: frees what @status owns and zeroes it. */
void lm_package_status_clear (LmPackageStatus *status);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (LmPackageStatus, lm_package_status_clear)

/** lm_package_status_read_dpkg: reads dpkg's /var/lib/dpkg/status, at most
 * LM_PACKAGE_STATUS_SIZE_MAX bytes (deb-control(5), dpkg-query(1) for the states). Of packages
 * that are removed, or only have configuration files, nothing is listed. The guest's own
 * architecture is that of its dpkg. Errors: G_IO_ERROR_INVALID_DATA. */
gboolean lm_package_status_read_dpkg (const char *text, gsize size, LmPackageStatus *out_status, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;

/** lm_package_status_read_rpm: the same from what
 * rpm -qa --qf '%{NAME}\t%{EPOCHNUM}:%{VERSION}-%{RELEASE}\t%{ARCH}\n' prints. The version is
 * without the epoch 0. The guest's own architecture is that of its rpm. Keys (gpg-pubkey) are
 * not listed. RPM has no incomplete packages. Errors: G_IO_ERROR_INVALID_DATA. */
gboolean lm_package_status_read_rpm (const char *text, gsize size, LmPackageStatus *out_status, GError **error)
  G_GNUC_WARN_UNUSED_RESULT;

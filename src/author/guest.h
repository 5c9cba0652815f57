/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The guest on a disk, as the use cases of this module see it through the appliance: its jobs,
 * reported to the host, and its packages. */
#include "build/appliance.h"
#include "ops/host.h"

/** lm_guest_run: does lm_appliance_run(), and announces to @host what is done. */
gboolean lm_guest_run (const LmHost *host, LmAppliance *job, const LmApplianceSettings *settings, GCancellable *cancellable,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* What the package manager of a guest says is installed. */
typedef struct _LmGuestPackages LmGuestPackages;

/** lm_guest_packages_new: returns lists whose files will be in the directory @dir; never NULL. */
LmGuestPackages *lm_guest_packages_new (const char *dir);
/** lm_guest_packages_free: frees @guest, but no file; NULL is ignored. */
void lm_guest_packages_free (LmGuestPackages *guest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmGuestPackages, lm_guest_packages_free)

/** lm_guest_packages_add: adds to @job the steps that read the lists. */
void lm_guest_packages_add (const LmGuestPackages *guest, LmAppliance *job);

/** lm_guest_packages_read: returns the packages after the job, "NAME=VERSION", sorted; empty if the
 * guest has neither dpkg nor rpm. @name is the guest's name in messages. Errors:
 * LM_PACKAGES_ERROR (also if a package is there, but not completely installed), G_IO_ERROR. */
char **lm_guest_packages_read (const LmGuestPackages *guest, const char *name, GCancellable *cancellable,
                               GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "author/guest.h"
#include "base/error.h"
#include "base/file.h"
#include "build/package-status.h"
#include "build/packages.h"

#define GUEST_LIST "/var/cache/lamina-packages"
/* One byte more, so that a larger list is refused and not cut off. */
#define READ_MAX (LM_PACKAGE_STATUS_SIZE_MAX + 1)
#define NAMES_MAX 20

typedef struct
{
  const LmHost *host;
  char *label; /* that was announced last */
} Report;

static void
on_step (const LmApplianceProgress *progress, gpointer user_data)
{
  Report *report = user_data;
  if (progress->ended || progress->skipped || g_strcmp0 (progress->label, report->label) == 0)
    return;
  g_free (report->label);
  report->label = g_strdup (progress->label);
  report->host->status (report->host->user_data, progress->label);
}

gboolean
lm_guest_run (const LmHost *host, LmAppliance *job, const LmApplianceSettings *settings, GCancellable *cancellable, GError **error)
{
  Report report = { .host = host };
  const gboolean done = lm_appliance_run (job, settings, on_step, &report, cancellable, error);
  g_free (report.label);
  return done;
}

/* Of the two, one is there. */
struct _LmGuestPackages
{
  char *status, *list; /* files on this host */
};

LmGuestPackages *
lm_guest_packages_new (const char *dir)
{
  LmGuestPackages *guest = g_new0 (LmGuestPackages, 1);
  guest->status = g_build_filename (dir, "status", NULL);
  guest->list = g_build_filename (dir, "list", NULL);
  return guest;
}

void
lm_guest_packages_free (LmGuestPackages *guest)
{
  if (guest == NULL)
    return;
  g_free (guest->status);
  g_free (guest->list);
  g_free (guest);
}

void
lm_guest_packages_add (const LmGuestPackages *guest, LmAppliance *job)
{
  static const char label[] = "reading the list of packages";
  (void) lm_appliance_add_read (job, label, "/var/lib/dpkg/status", READ_MAX, guest->status);
  lm_appliance_add_run (job, label, "rpm -qa --qf '%{NAME}\\t%{EPOCHNUM}:%{VERSION}-%{RELEASE}\\t%{ARCH}\\n' >" GUEST_LIST);
  lm_appliance_only_if (job, "/usr/bin/rpm");
  lm_appliance_unless (job, "/var/lib/dpkg/status");
  (void) lm_appliance_add_read (job, label, GUEST_LIST, READ_MAX, guest->list);
  lm_appliance_add_remove (job, label, GUEST_LIST);
}

/* The contents of the file @path, or NULL if it does not exist; an error is stored in @error. */
static GBytes *
read_list (const char *path, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) failure = NULL;
  GBytes *bytes = lm_file_read (path, READ_MAX, cancellable, &failure);
  if (bytes == NULL && !g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
    g_propagate_error (error, g_steal_pointer (&failure));
  return bytes;
}

char **
lm_guest_packages_read (const LmGuestPackages *guest, const char *name, GCancellable *cancellable, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (GBytes) status = read_list (guest->status, cancellable, &failure);
  g_autoptr (GBytes) list = failure == NULL && status == NULL ? read_list (guest->list, cancellable, &failure) : NULL;
  if (failure != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
  if (status == NULL && list == NULL)
    return g_new0 (char *, 1);
  g_auto (LmPackageStatus) packages = { NULL };
  gsize size;
  const char *text = g_bytes_get_data (status != NULL ? status : list, &size);
  if (!(status != NULL ? lm_package_status_read_dpkg : lm_package_status_read_rpm) (text, size, &packages, &failure))
    return lm_throw_null (error, failure->domain, failure->code, "%s: the list of its packages: %s", name, failure->message);
  if (packages.incomplete[0] != NULL)
    {
      const guint count = g_strv_length (packages.incomplete);
      for (guint i = NAMES_MAX; i < count; i++)
        g_clear_pointer (&packages.incomplete[i], g_free);
      g_autofree char *names = g_strjoinv (", ", packages.incomplete);
      return lm_throw_null (error, LM_PACKAGES_ERROR, LM_PACKAGES_ERROR_CONFLICT, "%s: not completely installed: %s%s", name, names,
                            count > NAMES_MAX ? ", ..." : "");
    }
  return g_steal_pointer (&packages.installed);
}

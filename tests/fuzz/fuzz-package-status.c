/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Input: dpkg's status file of a guest, or what its rpm prints, or an index of packages. */
#include "config.h"
#include "fuzz.h"
#include "build/package-status.h"
#include "build/packages.h"

#include <string.h>

typedef gboolean (*Reader) (const char *text, gsize size, LmPackageStatus *out_status, GError **error);

/* What is read can be said of a parent, and is sorted. */
static void
check_list (LmPackages *packages, char **list)
{
  g_autoptr (GError) error = NULL;
  gboolean set = lm_packages_set_installed (packages, (const char *const *) list, &error);
  g_assert_no_error (error);
  g_assert_true (set);
  for (guint i = 1; i < g_strv_length (list); i++)
    g_assert_cmpint (strcmp (list[i - 1], list[i]), <=, 0);
}

static void
read_status (Reader reader, LmPackages *packages, const char *text, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_auto (LmPackageStatus) status = { NULL };
  gboolean read = reader (text, size, &status, &error);
  g_assert_true (read == (error == NULL));
  if (!read)
    {
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      return;
    }
  check_list (packages, status.incomplete);
  check_list (packages, status.installed);
  /* The same text as an index: the parent's packages are in it. */
  for (char **held = status.installed; *held; held++)
    {
      g_auto (LmPackagesChange) change = { NULL };
      g_autoptr (GError) failure = NULL;
      if (!lm_packages_resolve_change (packages, (const char *const *) held, 1, FALSE, &change, &failure))
        g_assert_true (failure->domain == LM_PACKAGES_ERROR);
    }
}

/* The URL of a file is below its base. */
static void
check_file (LmPackages *packages, const char *text, gsize size)
{
  const char *name = g_strstr_len (text, (gssize) size, "Package: ");
  g_autofree char *line = name ? g_strndup (name + 9, strcspn (name + 9, "\n")) : NULL;
  const char *const wanted[] = { line };
  g_autoptr (GArray) ids = line ? lm_packages_resolve (packages, wanted, 1, FALSE, NULL) : NULL;
  for (guint i = 0; ids && i < ids->len; i++)
    {
      g_autoptr (LmBlob) blob = lm_packages_dup_blob (packages, g_array_index (ids, guint, i), NULL);
      if (blob == NULL)
        continue;
      g_assert_true (g_str_has_prefix (blob->urls[0], "http://lab.example/pool/"));
      g_assert_null (strstr (blob->urls[0], "/../"));
    }
}

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *) data, size);
  g_autoptr (GBytes) index = g_bytes_new (data, size);
  g_autoptr (LmPackages) packages = lm_packages_new ();
  const char *own = size > 0 && data[0] != '<' ? "http://lab.example/pool" : NULL;
  g_autoptr (LmPackages) others = lm_packages_new ();
  if (lm_packages_add (packages, index, own, "fuzz", NULL) && own != NULL)
    check_file (packages, text, strlen (text));
  else
    {
      lm_packages_free (g_steal_pointer (&packages));
      packages = lm_packages_new ();
    }
  read_status (lm_package_status_read_dpkg, packages, (const char *) data, size);
  read_status (lm_package_status_read_rpm, others, (const char *) data, size);
  return 0;
}

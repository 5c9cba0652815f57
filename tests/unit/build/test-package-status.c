/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "build/package-status.h"

#include <string.h>

static const char dpkg[] = "Package: dpkg\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.21.22\n\n"
                           "Package: zlib1g\nStatus: install ok installed\nArchitecture: i386\nMulti-Arch: same\nVersion: 1:1.2.13\n\n"
                           "Package: zlib1g\nStatus: hold ok installed\nArchitecture: amd64\nVersion: 1:1.2.13\n"
                           "Description: has\n Status: not this\n\n"
                           "Package: adduser\nStatus: install ok installed\nArchitecture: all\nVersion: 3.134\n\n"
                           "Package: gone\nStatus: deinstall ok config-files\nArchitecture: amd64\nVersion: 1\n\n"
                           "Package: never\nStatus: unknown ok not-installed\n\n"
                           "Package: half\nStatus: install ok half-configured\nArchitecture: amd64\nVersion: 2\n\n"
                           "Package: broken\nStatus: install reinstreq half-installed\nArchitecture: i386\n\n"
                           "Package: waiting\nStatus: install ok triggers-awaited\nArchitecture: all\nVersion: 4\n\n\n"
                           "Package: quiet\nVersion: 1\nArchitecture: all";

static void
assert_dpkg (const char *text, gsize size, const char *installed, const char *incomplete)
{
  g_autoptr (GError) error = NULL;
  g_auto (LmPackageStatus) status = { NULL };
  gboolean read = lm_package_status_read_dpkg (text, size, &status, &error);
  g_assert_no_error (error);
  g_assert_true (read);
  g_autofree char *one = g_strjoinv (" ", status.installed), *other = g_strjoinv (" ", status.incomplete);
  g_assert_cmpstr (one, ==, installed);
  g_assert_cmpstr (other, ==, incomplete);
}

static void
test_dpkg (void)
{
  assert_dpkg (dpkg, sizeof dpkg - 1, "adduser=3.134 dpkg=1.21.22 zlib1g:i386=1:1.2.13 zlib1g=1:1.2.13",
               "broken:i386=0 half=2 waiting=4");
}

static void
assert_refused (gboolean rpm, const char *text, gsize size, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_auto (LmPackageStatus) status = { NULL };
  g_assert_false (rpm ? lm_package_status_read_rpm (text, size, &status, &error)
                      : lm_package_status_read_dpkg (text, size, &status, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_INVALID_DATA);
  g_assert_null (status.installed);
  if (!g_pattern_match_simple (message, error->message))
    g_error ("%s", error->message);
}

#define DPKG "Package: dpkg\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n"
#define BAD(name, version, arch) \
  DPKG "Package: " name "\nStatus: install ok installed\nArchitecture: " arch "\nVersion: " version "\n"

static void
test_hostile_dpkg (void)
{
  static const struct
  {
    const char *text;
    const char *message;
  } cases[] = {
    { "", "*has no dpkg*" },
    { "\n\n\n", "*has no dpkg*" },
    { "Package: x\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n", "*has no dpkg*" },
    { BAD ("a=b", "1", "all"), "*name of a package \"a=b\"" },
    { BAD ("", "1", "all"), "*name of a package*" },
    { BAD ("a\033[2J", "1", "all"), "*name of a package \"a\\033*" },
    { BAD ("a", "1 2", "all"), "*version*" },
    { BAD ("a", "", "all"), "*version*" },
    { BAD ("a", "1", "i386:x"), "*architecture*" },
    { BAD ("dpkg", "2", "amd64"), "*twice*dpkg*" },
    { DPKG "Package: a\nStatus: install ok installed\n", "*version*" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    assert_refused (FALSE, cases[i].text, strlen (cases[i].text), cases[i].message);
  assert_refused (FALSE, "Package: a\0b\n", 13, "*NUL*");
}

/* Much text takes time in proportion to its size. */
static void
test_large (void)
{
  g_autoptr (GString) text = g_string_new (DPKG);
  for (guint i = 0; i < 100000; i++)
    g_string_append_printf (text, "Package: p%u\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n\n", i);
  g_auto (LmPackageStatus) status = { NULL };
  g_assert_true (lm_package_status_read_dpkg (text->str, text->len, &status, NULL));
  g_assert_cmpuint (g_strv_length (status.installed), ==, 100001);
  g_autofree char *blank = g_malloc (LM_PACKAGE_STATUS_SIZE_MAX + 1);
  memset (blank, '\n', LM_PACKAGE_STATUS_SIZE_MAX + 1);
  assert_refused (FALSE, blank, LM_PACKAGE_STATUS_SIZE_MAX + 1, "*larger than 64 MiB*");
}

static void
test_rpm (void)
{
  static const char text[] = "rpm\t0:4.18.1-1.el9\tx86_64\nglibc\t0:2.34-1\ti686\nglibc\t0:2.34-1\tx86_64\n"
                             "kernel\t0:5-1\tx86_64\nkernel\t0:5-2\tx86_64\nfonts\t1:3-1\tnoarch\n"
                             "gpg-pubkey\t0:8483c65d-5ccc5b19\t(none)\n";
  g_auto (LmPackageStatus) status = { NULL };
  g_assert_true (lm_package_status_read_rpm (text, sizeof text - 1, &status, NULL));
  g_autofree char *all = g_strjoinv (" ", status.installed);
  g_assert_cmpstr (all, ==, "fonts=1:3-1 glibc:i686=2.34-1 glibc=2.34-1 kernel=5-1 kernel=5-2 rpm=4.18.1-1.el9");
  g_assert_cmpuint (g_strv_length (status.incomplete), ==, 0);
  assert_refused (TRUE, "rpm\t0:4-1\n", 10, "*line \"rpm*");
  assert_refused (TRUE, "rpm\t\tx86_64\n", 12, "*version*");
  assert_refused (TRUE, "x\t0:4-1\tx86_64\n", 15, "*has no rpm*");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/build/package-status/dpkg", test_dpkg);
  g_test_add_func ("/build/package-status/hostile-dpkg", test_hostile_dpkg);
  g_test_add_func ("/build/package-status/large", test_large);
  g_test_add_func ("/build/package-status/rpm", test_rpm);
  return g_test_run ();
}

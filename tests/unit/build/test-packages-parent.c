/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What changes on a parent, and where the files of packages are. */
#include "config.h"
#include "build/packages.h"
#include "build/repository.h"

#include <glib/gstdio.h>
#include <string.h>

#define SUM "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static LmPackages *
packages_of (const char *text, const char *base)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmPackages) packages = lm_packages_new ();
  g_autoptr (GBytes) bytes = g_bytes_new_static (text, strlen (text));
  gboolean added = lm_packages_add (packages, bytes, base, "test", &error);
  g_assert_no_error (error);
  g_assert_true (added);
  return g_steal_pointer (&packages);
}

static void
add_numbers (GString *words, LmPackages *packages, char sign, const GArray *numbers)
{
  g_autoptr (GPtrArray) all = g_ptr_array_new_with_free_func (g_free);
  for (guint i = 0; i < numbers->len; i++)
    {
      const LmPackage package = lm_packages_get (packages, g_array_index (numbers, guint, i));
      g_ptr_array_add (all, g_strdup_printf ("%c%s=%s", sign, package.name, package.version));
    }
  for (guint i = 0; i < all->len; i++)
    g_string_append_printf (words, "%s%s", words->len ? " " : "", (const char *) all->pdata[i]);
}

/* What the words of @wanted change on a parent with the words of @installed: "+new=1 ^upgraded=2
 * -removed", each in the order of the index. */
static char *
change (LmPackages *packages, const char *installed, const char *wanted, gboolean recommended, GError **error)
{
  g_auto (GStrv) held = g_strsplit (installed, " ", -1), words = g_strsplit (wanted, ",", -1);
  g_auto (LmPackagesChange) result = { NULL };
  gboolean set = lm_packages_set_installed (packages, (const char *const *) (*installed ? held : held + 1), error);
  g_assert_true (set);
  if (!lm_packages_resolve_change (packages, (const char *const *) words, g_strv_length (words), recommended, &result, error))
    return NULL;
  GString *text = g_string_new (NULL);
  add_numbers (text, packages, '+', result.install);
  add_numbers (text, packages, '^', result.upgrade);
  for (char **name = result.remove; *name; name++)
    g_string_append_printf (text, "%s-%s", text->len ? " " : "", *name);
  return g_string_free (text, FALSE);
}

static void
assert_change (LmPackages *packages, const char *installed, const char *wanted, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = change (packages, installed, wanted, FALSE, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (text, ==, expected);
}

static void
assert_conflict (LmPackages *packages, const char *installed, const char *wanted, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = change (packages, installed, wanted, FALSE, &error);
  g_assert_error (error, LM_PACKAGES_ERROR, LM_PACKAGES_ERROR_CONFLICT);
  g_assert_null (text);
  if (!g_pattern_match_simple (message, error->message))
    g_error ("%s", error->message);
}

/* As Debian's perl: each needs the others in exactly its own version. */
static const char perl[] = "Package: web\nVersion: 1\nDepends: perl\n\n"
                           "Package: perl\nVersion: 5-2\nDepends: perl-base (= 5-2), libperl (= 5-2)\n\n"
                           "Package: libperl\nVersion: 5-2\n\n"
                           "Package: perl-base\nVersion: 5-2\nEssential: yes\n\n"
                           "Package: perl-doc\nVersion: 5-2\nDepends: perl-base (= 5-2)\n\n"
                           "Package: libc\nVersion: 3\n\nPackage: small\nVersion: 1\nDepends: libc (>= 2)\n\n"
                           "Package: tool\nVersion: 1\n\nPackage: tool\nVersion: 3\n";

static void
test_upgrades (void)
{
  g_autoptr (LmPackages) packages = packages_of (perl, NULL);
  assert_change (packages, "", "web", "+web=1 +perl=5-2 +libperl=5-2 +perl-base=5-2");
  assert_change (packages, "perl-base=5-2", "web", "+web=1 +perl=5-2 +libperl=5-2");
  assert_change (packages, "perl-base=5-1", "web", "+web=1 +perl=5-2 +libperl=5-2 ^perl-base=5-2");
  /* What else needs the old version exactly goes with it; what does not, stays. */
  assert_change (packages, "perl-base=5-1 perl-doc=5-1 libc=2", "web", "+web=1 +perl=5-2 +libperl=5-2 ^perl-base=5-2 ^perl-doc=5-2");
  assert_change (packages, "perl-base=5-1 perl=5-1 libperl=5-1", "web", "+web=1");
  assert_change (packages, "libc=2", "small", "+small=1");
  assert_change (packages, "libc=1", "small", "+small=1 ^libc=3");
  /* The customer's own packages: a newer version, and one that no index has. */
  assert_change (packages, "libc=9 own=7", "small,own", "+small=1");
  assert_change (packages, "perl-base=5-1 perl-doc=5-2", "small", "+libc=3 +small=1");
}

static void
test_versions (void)
{
  g_autoptr (LmPackages) packages = packages_of (perl, NULL);
  g_autoptr (GError) error = NULL;
  assert_change (packages, "tool=2", "tool", "");
  assert_change (packages, "tool=2", "tool >= 2", "");
  assert_change (packages, "tool=2", "tool>=2.5", "^tool=3");
  assert_change (packages, "tool=2", "tool=3", "^tool=3");
  assert_change (packages, "tool=2", "tool=1", "^tool=1");
  assert_change (packages, "tool=2", "tool = 2", "");
  assert_change (packages, "", "tool < 3", "+tool=1");
  assert_conflict (packages, "tool=2", "tool < 2", "*the parent has tool 2*");
  g_autofree char *text = change (packages, "tool=2", "tool=7", FALSE, &error);
  g_assert_null (text);
  g_assert_error (error, LM_PACKAGES_ERROR, LM_PACKAGES_ERROR_UNKNOWN);
  const char *const bad[] = { "tool", NULL };
  g_assert_false (lm_packages_set_installed (packages, bad, NULL));
  /* Nothing has been said about a parent. */
  g_auto (LmPackagesChange) result = { NULL };
  const char *const wanted[] = { "small" };
  g_assert_true (lm_packages_resolve_change (packages, wanted, 1, FALSE, &result, NULL));
  g_assert_cmpuint (result.install->len, ==, 2);
}

static const char mail[] = "Package: exim\nVersion: 1\nProvides: mta, default-mta\nConflicts: mta\nDepends: exim-base\n\n"
                           "Package: exim-base\nVersion: 1\n\n"
                           "Package: postfix\nVersion: 1\nProvides: mta\nConflicts: mta\n\n"
                           "Package: nullmailer\nVersion: 1\nProvides: mta\nConflicts: mta\n\n"
                           "Package: mailx\nVersion: 1\nDepends: default-mta | mta\n\n"
                           "Package: exim-tools\nVersion: 1\nDepends: exim\n\n"
                           "Package: init\nVersion: 1\nEssential: yes\n\nPackage: other-init\nVersion: 1\nConflicts: init\n\n"
                           "Package: lib\nVersion: 2\n\nPackage: new\nVersion: 1\nBreaks: lib (<< 2)\n\n"
                           "Package: pair\nVersion: 1\nDepends: exim, postfix\n\n"
                           "Package: fan\nVersion: 1\nRecommends: extra, first | second\n\n"
                           "Package: extra\nVersion: 1\n\nPackage: first\nVersion: 1\n\nPackage: second\nVersion: 1\n\n"
                           "Package: friend\nVersion: 1\nDepends: fan, second | first\n";

static void
test_preferences (void)
{
  g_autoptr (LmPackages) packages = packages_of (mail, NULL);
  assert_change (packages, "init=1", "mailx", "+exim=1 +exim-base=1 +mailx=1");
  assert_change (packages, "postfix=1", "mailx", "+mailx=1");
  assert_change (packages, "postfix=0", "mailx", "+mailx=1");
  assert_change (packages, "init=1", "mailx,nullmailer", "+nullmailer=1 +mailx=1");
  assert_change (packages, "postfix=1", "mta", "");
  assert_change (packages, "lib=1", "new", "+new=1 ^lib=2");
  g_autofree char *with = change (packages, "init=1", "fan", TRUE, NULL);
  g_assert_cmpstr (with, ==, "+fan=1 +extra=1 +first=1");
  g_autofree char *upgraded = change (packages, "fan=0", "fan >= 1", TRUE, NULL);
  g_assert_cmpstr (upgraded, ==, "^fan=1");
  /* Needs are met before recommendations. */
  g_autofree char *both = change (packages, "init=1", "fan,friend", TRUE, NULL);
  g_assert_cmpstr (both, ==, "+fan=1 +extra=1 +second=1 +friend=1");
}

static void
test_removal (void)
{
  g_autoptr (LmPackages) packages = packages_of (mail, NULL);
  assert_change (packages, "exim=1 exim-base=1", "postfix", "+postfix=1 -exim");
  assert_change (packages, "exim=1 exim-base=1 mailx=1", "postfix", "+postfix=1 -exim");
  assert_conflict (packages, "exim=1 exim-base=1 exim-tools=1", "postfix", "*on the parent*conflicts with mta*the parent has exim 1*");
  assert_conflict (packages, "init=1", "other-init", "*conflicts with init*the parent has init 1*");
  assert_conflict (packages, "init=0", "other-init", "*the parent has init 0*");
  assert_conflict (packages, "init=1", "pair", "pair cannot be installed on the parent*conflicts with mta*");
}

static void
test_foreign (void)
{
  g_autoptr (LmPackages) packages = packages_of (perl, NULL);
  assert_change (packages, "libc=2 libc:i386=2", "small", "+small=1");
  assert_change (packages, "libc:i386=3", "small", "+libc=3 +small=1");
  assert_conflict (packages, "libc=1 libc:i386=1", "small", "*libc 3*the parent has libc:i386=1*");
}

static const char rpm_index[]
  = "<?xml version=\"1.0\"?>\n"
    "<metadata xmlns=\"http://linux.duke.edu/metadata/common\" xmlns:rpm=\"http://linux.duke.edu/metadata/rpm\" packages=\"3\">\n"
    "<package type=\"rpm\"><name>sh</name><arch>noarch</arch><version epoch=\"0\" ver=\"2\" rel=\"1\"/>"
    "<checksum type=\"sha256\" pkgid=\"YES\">" SUM "</checksum><size package=\"77\" installed=\"5\"/>"
    "<location href=\"Packages/s/sh-2-1.noarch.rpm\"/>"
    "<format><rpm:provides><rpm:entry name=\"sh\" flags=\"EQ\" epoch=\"0\" ver=\"2\" rel=\"1\"/></rpm:provides>"
    "<file>/bin/sh</file></format></package>\n"
    "<package type=\"rpm\"><name>app</name><arch>noarch</arch><version epoch=\"1\" ver=\"3\" rel=\"1\"/>"
    "<checksum type=\"sha\">0123456789abcdef0123456789abcdef01234567</checksum>"
    "<location xml:base=\"http://other.example/pool\" href=\"a%2B%2B.rpm\"/>"
    "<format><rpm:provides><rpm:entry name=\"app\" flags=\"EQ\" epoch=\"1\" ver=\"3\" rel=\"1\"/></rpm:provides>"
    "<rpm:requires><rpm:entry name=\"/bin/sh\"/></rpm:requires></format></package>\n"
    "<package type=\"rpm\"><name>bad</name><arch>noarch</arch><version epoch=\"0\" ver=\"3\" rel=\"1\"/>"
    "<checksum type=\"sha256\">" SUM "</checksum>"
    "<location href=\"a/%2e%2e/b.rpm\"/>"
    "<format><rpm:provides><rpm:entry name=\"bad\" flags=\"EQ\" epoch=\"0\" ver=\"3\" rel=\"1\"/></rpm:provides></format></package>\n"
    "<package type=\"rpm\"><name>plus</name><arch>noarch</arch><version epoch=\"0\" ver=\"3\" rel=\"1\"/>"
    "<checksum type=\"sha256\">" SUM "</checksum>"
    "<location xml:base=\"http://other.example/pool\" href=\"a%2B%2B.rpm\"/>"
    "<format><rpm:provides><rpm:entry name=\"plus\" flags=\"EQ\" epoch=\"0\" ver=\"3\" rel=\"1\"/></rpm:provides></format></package>\n"
    "</metadata>\n";

static void
test_rpm (void)
{
  g_autoptr (LmPackages) packages = packages_of (rpm_index, NULL);
  assert_change (packages, "", "app", "+sh=2-1 +app=1:3-1");
  /* An older package is taken to have the same files. */
  assert_change (packages, "sh=1-1", "app", "+app=1:3-1");
  assert_change (packages, "sh=2-1 app=1:3-1", "app", "");
  assert_change (packages, "sh=2-1 app=1:2-1", "app > 1:2-9", "^app=1:3-1");
}

/* ---- files */

static LmBlob *
dup_blob (LmPackages *packages, const char *name, GError **error)
{
  g_autoptr (GArray) ids = lm_packages_resolve (packages, &name, 1, FALSE, NULL);
  g_assert_nonnull (ids);
  return lm_packages_dup_blob (packages, lm_packages_find (packages, name, ids), error);
}

static void
assert_blob (LmPackages *packages, const char *package, const char *name, guint64 size, const char *url)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmBlob) blob = dup_blob (packages, package, &error);
  g_assert_no_error (error);
  g_autofree char *digest = lm_digest_to_string (&blob->digest);
  g_assert_cmpint (blob->kind, ==, LM_BLOB_FILE);
  g_assert_cmpstr (blob->name, ==, name);
  g_assert_cmpuint (blob->size, ==, size);
  g_assert_cmpstr (digest, ==, "sha256:" SUM);
  g_assert_cmpstr (blob->urls[0], ==, url);
  g_assert_null (blob->urls[1]);
}

static void
assert_no_blob (LmPackages *packages, const char *package, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmBlob) blob = dup_blob (packages, package, &error);
  g_assert_error (error, LM_PACKAGES_ERROR, LM_PACKAGES_ERROR_INVALID);
  g_assert_null (blob);
  if (!g_pattern_match_simple (message, error->message))
    g_error ("%s", error->message);
}

static void
test_files (void)
{
  const char text[] = "Package: a\nVersion: 1\nSize: 5\nFilename: pool/a/a_1.deb\nSHA256: " SUM "\n\n"
                      "Package: flat\nVersion: 1\nFilename: ./f+_1%3a2~x.deb\nSHA256: " SUM "\n"
                      "SHA512: " SUM SUM "\nMD5sum: 0123456789abcdef0123456789abcdef\n\n"
                      "Package: weak\nVersion: 1\nFilename: w.deb\nMD5sum: 0123456789abcdef0123456789abcdef\n\n"
                      "Package: nowhere\nVersion: 1\nSHA256: " SUM "\n\n"
                      "Package: up\nVersion: 1\nFilename: pool/../../x.deb\nSHA256: " SUM "\n\n"
                      "Package: root\nVersion: 1\nFilename: /etc/x.deb\nSHA256: " SUM "\n\n"
                      "Package: url\nVersion: 1\nFilename: http://bad.example/x.deb\nSHA256: " SUM "\n\n"
                      "Package: local\nVersion: 1\nFilename: file:/x.deb\nSHA256: " SUM "\n\n"
                      "Package: short\nVersion: 1\nFilename: x.deb\nSHA256: 1234\n";
  g_autoptr (LmPackages) packages = packages_of (text, "http://user:secret@deb.example/debian");
  assert_blob (packages, "a", "a_1.deb", 5, "http://user:secret@deb.example/debian/pool/a/a_1.deb");
  assert_blob (packages, "flat", "f+_1%3a2~x.deb", 0, "http://user:secret@deb.example/debian/f+_1%253a2~x.deb");
  assert_no_blob (packages, "weak", "weak 1: *no SHA-256*");
  assert_no_blob (packages, "short", "*no SHA-256*");
  assert_no_blob (packages, "nowhere", "*does not say where*");
  const char *const outside[] = { "up", "root", "url", "local" };
  for (gsize i = 0; i < G_N_ELEMENTS (outside); i++)
    assert_no_blob (packages, outside[i], "*not a path below the repository");
  g_autoptr (LmPackages) unknown = packages_of (text, NULL), mirror = packages_of (text, "mirror+file:/etc/apt/mirrors.list");
  assert_no_blob (unknown, "a", "a 1: *not known where*");
  assert_no_blob (mirror, "a", "*cannot be fetched from mirror+file:*http, https or file");
}

static void
test_rpm_files (void)
{
  g_autoptr (LmPackages) packages = packages_of (rpm_index, "file:///srv/repo/");
  assert_blob (packages, "sh", "sh-2-1.noarch.rpm", 77, "file:///srv/repo/Packages/s/sh-2-1.noarch.rpm");
  assert_blob (packages, "plus", "a++.rpm", 0, "http://other.example/pool/a++.rpm");
  assert_no_blob (packages, "app", "app 1:3-1: *no SHA-256*");
  assert_no_blob (packages, "bad", "*not a path below the repository");
}

/* What the index at @path below a new directory takes as the URL of its package's file, without that of
 * the directory. */
static char *
load_url (const char *path)
{
  static const char text[] = "Package: a\nVersion: 1\nFilename: ./pool/a.deb\nSHA256: " SUM "\n";
  g_autoptr (GError) error = NULL;
  g_autofree char *top = g_dir_make_tmp ("packages-XXXXXX", NULL);
  g_autofree char *file = g_build_filename (top, path, NULL), *parent = g_path_get_dirname (file);
  g_autofree char *top_url = g_filename_to_uri (top, NULL, NULL);
  g_autoptr (LmPackages) packages = lm_packages_new ();
  g_assert_cmpint (g_mkdir_with_parents (parent, 0700), ==, 0);
  g_assert_true (g_file_set_contents (file, text, -1, NULL));
  gboolean loaded = lm_repository_load (packages, file, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (loaded);
  g_autoptr (LmBlob) blob = dup_blob (packages, "a", &error);
  g_assert_no_error (error);
  g_assert_true (g_str_has_prefix (blob->urls[0], top_url));
  (void) g_remove (file);
  for (; strlen (parent) >= strlen (top); *strrchr (parent, '/') = '\0')
    g_assert_cmpint (g_rmdir (parent), ==, 0);
  return g_strdup (blob->urls[0] + strlen (top_url));
}

static void
test_bases (void)
{
  g_autofree char *suite = load_url ("debian/dists/stable/main/binary-amd64/Packages"), *flat = load_url ("flat/Packages");
  g_autofree char *nested = load_url ("dists/debian/dists/x/Packages");
  g_assert_cmpstr (suite, ==, "/debian/pool/a.deb");
  g_assert_cmpstr (flat, ==, "/flat/pool/a.deb");
  g_assert_cmpstr (nested, ==, "/dists/debian/pool/a.deb");
}

/* What is only protected or important is not part of each system. */
static void
test_essential (void)
{
  g_autoptr (LmPackages) packages = packages_of ("Package: tar\nVersion: 1\nEssential: yes\n\n"
                                                 "Package: base\nVersion: 1\nImportant: yes\nEssential: yes\n\n"
                                                 "Package: boot\nVersion: 1\nProtected: yes\n\n"
                                                 "Package: tar\nVersion: 2\nEssential: yes\n\n"
                                                 "Package: web\nVersion: 1\nEssential: no\nConflicts: boot\n", NULL);
  g_autoptr (LmPackages) none = lm_packages_new (), rpm = packages_of (rpm_index, NULL);
  g_auto (GStrv) names = lm_packages_list_essential (packages), empty = lm_packages_list_essential (none);
  g_auto (GStrv) of_rpm = lm_packages_list_essential (rpm);
  g_autofree char *text = g_strjoinv (" ", names);
  g_assert_cmpstr (text, ==, "base tar");
  g_assert_cmpuint (g_strv_length (empty) + g_strv_length (of_rpm), ==, 0);
  /* It is kept all the same. */
  assert_conflict (packages, "boot=1", "web", "*would remove boot, which is essential*");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/build/parent/upgrades", test_upgrades);
  g_test_add_func ("/build/parent/versions", test_versions);
  g_test_add_func ("/build/parent/preferences", test_preferences);
  g_test_add_func ("/build/parent/removal", test_removal);
  g_test_add_func ("/build/parent/essential", test_essential);
  g_test_add_func ("/build/parent/foreign", test_foreign);
  g_test_add_func ("/build/parent/rpm", test_rpm);
  g_test_add_func ("/build/packages/files", test_files);
  g_test_add_func ("/build/packages/rpm-files", test_rpm_files);
  g_test_add_func ("/build/repository/bases", test_bases);
  return g_test_run ();
}

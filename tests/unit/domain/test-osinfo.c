/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/file.h"
#include "domain/osinfo.h"

static void
put (const char *dir, const char *name, const char *id, const char *short_id)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);
  g_autofree char *text = g_strdup_printf ("<libosinfo version='0.0.1'><os id='%s'><short-id>%s</short-id></os></libosinfo>",
                                           id, short_id);
  g_autoptr (GError) error = NULL;
  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
}

static void
assert_found (const char *const *dirs, const char *short_id, const char *url)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *found = lm_osinfo_find (dirs, short_id, &error);
  g_assert_cmpstr (found, ==, url);
  if (url != NULL)
    g_assert_no_error (error);
  else
    g_assert_error (error, LM_OSINFO_ERROR, LM_OSINFO_ERROR_UNKNOWN);
}

static void
test_find (void)
{
  g_autofree char *db = g_build_filename (g_get_tmp_dir (), "osinfo", NULL);
  g_autofree char *debian = g_build_filename (db, "os", "debian.org", NULL);
  g_autofree char *centos = g_build_filename (db, "os", "centos.org", NULL);
  g_autofree char *broken = g_build_filename (debian, "broken-1.xml", NULL);
  const char *const dirs[] = { "/nonexistent", db, NULL };
  g_autoptr (GError) error = NULL;
  g_assert_true (lm_file_make_dir (debian, 0755, &error));
  g_assert_true (lm_file_make_dir (centos, 0755, &error));
  put (debian, "debian-12.xml", "http://debian.org/debian/12", "debian12");
  put (debian, "debian-1.2.xml", "http://debian.org/debian/1.2", "debian1.2");
  put (debian, "lies-1.xml", "http://debian.org/lies", "other1");
  put (centos, "centos-stream-9.xml", "http://centos.org/centos-stream/9", "centos-stream9");
  g_file_set_contents (broken, "<os", -1, NULL);
  assert_found (dirs, "debian12", "http://debian.org/debian/12");
  assert_found (dirs, "debian1.2", "http://debian.org/debian/1.2");
  assert_found (dirs, "centos-stream9", "http://centos.org/centos-stream/9");
  assert_found (dirs, "http://any/thing", "http://any/thing");
  assert_found (dirs, "debian1", NULL);
  assert_found (dirs, "debian-12", NULL);
  assert_found (dirs, "lies1", NULL);
  assert_found (dirs, "broken1", NULL);
  assert_found (dirs, "", NULL);
  assert_found (dirs, "../os/debian.org/debian12", NULL);
  g_assert_true (lm_file_remove_tree (db, NULL));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/osinfo/find", test_find);
  return g_test_run ();
}

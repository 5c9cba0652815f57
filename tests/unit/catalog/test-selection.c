/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "tests/unit/lib/lab.h"
#include "catalog/relation.h"
#include "catalog/version.h"

#include <string.h>

static void
test_parse (void)
{
  static const char *const good[][4] = {
    { "nginx", NULL, "nginx", NULL },
    { "web=nginx", "web", "nginx", NULL },
    { "web=nginx@1.22.1-9+deb12u1", "web", "nginx", "1.22.1-9+deb12u1" },
    { "lib3-foo_bar+x.y@1:2~rc1", NULL, "lib3-foo_bar+x.y", "1:2~rc1" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (LmSelection) s = lm_selection_parse (good[i][0], &error);
      g_assert_no_error (error);
      g_assert_cmpstr (s->group, ==, good[i][1]);
      g_assert_cmpstr (s->name, ==, good[i][2]);
      g_assert_cmpstr (s->version, ==, good[i][3]);
      g_autofree char *text = lm_selection_format (s);
      g_assert_cmpstr (text, ==, good[i][0]);
    }
}

static void
test_parse_refuses (void)
{
  static const char *const bad[] = { "", "=", "@", "=nginx", "web=", "nginx@", "nginx@1@2", "a=b=c", "Nginx", "-x", ".x",
                                     "a/b", "a b", "../x", "a\nb", "nginx@-1", "nginx@1_2", "n\xc3\xa4", "a;b", "$(id)",
                                     "nginx@1 ", "a,b", "{json:}" };
  g_autofree char *exact = g_strnfill (LM_NAME_MAX, 'a');
  g_autofree char *longer = g_strnfill (LM_NAME_MAX + 1, 'a');
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_test_message ("%s", bad[i]);
      g_assert_null (lm_selection_parse (bad[i], &error));
      g_assert_error (error, LM_SELECTION_ERROR, LM_SELECTION_ERROR_INVALID);
      g_assert_null (strchr (error->message, '\n'));
    }
  g_assert_null (lm_selection_parse (NULL, NULL));
  g_assert_true (lm_name_is_valid (exact));
  g_assert_false (lm_name_is_valid (longer));
  g_assert_true (lm_version_is_valid (exact));
  g_assert_false (lm_version_is_valid (longer));
}

static void
test_relation (void)
{
  static const struct
  {
    const char *text, *name, *version;
    guint op;
  } good[] = {
    { "debian", "debian", "", LM_RELATION_ANY },
    { "debian >= 12", "debian", "12", LM_RELATION_GREATER | LM_RELATION_EQUAL },
    { "debian<12", "debian", "12", LM_RELATION_LESS },
    { "debian  <=12", "debian", "12", LM_RELATION_LESS | LM_RELATION_EQUAL },
    { "debian = 1:2~3", "debian", "1:2~3", LM_RELATION_EQUAL },
    { "debian > 1", "debian", "1", LM_RELATION_GREATER },
  };
  static const char *const bad[] = { "", " debian", "debian ", "debian 12", "debian >=", "debian >> 1", "debian == 1", "debian => 1",
                                     "debian >= 1 2", "Debian", ">= 1", "debian >= 1 " };
  LmRelation r;
  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_assert_true (lm_relation_parse (good[i].text, &r));
      g_assert_cmpstr (r.name, ==, good[i].name);
      g_assert_cmpstr (r.version, ==, good[i].version);
      g_assert_cmpuint (r.op, ==, good[i].op);
    }
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_test_message ("%s", bad[i]);
      g_assert_false (lm_relation_parse (bad[i], &r));
    }
  g_autofree char *longer = g_strnfill (500, 'a');
  g_autofree char *version = g_strconcat ("a = ", longer, NULL);
  g_assert_false (lm_relation_parse (longer, &r));
  g_assert_false (lm_relation_parse (version, &r));
}

static void
test_relation_met (void)
{
  char *provides[] = { (char *) "httpd = 2.4", (char *) "www", NULL };
  LmLayer layer = { .name = (char *) "apache2", .version = (char *) "2.4.57", .provides = provides };
  static const struct
  {
    const char *text;
    gboolean met;
  } cases[] = { { "apache2", TRUE },      { "apache2 >= 2.4.9", TRUE }, { "apache2 < 2.4.9", FALSE }, { "httpd", TRUE },
                { "httpd >= 2", TRUE },   { "httpd = 2.4", TRUE },      { "httpd > 2.4", FALSE },     { "www", TRUE },
                { "www >= 1", FALSE },    { "nginx", FALSE },           { "apache2 = 2.4.57", TRUE } };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      LmRelation r;
      g_test_message ("%s", cases[i].text);
      g_assert_true (lm_relation_parse (cases[i].text, &r));
      g_assert_cmpint (lm_relation_matches (&r, &layer), ==, cases[i].met);
    }
}

static void
test_version (void)
{
  g_assert_cmpint (lm_version_compare ("1.10", "1.9"), >, 0);
  g_assert_cmpint (lm_version_compare ("1.0~rc1", "1.0"), <, 0);
  g_assert_cmpint (lm_version_compare ("1:0.1", "9"), >, 0);
  g_assert_cmpint (lm_version_compare ("12.11", "12.11"), ==, 0);
  g_assert_cmpint (lm_version_compare ("1.0-1", "1.0-2"), <, 0);
}

static void
test_prerelease (void)
{
  static const char *const yes[] = { "2.0.0-rc1", "2.0.0-alpha", "2.0.0-alpha.1", "2.0.0-x.7.z.92", "2.0.0-SNAPSHOT", "2.0rc1", "2.0RC1",
                                     "2.0-beta", "2.0-rc.1", "2.0.rc1", "2.0b2-rc", "1.0alpha", "1.0beta2", "2pre1", "2.0-pre", "1.0.dev3",
                                     "1.0-dev", "2.0~rc1", "2.0~", "1:2.0~beta1-1", "1.2-3~bpo12+1", "1.0-preview.2", "1.0beta-1" };
  static const char *const no[] = { "2.0.0", "1.9.9", "1.22.1-9+deb12u1", "2.0.0-1", "2.0.0-0.3", "1.24.0-r7", "2.0", "12", "1:2.0", "2024-01-02",
                                    "1.0b", "1.0a3", "1.0archive", "1.0prefix", "1.0-lts", "rc1", "beta", "1.0+rc1", "1.0betamax", "1.0predev",
                                    "2.0.0+build.rc", "1.0developer" };
  for (guint i = 0; i < G_N_ELEMENTS (yes); i++)
    {
      g_test_message ("%s", yes[i]);
      g_assert_true (lm_version_is_prerelease (yes[i]));
      g_assert_cmpint (lm_version_compare_preference (yes[i], "0.1"), <, 0);
    }
  for (guint i = 0; i < G_N_ELEMENTS (no); i++)
    {
      g_test_message ("%s", no[i]);
      g_assert_false (lm_version_is_prerelease (no[i]));
    }
  g_assert_cmpint (lm_version_compare_preference ("2.0.0-rc2", "2.0.0-rc1"), >, 0);
  g_assert_cmpint (lm_version_compare_preference ("1.10", "1.9"), >, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/selection/parse", test_parse);
  g_test_add_func ("/selection/parse-refuses", test_parse_refuses);
  g_test_add_func ("/relation/parse", test_relation);
  g_test_add_func ("/relation/met", test_relation_met);
  g_test_add_func ("/version/compare", test_version);
  g_test_add_func ("/version/prerelease", test_prerelease);
  return g_test_run ();
}

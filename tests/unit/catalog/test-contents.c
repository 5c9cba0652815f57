/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "catalog/contents.h"
#include "catalog/installed.h"
#include "tests/unit/lib/lab.h"

#include <string.h>

/* Returns the words of @text; NULL if that is NULL. */
static char **
split (const char *text)
{
  return text == NULL ? NULL : text[0] == '\0' ? g_new0 (char *, 1) : g_strsplit (text, " ", -1);
}

static void
test_valid (void)
{
  static const char *const good[] = { "a=1", "libc6=2.36-9+deb12u10", "libc6:i386=2.36-9+deb12u10", "g++-12=12.2.0-14", "NetworkManager-libnm=1:1.42.2-1.fc38",
                                      "bash=5.2~rc1", "python3.11=3.11.2-6", "x=^1", "a_b:x86_64=1_2", "0ad=0.0.26-3" };
  static const char *const bad[] = { "", "a", "=1", "a=", "a=1=2", "a==1", "-a=1", "a:=1", "a:i386", "a:b:c=1", "a =1", "a= 1", "a=1 ", "a=1\n", "\xc3\xa4=1",
                                     "a=\xc3\xa4", "a/b=1", "a=1/2", "a:-x=1", "a:x.y=1", "a=1;2", "a>=1", "a=1,b=2" };
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autofree char *name = g_strndup (good[i], lm_installed_name_length (good[i]));
      g_assert_true (lm_installed_is_valid (good[i]));
      g_assert_false (lm_installed_name_is_valid (good[i]));
      g_assert_true (lm_installed_name_is_valid (name));
      g_assert_false (lm_installed_is_valid (name));
      g_assert_true (lm_installed_same_name (good[i], name));
    }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_test_message ("%s", bad[i]);
      g_assert_false (lm_installed_is_valid (bad[i]));
    }
}

static void
test_valid_length (void)
{
  for (guint more = 0; more < 2; more++)
    {
      g_autofree char *name = g_strnfill (200 + more, 'a'), *arch = g_strnfill (32 + more, 'a'), *version = g_strnfill (256 + more, '1');
      g_autofree char *by_name = g_strconcat (name, "=1", NULL), *by_arch = g_strconcat ("a:", arch, "=1", NULL);
      g_autofree char *by_version = g_strconcat ("a=", version, NULL);
      g_assert_true (lm_installed_is_valid (by_name) == (more == 0));
      g_assert_true (lm_installed_is_valid (by_arch) == (more == 0));
      g_assert_true (lm_installed_is_valid (by_version) == (more == 0));
      g_assert_true (lm_installed_name_is_valid (name) == (more == 0));
    }
}

/* A name comes before those that begin with it, whatever follows. */
static void
test_compare (void)
{
  static const char *const sorted[] = { "a=1", "a=1.1", "a=2", "a+b=1", "a-b=1", "a.b=1", "a1=1", "a:i386=1", "ab=1", "b=1" };
  for (gsize i = 0; i < G_N_ELEMENTS (sorted); i++)
    for (gsize j = 0; j < G_N_ELEMENTS (sorted); j++)
      {
        int got = lm_installed_compare (sorted[i], sorted[j]), want = (i > j) - (i < j);
        g_assert_true ((got > 0) - (got < 0) == want);
        int names = lm_installed_compare_names (sorted[i], sorted[j]);
        gboolean same = i == j || (i < 3 && j < 3);
        g_assert_true (same ? names == 0 : (names > 0) - (names < 0) == want);
      }
}

static LmBuild *
make_build (const char *packages, const char *removed)
{
  LmBuild *build = g_new0 (LmBuild, 1);
  build->packages = split (packages);
  build->removed = split (removed);
  return build;
}

static void
test_chain (void)
{
  static const struct
  {
    const char *builds[3][2]; /* packages and what is removed */
    const char *contents;
  } cases[] = {
    { { { "b=1 a=1 a=1" } }, "a=1 b=1" },
    { { { "", NULL } }, "" },
    { { { "a=1 b=1", NULL }, { "c=1 a=2", "b" } }, "a=2 c=1" },
    { { { "a=1 b=1", NULL }, { "", "" }, { "b=0", NULL } }, "a=1 b=0" },
    { { { "a=1 a:i386=1 a-b=1", NULL }, { "a:i386=2", NULL } }, "a=1 a-b=1 a:i386=2" },
    { { { "a=1 a:i386=1 a-b=1", NULL }, { "", "a" } }, "a-b=1 a:i386=1" },
    { { { "a=1", NULL }, { "", "a" }, { "a=3", NULL } }, "a=3" },
    { { { "kernel=1 kernel=2 x=1", NULL }, { "kernel=2 kernel=3", NULL } }, "kernel=2 kernel=3 x=1" },
    { { { "a=1", NULL }, { "a=2", "a nothing" } }, "a=2" },
    { { { NULL, NULL } }, NULL },
    { { { NULL, NULL }, { "a=1", NULL } }, NULL },
    { { { "a=1", NULL }, { NULL, NULL }, { "b=1", NULL } }, NULL },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GPtrArray) builds = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_build_free);
      guint n = i == 9 ? 1 : 0;
      for (guint j = 0; j < 3; j++)
        if (cases[i].builds[j][0] != NULL)
          n = j + 1;
      for (guint j = 0; j < n; j++)
        g_ptr_array_add (builds, make_build (cases[i].builds[j][0], cases[i].builds[j][1]));
      g_auto (GStrv) contents = lm_contents_of_chain (builds);
      g_autofree char *text = contents != NULL ? g_strjoinv (" ", contents) : NULL;
      g_assert_cmpstr (text, ==, cases[i].contents);
    }
  g_autoptr (GPtrArray) none = g_ptr_array_new ();
  g_assert_null (lm_contents_of_chain (none));
}

static void
test_compare_lists (void)
{
  static const char *const cases[][4] = {
    { "", "", "", "" },
    { "", "b=1 a=1", "a=1 b=1", "" },
    { "a=1 b=1", "", "", "a b" },
    { "c=1 a=1 b=1", "b=2 d=1 c=1", "b=2 d=1", "a" },
    { "a=1 a:i386=1", "a=1", "", "a:i386" },
    { "k=1 k=2", "k=2 k=3", "k=2 k=3", "" },
    { "k=1 k=2", "k=2", "k=2", "" },
    { "k=1", "k=1 k=2 k=1", "k=1 k=2", "" },
    { "a=1 z=1", "a=1 z=1 a=1", "", "" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_auto (GStrv) parent = split (cases[i][0]), child = split (cases[i][1]), packages = NULL, removed = NULL;
      lm_contents_compare (parent, child, &packages, &removed);
      g_autofree char *added = g_strjoinv (" ", packages), *gone = g_strjoinv (" ", removed);
      g_assert_cmpstr (added, ==, cases[i][2]);
      g_assert_cmpstr (gone, ==, cases[i][3]);
    }
}

/* Some of few packages, so that many are in two lists. */
static char **
make_list (GRand *rand)
{
  static const char *const names[] = { "a", "a-b", "a:i386", "a1", "b", "libc6", "libc6-dev", "libc6:i386" };
  g_autoptr (GStrvBuilder) list = g_strv_builder_new ();
  for (gint n = g_rand_int_range (rand, 0, 14); n > 0; n--)
    {
      g_autofree char *item = g_strdup_printf ("%s=%d", names[g_rand_int_range (rand, 0, G_N_ELEMENTS (names))], g_rand_int_range (rand, 1, 4));
      g_strv_builder_add (list, item);
    }
  return g_strv_builder_end (list);
}

/* What a chain of differences contains is what its top was to contain. */
static void
test_property (void)
{
  g_autoptr (GRand) rand = g_rand_new_with_seed (7);
  for (guint i = 0; i < 5000; i++)
    {
      g_autoptr (GPtrArray) builds = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_build_free);
      g_auto (GStrv) below = g_new0 (char *, 1);
      for (guint depth = 0; depth < 4; depth++)
        {
          LmBuild *build = g_new0 (LmBuild, 1), *again = g_new0 (LmBuild, 1);
          char **list = make_list (rand);
          g_autoptr (GPtrArray) alone = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_build_free);
          lm_contents_compare (below, list, &build->packages, &build->removed);
          g_ptr_array_add (builds, build);
          g_ptr_array_add (alone, again);
          again->packages = g_strdupv (list);
          g_auto (GStrv) want = lm_contents_of_chain (alone), got = lm_contents_of_chain (builds);
          g_assert_cmpstrv (got, want);
          g_strfreev (below);
          below = list;
        }
    }
}

#define HEAD "lamina-catalog: 1\ngroups: [{name: os}]\nlayers:\n"

static LmCatalog *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *expanded = lab_expand (text);
  LmCatalog *catalog = lab_parse (expanded, NULL, &error);
  g_assert_no_error (error);
  return catalog;
}

static void
assert_contents (const LmCatalogSet *set, const char *name, const char *want)
{
  LmDigest digest = lm_digest_of_text (name);
  g_auto (GStrv) contents = lm_contents_of_build (set, &digest);
  g_autofree char *text = contents != NULL ? g_strjoinv (" ", contents) : NULL;
  g_assert_cmpstr (text, ==, want);
}

/* The chain may go through several catalogs, and one of them may know what another does not. */
static void
test_set (void)
{
  g_autoptr (LmCatalogSet) set = lm_catalog_set_new ();
  lm_catalog_set_add (set, parse (HEAD
    "  - {name: a, version: \"1\", group: os, builds: [{digest: $a, size: 1, urls: [a]}]}\n"
    "  - {name: c, version: \"1\", group: os, builds: [{digest: $c, parent: $b, size: 1, urls: [c], packages: [c=1, x=2], removed: [b]}]}\n"), 9);
  assert_contents (set, "a", NULL);
  assert_contents (set, "c", NULL);
  lm_catalog_set_add (set, parse (HEAD
    "  - {name: a, version: \"1\", group: os, builds: [{digest: $a, size: 1, urls: [a], packages: [x=1, a=1]}]}\n"
    "  - {name: b, version: \"1\", group: os, builds: [{digest: $b, parent: $a, size: 1, urls: [b], packages: [b=1]}]}\n"
    "  - {name: c, version: \"1\", group: os, builds: [{digest: $c, parent: $b, size: 1, urls: [c], packages: [other=1]}]}\n"
    "  - {name: d, version: \"1\", group: os, builds: [{digest: $d, parent: $e, size: 1, urls: [d], packages: []}]}\n"
    "  - {name: e, version: \"1\", group: os, builds: [{digest: $e, parent: $d, size: 1, urls: [e], packages: []}]}\n"), 1);
  assert_contents (set, "a", "a=1 x=1");
  assert_contents (set, "b", "a=1 b=1 x=1");
  assert_contents (set, "c", "a=1 c=1 x=2");
  assert_contents (set, "d", NULL);
  assert_contents (set, "nothing", NULL);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/contents/valid", test_valid);
  g_test_add_func ("/contents/valid-length", test_valid_length);
  g_test_add_func ("/contents/compare", test_compare);
  g_test_add_func ("/contents/chain", test_chain);
  g_test_add_func ("/contents/compare-lists", test_compare_lists);
  g_test_add_func ("/contents/property", test_property);
  g_test_add_func ("/contents/set", test_set);
  return g_test_run ();
}

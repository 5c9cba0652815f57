/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "tests/unit/lib/lab.h"

#include <string.h>

#define HEAD "lamina-catalog: 1\ngroups: [{name: g, multiple: true}, {name: one}]\nlayers:\n"
#define BUILDS "builds: [{digest: $x%u, size: 1, urls: [x]}]"

/* Returns "debian 12.11, nginx 1.22.1" for selections that are separated by spaces. */
static char *
resolve (const LmCatalogSet *set, const char *selections, GError **error)
{
  g_auto (GStrv) words = g_strsplit (selections, " ", -1);
  g_autoptr (LmResolution) r = lm_resolve (set, (const char *const *) words, "x86_64", error);
  if (r == NULL)
    return NULL;
  GString *text = g_string_new (NULL);
  for (guint i = 0; i < r->layers->len; i++)
    {
      const LmCandidate *c = r->layers->pdata[i];
      g_string_append_printf (text, "%s%s %s%s", i ? ", " : "", c->layer->name, c->layer->version, c->selected ? "" : "?");
    }
  return g_string_free (text, FALSE);
}

static void
assert_resolves (const LmCatalogSet *set, const char *selections, const char *expected)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = resolve (set, selections, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (text, ==, expected);
}

static void
assert_fails (const LmCatalogSet *set, const char *selections, int code, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *text = resolve (set, selections, &error);
  g_assert_cmpstr (text, ==, NULL);
  g_assert_error (error, LM_RESOLVE_ERROR, code);
  g_assert_cmpstr (error->message, ==, message);
}

/* A catalog of "name version [requires=A,B] [conflicts=A] [provides=A] [group=one]" lines. */
static LmCatalogSet *
make (const char *const *lines)
{
  g_autoptr (GString) text = g_string_new (HEAD);
  for (guint i = 0; lines[i]; i++)
    {
      g_auto (GStrv) words = g_strsplit (lines[i], " ", -1);
      const char *group = "g";
      g_string_append_printf (text, "  - {name: %s, version: \"%s\", " BUILDS, words[0], words[1], i);
      for (char **w = words + 2; *w; w++)
        {
          g_auto (GStrv) pair = g_strsplit (*w, ":", 2);
          if (strcmp (pair[0], "group") == 0)
            group = "one";
          else
            {
              g_auto (GStrv) items = g_strsplit (pair[1], ",", -1);
              g_autofree char *list = g_strjoinv ("\", \"", items);
              g_string_append_printf (text, ", %s: [\"%s\"]", pair[0], list);
            }
        }
      g_string_append_printf (text, ", group: %s}\n", group);
    }
  return lab_set (text->str);
}

static void
test_good (void)
{
  g_autoptr (LmCatalogSet) set = lab_set (lab_catalog);
  assert_resolves (set, "debian", "debian 12.11");
  assert_resolves (set, "debian@11.9", "debian 11.9");
  assert_resolves (set, "nginx", "debian 12.11?, nginx 1.22.1");
  assert_resolves (set, "web=nginx os=debian", "debian 12.11, nginx 1.22.1");
  assert_resolves (set, "lighttpd debian@11.9", "debian 11.9, lighttpd 1.4.69");
  assert_resolves (set, "mariadb nginx", "debian 12.11?, nginx 1.22.1, mariadb 10.11");
  assert_resolves (set, "vim mariadb nginx", "debian 12.11?, nginx 1.22.1, mariadb 10.11, vim 9");
  assert_resolves (set, "webapp nginx", "debian 12.11?, nginx 1.22.1, webapp 1");
  assert_resolves (set, "nginx nginx nginx@1.22.1", "debian 12.11?, nginx 1.22.1");
}

static void
test_unknown (void)
{
  g_autoptr (LmCatalogSet) set = lab_set (lab_catalog);
  assert_fails (set, "ngnix", LM_RESOLVE_ERROR_UNKNOWN, "there is no layer \"ngnix\"; did you mean \"nginx\"?");
  assert_fails (set, "zzzzzzzz", LM_RESOLVE_ERROR_UNKNOWN, "there is no layer \"zzzzzzzz\"; \"lamina list\" shows what is available");
  assert_fails (set, "httpd", LM_RESOLVE_ERROR_UNKNOWN,
                "there is no layer \"httpd\"; select what provides it: lighttpd and nginx");
  assert_fails (set, "nginx@9", LM_RESOLVE_ERROR_UNKNOWN, "there is no version 9 of nginx; available: 1.22.1");
  assert_fails (set, "debian@9", LM_RESOLVE_ERROR_UNKNOWN, "there is no version 9 of debian; available: 11.9 and 12.11");
  assert_fails (set, "mail", LM_RESOLVE_ERROR_UNKNOWN, "mail is available for riscv64, but not for x86_64");
  assert_fails (set, "os=nginx", LM_RESOLVE_ERROR_GROUP, "nginx is in the group web, not os; use web=nginx");
  g_autoptr (LmCatalogSet) empty = lm_catalog_set_new ();
  assert_fails (empty, "nginx", LM_RESOLVE_ERROR_UNKNOWN,
                "there is no layer \"nginx\" because no catalog can be read; add one with \"lamina catalog add\"");
  g_autoptr (GError) error = NULL;
  g_assert_null (lm_resolve (set, (const char *const[]){ NULL }, NULL, &error));
  g_assert_error (error, LM_SELECTION_ERROR, LM_SELECTION_ERROR_INVALID);
}

static void
test_unsatisfiable (void)
{
  g_autoptr (LmCatalogSet) set = lab_set (lab_catalog);
  assert_fails (set, "nginx alpine", LM_RESOLVE_ERROR_UNSATISFIABLE,
                "nginx and alpine cannot be combined: nginx 1.22.1 requires debian >= 12, alpine and debian are both in the "
                "group os, which allows one layer; leave out nginx, or use debian instead of alpine");
  assert_fails (set, "nginx debian@11.9", LM_RESOLVE_ERROR_UNSATISFIABLE,
                "nginx and debian@11.9 cannot be combined: nginx 1.22.1 requires debian >= 12; leave out nginx, or use "
                "debian@12.11 instead of debian@11.9");
  assert_fails (set, "vim lighttpd", LM_RESOLVE_ERROR_UNSATISFIABLE,
                "vim and lighttpd cannot be combined: vim 9 conflicts with lighttpd; leave out vim, or leave out lighttpd");
  static const char *const lines[] = { "a 1 requires:b", NULL };
  g_autoptr (LmCatalogSet) lonely = make (lines);
  assert_fails (lonely, "a", LM_RESOLVE_ERROR_UNSATISFIABLE, "a cannot be used: a 1 requires b, which is missing");
}

static void
test_groups (void)
{
  g_autoptr (LmCatalogSet) set = lab_set (lab_catalog);
  assert_fails (set, "nginx lighttpd", LM_RESOLVE_ERROR_GROUP,
                "the group web allows one layer, but nginx and lighttpd were selected; leave one out");
  static const char text[] = "lamina-catalog: 1\ngroups: [{name: os, title: System, required: true}, {name: web}]\nlayers:\n"
                             "  - {name: a, version: \"1\", group: web, builds: [{digest: $a, size: 1, urls: [a]}]}\n"
                             "  - {name: b, version: \"1\", group: os, builds: [{digest: $b, size: 1, urls: [b]}]}\n"
                             "  - {name: c, version: \"1\", group: os, builds: [{digest: $c, size: 1, urls: [c]}]}\n";
  g_autoptr (LmCatalogSet) other = lab_set (text);
  assert_fails (other, "a", LM_RESOLVE_ERROR_GROUP,
                "a machine needs a layer of the group os (System), but none is selected; add one of b and c");
  assert_resolves (other, "a c", "c 1, a 1");
}

static void
test_versions (void)
{
  static const char *const lines[] = { "a 1.9",
                                       "a 1.10",
                                       "a 1.10~rc1",
                                       "b 1 requires:a<1.10",
                                       "c 1 requires:a",
                                       "c 2 requires:nothing",
                                       "d 1 requires:v>=2",
                                       "e 1 provides:v=3",
                                       "f 1 provides:v",
                                       "g 1.0b",
                                       "g 1.0+a",
                                       "m 2.0.0-rc1",
                                       "m 2.0.0",
                                       "m 1.9.9",
                                       "n 1.0",
                                       "n 2.0beta1",
                                       "o 1 requires:n>=2",
                                       "p 1.0alpha1",
                                       "p 1.0alpha2",
                                       "q 1.0 requires:nothing",
                                       "q 1.0-rc1",
                                       "r 1 provides:v2",
                                       "s 2.0.0-dev.1 provides:v2",
                                       "t 1 requires:v2",
                                       "u 1 requires:m=2.0.0-rc1",
                                       "k 1 requires:l",
                                       "l 1 requires:k",
                                       NULL };
  g_autoptr (LmCatalogSet) set = make (lines);
  assert_resolves (set, "a", "a 1.10");
  assert_resolves (set, "b", "a 1.9?, b 1");
  assert_resolves (set, "b a@1.9", "a 1.9, b 1");
  /* the newest that fits, not the newest one */
  assert_resolves (set, "c", "a 1.10?, c 1");
  assert_resolves (set, "d", "e 1?, d 1");
  /* as in Debian, letters sort before everything else */
  assert_resolves (set, "g", "g 1.0+a");
  assert_resolves (set, "k", "k 1, l 1?");
  /* a pre-release only if it is asked for, or nothing else fits */
  assert_resolves (set, "m", "m 2.0.0");
  assert_resolves (set, "m@2.0.0-rc1", "m 2.0.0-rc1");
  assert_resolves (set, "m@1.9.9", "m 1.9.9");
  assert_resolves (set, "n", "n 1.0");
  assert_resolves (set, "o", "n 2.0beta1?, o 1");
  assert_resolves (set, "o n", "n 2.0beta1, o 1");
  /* and of two layers only the one for which nothing else fits */
  assert_resolves (set, "o m", "m 2.0.0, n 2.0beta1?, o 1");
  assert_resolves (set, "p", "p 1.0alpha2");
  assert_resolves (set, "q", "q 1.0-rc1");
  assert_resolves (set, "t", "r 1?, t 1");
  assert_resolves (set, "u", "m 2.0.0-rc1?, u 1");
}

/* Of two providers, the one that fits the rest. */
static void
test_choice (void)
{
  static const char *const lines[] = { "app 1 requires:db", "my 1 provides:db conflicts:tool group:one", "pg 1 provides:db group:one",
                                       "tool 1", NULL };
  g_autoptr (LmCatalogSet) set = make (lines);
  assert_resolves (set, "app tool", "tool 1, pg 1?, app 1");
  assert_resolves (set, "app my", "my 1, app 1");
}

/* Layers outside the closure have no effect. */
static void
test_closure (void)
{
  g_autoptr (GString) text = g_string_new (lab_catalog);
  for (guint i = 0; i < 2000; i++)
    g_string_append_printf (text,
                            "  - {name: other%u, version: \"1\", group: tools, requires: [debian], conflicts: [nginx], "
                            "builds: [{parent: $debian12, digest: $o%u, size: 1, urls: [o]}]}\n",
                            i, i);
  g_autoptr (LmCatalogSet) set = lab_set (text->str);
  g_autoptr (LmResolution) r = lm_resolve (set, (const char *const[]){ "mariadb", "nginx", NULL }, "x86_64", NULL);
  g_assert_cmpuint (r->layers->len, ==, 3);
  g_assert_cmpuint (r->candidates->len, ==, 4);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/resolve/good", test_good);
  g_test_add_func ("/resolve/unknown", test_unknown);
  g_test_add_func ("/resolve/unsatisfiable", test_unsatisfiable);
  g_test_add_func ("/resolve/groups", test_groups);
  g_test_add_func ("/resolve/versions", test_versions);
  g_test_add_func ("/resolve/choice", test_choice);
  g_test_add_func ("/resolve/closure", test_closure);
  return g_test_run ();
}

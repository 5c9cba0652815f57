/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/json-value.h"

#include <string.h>

static LmJson *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  LmJson *json = lm_json_parse (text, strlen (text), &error);
  g_assert_no_error (error);
  return json;
}

static void
test_members (void)
{
  g_autoptr (LmJson) json = parse ("{\"s\": \"a\\u00fcb\", \"empty\": \"\", \"n\": -12, \"big\": 9223372036854775808, \"part\": 1.5, \"t\": true,\n"
                                   " \"f\": false, \"nil\": null, \"o\": {\"s\": \"inner\"}, \"a\": [], \"n\\u0041\": 7}");
  const LmJsonValue *root = lm_json_get_root (json);
  g_assert_true (lm_json_is_object (root));
  g_assert_cmpstr (lm_json_get_string (root, "s"), ==, "a\xc3\xbc" "b");
  g_assert_cmpstr (lm_json_get_string (root, "empty"), ==, "");
  g_assert_cmpint (lm_json_get_int (root, "n", 5), ==, -12);
  g_assert_cmpint (lm_json_get_int (root, "nA", 5), ==, 7);
  g_assert_true (lm_json_get_bool (root, "t"));
  g_assert_cmpstr (lm_json_get_string (lm_json_get_member (root, "o"), "s"), ==, "inner");
  g_assert_nonnull (lm_json_get_array (root, "a"));
  g_assert_null (lm_json_get_first (lm_json_get_array (root, "a")));
  /* missing, of another type, or too large */
  static const char *const others[] = { "missing", "big", "part", "t", "f", "nil", "o", "a", "s" };
  for (gsize i = 0; i < G_N_ELEMENTS (others); i++)
    g_assert_cmpint (lm_json_get_int (root, others[i], 5), ==, 5);
  static const char *const no_strings[] = { "missing", "n", "t", "nil", "o", "a" };
  for (gsize i = 0; i < G_N_ELEMENTS (no_strings); i++)
    {
      g_assert_null (lm_json_get_string (root, no_strings[i]));
      g_assert_false (lm_json_get_bool (root, i == 2 ? "f" : no_strings[i]));
    }
  g_assert_null (lm_json_get_array (root, "o"));
  g_assert_null (lm_json_get_member (lm_json_get_member (root, "a"), "s"));
  g_assert_null (lm_json_get_member (NULL, "s"));
  g_assert_false (lm_json_is_set (lm_json_get_member (root, "missing")) || lm_json_is_set (lm_json_get_member (root, "nil"))
                  || lm_json_is_set (lm_json_get_member (root, "f")));
  g_assert_true (lm_json_is_set (lm_json_get_member (root, "t")) && lm_json_is_set (lm_json_get_member (root, "empty"))
                 && lm_json_is_set (lm_json_get_member (root, "a")));
}

/* Writes all of @value as text: the member "t" of objects, and the values in them in {}, others in (). */
static void
describe (const LmJsonValue *value, GString *out)
{
  if (lm_json_get_string (value, "t") != NULL)
    g_string_append (out, lm_json_get_string (value, "t"));
  g_string_append_c (out, lm_json_is_object (value) ? '{' : '(');
  for (const LmJsonValue *child = lm_json_get_first (value); child != NULL; child = lm_json_get_next (child))
    describe (child, out);
  g_string_append_c (out, lm_json_is_object (value) ? '}' : ')');
}

static void
test_structure (void)
{
  static const struct
  {
    const char *text;
    const char *expected;
  } cases[] = {
    { "5", "()" },
    { "\"x\"", "()" },
    { "[]", "()" },
    { "{}", "{}" },
    { "[\"a\", [], {\"t\": \"b\"}, {\"k\": 1, \"l\": [{\"t\": \"c\"}, [\"e\"]], \"t\": \"d\"}, {}, 2]", "(()()b{()}d{()(c{()}(()))()}{}())" },
    { "{\"k\": {\"t\": \"a\", \"k\": {\"t\": \"b\"}}, \"l\": [[[{\"t\": \"c\"}]]], \"m\": null}", "{a{()b{()}}(((c{()})))()}" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (LmJson) json = parse (cases[i].text);
      g_autoptr (GString) out = g_string_new (NULL);
      describe (lm_json_get_root (json), out);
      g_assert_cmpstr (out->str, ==, cases[i].expected);
    }
}

static void
test_strv (void)
{
  g_autoptr (LmJson) json = parse ("{\"a\": [\"x\", 1, [\"no\"], \"y\"], \"b\": \"x\", \"c\": [\"1\"], \"c\": [\"2\", \"3\"]}");
  const LmJsonValue *root = lm_json_get_root (json);
  g_auto (GStrv) some = lm_json_get_strv (root, "a"), none = lm_json_get_strv (root, "b"), last = lm_json_get_strv (root, "c");
  g_autofree char *text = g_strjoinv (",", some);
  g_assert_cmpstr (text, ==, "x,y");
  g_assert_cmpuint (g_strv_length (none), ==, 0);
  g_assert_true (g_strv_equal ((const char *const *) last, (const char *const[]){ "2", "3", NULL }));
}

/* Texts that fill the memory for strings, and deep ones. */
static void
test_limits (void)
{
  g_autoptr (GString) text = g_string_new ("[");
  for (guint i = 0; i < 1000; i++)
    g_string_append_printf (text, "%s{\"\":\"%u\"},{\"\":%u}", i > 0 ? "," : "", i, i);
  g_string_append_c (text, ']');
  g_autoptr (LmJson) json = parse (text->str);
  guint n = 0;
  for (const LmJsonValue *value = lm_json_get_first (lm_json_get_root (json)); value != NULL; value = lm_json_get_next (value), n++)
    if (n % 2 == 0)
      g_assert_cmpuint (g_ascii_strtoull (lm_json_get_string (value, ""), NULL, 10), ==, n / 2);
    else
      g_assert_cmpint (lm_json_get_int (value, "", -1), ==, n / 2);
  g_assert_cmpuint (n, ==, 2000);
  g_autofree char *open = g_strnfill (256, '['), *close = g_strnfill (256, ']');
  g_autofree char *deep = g_strconcat (open, close, NULL), *deeper = g_strconcat ("[", deep, "]", NULL);
  g_autoptr (LmJson) good = parse (deep);
  g_autoptr (LmJson) bad = lm_json_parse (deeper, strlen (deeper), NULL);
  g_assert_true (good != NULL && bad == NULL);
}

static void
test_refused (void)
{
  static const char *const bad[] = { "", " ", "{", "{'a': 1}", "{\"a\": 1,}", "{} x", "[1 2]", "{\"a\\u0000b\": 1}", "[\"\\u0000\"]", "[\"\xff\"]" };
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (LmJson) json = lm_json_parse (bad[i], strlen (bad[i]), &error);
      g_assert_null (json);
      g_assert_error (error, LM_JSON_ERROR, LM_JSON_ERROR_SYNTAX);
    }
  g_autoptr (GError) error = NULL;
  g_autoptr (LmJson) json = lm_json_parse ("{\n\"a\":\n01}", 10, &error);
  g_assert_null (json);
  g_assert_cmpstr (error->message, ==, "not valid JSON: line 3: expected a value");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/json-value/members", test_members);
  g_test_add_func ("/json-value/structure", test_structure);
  g_test_add_func ("/json-value/strv", test_strv);
  g_test_add_func ("/json-value/limits", test_limits);
  g_test_add_func ("/json-value/refused", test_refused);
  return g_test_run ();
}

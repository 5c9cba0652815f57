/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/json-reader.h"

#include <json-glib/json-glib.h>
#include <string.h>

/* Valid according to RFC 8259. */
static const char *const good[] = {
  "{}", "[]", " [ ] ", "{\"a\":1}", "[1,2]", "\t{\r\n\"a\"\n:\n[true , false,null]\r}", "[\"\\ud83d\\ude80\"]", "[\"\\u00fc\\/\\b\\f\\n\\r\\t\\\\\\\"\"]",
  "[0,-0,1.5,-1e5,1E+2,0.1e-3,12345678901234567890]", "[\"\xc3\xbc\"]", "[\"\"]", "{\"\":{}}", "{\"a\":{\"b\":[{},[],[[]]]}}", "[\"\x7f\"]",
  "1", "\"a\"", "null", "[\"\\u0000\"]", "[\"\\uFFFF\"]",
};

/* Not valid. */
static const char *const bad[] = {
  "", " ", "{", "[", "}", "]", "[1", "[1,", "[1,]", "[,1]", "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{,}", "{a:1}", "{'a':1}", "{1:2}", "[1 2]", "[1}",
  "{\"a\":1]", "[] []", "[]x", "[01]", "[1.]", "[.5]", "[+1]", "[1e]", "[-]", "[0x1f]", "[NaN]", "[Infinity]", "[tru]", "[True]", "[truex]", "[\"a]",
  "[\"a\nb\"]", "[\"\t\"]", "[\"\\x41\"]", "[\"\\u12\"]", "[\"\\u12g4\"]", "[\"\\ud83d\"]", "[\"\\ud83dx\"]", "[\"\\ud83d\\u0041\"]", "[\"\\ude80\"]",
  "[\"\\ude80\\ud83d\"]", "[\"\\\"]", "[\"\xff\"]", "[\"\xc3\"]", "[\"\xed\xa0\xbd\xed\xba\x80\"]", "// c\n[]", "[1/* c */]", "[1]#", "\xef\xbb\xbf[]",
  "{\"a\":1 \"b\":2}", "{\"a\",1}", "[:]", "[\"\\", "[\"\\u", "[\"\\ud83d\\u",
};

static void
test_valid (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_test_message ("%s", good[i]);
      g_assert_true (lm_json_is_valid (good[i], strlen (good[i])));
    }
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_test_message ("%s", bad[i]);
      g_assert_false (lm_json_is_valid (bad[i], strlen (bad[i])));
    }
  g_assert_false (lm_json_is_valid ("[\0]", 3));
  /* text after the end is not read */
  g_assert_true (lm_json_is_valid ("[1]]", 3));
  g_assert_false (lm_json_is_valid ("[1]", 2));
}

static void
test_depth (void)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < LM_JSON_DEPTH_MAX; i++)
    g_string_append_c (text, '[');
  for (guint i = 0; i < LM_JSON_DEPTH_MAX; i++)
    g_string_append_c (text, ']');
  g_assert_true (lm_json_is_valid (text->str, text->len));
  g_string_prepend_c (text, '[');
  g_string_append_c (text, ']');
  g_assert_false (lm_json_is_valid (text->str, text->len));
  g_autofree char *deep = g_strnfill (10 << 20, '[');
  g_assert_false (lm_json_is_valid (deep, 10 << 20));
}

/* json-glib, which writes lamina's JSON, reads the same values. */
static void
test_values (void)
{
  static const char *const strings[] = { "\"\"", "\"a b\"", "\"\\ud83d\\ude80 \\u00fc\\u20ac\"", "\"\\\"\\\\\\/\\b\\f\\n\\r\\t\"", "\"\xf0\x9f\x9a\x80\"",
                                         "\"\\uD800\\uDC00\\uDBFF\\uDFFF\"" };
  for (gsize i = 0; i < G_N_ELEMENTS (strings); i++)
    {
      LmJsonReader reader;
      LmJsonToken token;
      g_autoptr (JsonNode) node = json_from_string (strings[i], NULL);
      lm_json_reader_init (&reader, strings[i], strlen (strings[i]));
      g_assert_true (lm_json_reader_next (&reader, &token));
      g_assert_cmpint (token, ==, LM_JSON_STRING);
      g_assert_cmpstr (reader.value->str, ==, json_node_get_string (node));
      g_assert_true (lm_json_reader_next (&reader, &token));
      g_assert_cmpint (token, ==, LM_JSON_END);
      lm_json_reader_clear (&reader);
    }
}

static void
test_tokens (void)
{
  static const char text[] = "{\"a\":\n [1, {}],\n\n \"b\": null}\n";
  static const struct
  {
    LmJsonToken token;
    const char *value;
    guint line;
  } expected[] = {
    { LM_JSON_OBJECT, NULL, 1 },    { LM_JSON_STRING, "a", 1 },  { LM_JSON_ARRAY, NULL, 2 },     { LM_JSON_WORD, "1", 2 },
    { LM_JSON_OBJECT, NULL, 2 },    { LM_JSON_OBJECT_END, NULL, 2 }, { LM_JSON_ARRAY_END, NULL, 2 }, { LM_JSON_STRING, "b", 4 },
    { LM_JSON_WORD, "null", 4 },    { LM_JSON_OBJECT_END, NULL, 4 }, { LM_JSON_END, NULL, 5 },
  };
  LmJsonReader reader;
  lm_json_reader_init (&reader, text, strlen (text));
  for (gsize i = 0; i < G_N_ELEMENTS (expected); i++)
    {
      LmJsonToken token;
      g_assert_true (lm_json_reader_next (&reader, &token));
      g_assert_cmpint (token, ==, expected[i].token);
      g_assert_cmpuint (reader.line, ==, expected[i].line);
      if (expected[i].value != NULL)
        g_assert_cmpstr (reader.value->str, ==, expected[i].value);
    }
  lm_json_reader_clear (&reader);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/json-reader/valid", test_valid);
  g_test_add_func ("/json-reader/depth", test_depth);
  g_test_add_func ("/json-reader/values", test_values);
  g_test_add_func ("/json-reader/tokens", test_tokens);
  return g_test_run ();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/size.h"
#include "base/yaml-node.h"

#include <string.h>

static LmYamlNode *
parse (const char *text, GError **error)
{
  return lm_yaml_node_parse ("t", text, strlen (text), NULL, error);
}

static LmYamlNode *
parse_good (const char *text)
{
  g_autoptr (GError) error = NULL;
  LmYamlNode *node = parse (text, &error);
  g_assert_no_error (error);
  return node;
}

static void
assert_bad (const char *text, int code, const char *message)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmYamlNode) node = parse (text, &error);
  g_assert_null (node);
  g_assert_error (error, LM_YAML_ERROR, code);
  g_assert_cmpstr (error->message, ==, message);
}

static void
test_tree (void)
{
  g_autoptr (LmYamlNode) root = parse_good ("# comment\nname: web1\nmemory: 512MiB\nvcpus: 2\nautostart: yes\n"
                                            "select:\n  - debian\n  - nginx@1.22\n");
  g_assert_cmpint (lm_yaml_node_get_kind (root), ==, LM_YAML_MAPPING);
  g_assert_cmpuint (lm_yaml_node_get_length (root), ==, 5);
  g_assert_cmpstr (lm_yaml_node_get_key (root, 4), ==, "select");
  g_assert_null (lm_yaml_node_get_key (root, 5));
  g_assert_null (lm_yaml_node_lookup (root, "disk"));
  const LmYamlNode *name = lm_yaml_node_lookup (root, "name");
  g_assert_cmpstr (lm_yaml_node_get_text (name), ==, "web1");
  gint64 vcpus;
  gboolean autostart;
  g_assert_true (lm_yaml_node_to_int (lm_yaml_node_lookup (root, "vcpus"), 1, 99, &vcpus, NULL));
  g_assert_cmpint (vcpus, ==, 2);
  g_assert_true (lm_yaml_node_to_bool (lm_yaml_node_lookup (root, "autostart"), &autostart, NULL));
  g_assert_true (autostart);
  const LmYamlNode *select = lm_yaml_node_lookup (root, "select");
  g_assert_cmpuint (lm_yaml_node_get_length (select), ==, 2);
  g_assert_cmpstr (lm_yaml_node_get_text (lm_yaml_node_get_item (select, 1)), ==, "nginx@1.22");
  g_assert_null (lm_yaml_node_get_item (select, 2));
}

static void
test_json (void)
{
  g_autoptr (LmYamlNode) root = parse_good ("{\n\t\"a\": [1, true, null, \"x\\/\\u00e9\"],\n\t\"b\": {}\n}\n");
  const LmYamlNode *a = lm_yaml_node_lookup (root, "a");
  g_assert_cmpuint (lm_yaml_node_get_length (a), ==, 4);
  g_assert_true (lm_yaml_node_is_null (lm_yaml_node_get_item (a, 2)));
  g_assert_cmpstr (lm_yaml_node_get_text (lm_yaml_node_get_item (a, 3)), ==, "x/\u00e9");
  g_assert_cmpint (lm_yaml_node_get_kind (lm_yaml_node_lookup (root, "b")), ==, LM_YAML_MAPPING);
}

static void
test_json_only (void)
{
  static const char *const cases[] = { "{\"a\": \"\\ud83d\\ude80\"}", "{\"a\"\n:\n\"\xf0\x9f\x9a\x80\"}", "\xef\xbb\xbf {\"a\":\t\"\\ud83d\\ude80\"}" };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (LmYamlNode) root = parse_good (cases[i]);
      g_assert_cmpstr (lm_yaml_node_get_text (lm_yaml_node_lookup (root, "a")), ==, "\xf0\x9f\x9a\x80");
    }
  /* YAML in flow style may look like JSON */
  g_autoptr (LmYamlNode) flow = parse_good ("{a: 'x', }");
  g_assert_cmpstr (lm_yaml_node_get_text (lm_yaml_node_lookup (flow, "a")), ==, "x");
  assert_bad ("{\"a\": 1, \"a\": 2}", LM_YAML_ERROR_SYNTAX, "t:1: \"a\" is given twice");
  assert_bad ("{\"a\": \"\\u0000\"}", LM_YAML_ERROR_UNSUPPORTED, "t:1: a value must not contain a NUL byte");
  assert_bad ("[\n1,\n\"2\"\n\"3\"\n]", LM_YAML_ERROR_SYNTAX,
              "t:4: expected a comma or ]; as YAML, line 4: did not find expected ',' or ']' while parsing a flow sequence");
  assert_bad ("{\"a\": \"\\ud83d\\ude80\",\n}", LM_YAML_ERROR_SYNTAX, "t:2: expected a key in quotes");
  assert_bad ("{\"a\": \"\\ud83d\\ude80\"}\n{}", LM_YAML_ERROR_SYNTAX, "t:2: unexpected text after the end");
  assert_bad ("{\"a\": [\"\\ud83d\\ude80\" 1]}", LM_YAML_ERROR_SYNTAX, "t:1: expected a comma or ]");
}

static void
test_byte_order_mark (void)
{
  g_autoptr (LmYamlNode) root = parse_good ("\xef\xbb\xbf" "a: 1\n");
  g_assert_nonnull (lm_yaml_node_lookup (root, "a"));
  assert_bad ("\xef\xbb\xbf" "a: 1\nb: 2\nc: \x01\n", LM_YAML_ERROR_SYNTAX, "t:3: control characters are not allowed");
}

static void
test_block_scalars (void)
{
  static const char *const cases[][2] = { { "a: |\n  x\n", "x" },   { "a: >\n  x\n  y\n", "x y" },     { "a: |+\n  x\n\n\n", "x" },
                                          { "a: >-\n  x\n", "x" },  { "a: |\n  x\n  y\n", "x\ny" },    { "a: \"x\\n\"\n", "x\n" },
                                          { "a: |\n\n", "" } };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (LmYamlNode) root = parse_good (cases[i][0]);
      g_assert_cmpstr (lm_yaml_node_get_text (lm_yaml_node_lookup (root, "a")), ==, cases[i][1]);
    }
}

static void
test_empty (void)
{
  g_autoptr (LmYamlNode) nothing = parse_good ("");
  g_autoptr (LmYamlNode) comment = parse_good ("# only\n");
  g_assert_true (lm_yaml_node_is_null (nothing));
  g_assert_true (lm_yaml_node_is_null (comment));
}

static void
test_refused (void)
{
  assert_bad ("a: 1\nb: 2\na: 3\n", LM_YAML_ERROR_SYNTAX, "t:3: \"a\" is given twice");
  assert_bad ("a: &x [1]\nb: *x\n", LM_YAML_ERROR_UNSUPPORTED, "t:2: aliases (*name) are not supported; repeat the value");
  assert_bad ("a: !!python/object:os.system {}\n", LM_YAML_ERROR_UNSUPPORTED, "t:1: tags (!...) are not supported");
  assert_bad ("a: 1\n---\nb: 1\n", LM_YAML_ERROR_SYNTAX, "t:2: a second document (---) is not allowed");
  assert_bad ("a: \"x\\0y\"\n", LM_YAML_ERROR_UNSUPPORTED, "t:1: a value must not contain a NUL byte");
  assert_bad ("? [a]\n: 1\n", LM_YAML_ERROR_SYNTAX, "t:1: a key must be a single value");
  assert_bad ("a: 1\nb: [\n", LM_YAML_ERROR_SYNTAX, "t:3: did not find expected node content while parsing a flow node");
  assert_bad ("a: \xff\n", LM_YAML_ERROR_SYNTAX, "t:1: invalid leading UTF-8 octet");
  assert_bad ("a: 1\nb: 2\nc: 3\nd: \xff\ne: 5\n", LM_YAML_ERROR_SYNTAX, "t:4: invalid leading UTF-8 octet");
  assert_bad ("a: 1\nb: 2\nc: \x01\nd: 4\n", LM_YAML_ERROR_SYNTAX, "t:3: control characters are not allowed");
}

static void
test_limits (void)
{
  assert_bad ("[[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]]", LM_YAML_ERROR_LIMIT, "t:1: nested too deeply");
  LmYamlLimits limits = { .size = 10, .scalar = 3, .depth = 2, .nodes = 3 };
  static const char *const bad[] = { "[1,2,3,4]", "abcd", "\"12345678901\"" };
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_null (lm_yaml_node_parse ("t", bad[i], strlen (bad[i]), &limits, &error));
      g_assert_error (error, LM_YAML_ERROR, LM_YAML_ERROR_LIMIT);
    }
}

static void
test_types (void)
{
  static const struct
  {
    const char *text;
    LmYamlType type;
  } cases[] = {
    { "", LM_YAML_NULL },      { "~", LM_YAML_NULL },       { "null", LM_YAML_NULL },    { "nuLL", LM_YAML_STRING },
    { "yes", LM_YAML_BOOL },   { "Off", LM_YAML_BOOL },     { "TRUE", LM_YAML_BOOL },    { "tRue", LM_YAML_STRING },
    { "nginx", LM_YAML_STRING }, { "12", LM_YAML_INT },     { "-7", LM_YAML_INT },       { "0644", LM_YAML_INT },
    { "0x1F", LM_YAML_INT },   { "1_000", LM_YAML_INT },    { "12.11", LM_YAML_FLOAT },  { "1e5", LM_YAML_FLOAT },
    { "1.5e+3", LM_YAML_FLOAT }, { ".inf", LM_YAML_FLOAT }, { "-.5", LM_YAML_FLOAT },    { "1.22.1", LM_YAML_STRING },
    { "-", LM_YAML_STRING },   { ".", LM_YAML_STRING },     { "512MiB", LM_YAML_STRING }, { "2222:22", LM_YAML_STRING },
    { "0x", LM_YAML_STRING },  { "1e", LM_YAML_STRING },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_test_message ("%s", cases[i].text);
      g_assert_cmpint (lm_yaml_type_of (cases[i].text, TRUE), ==, cases[i].type);
      g_assert_cmpint (lm_yaml_type_of (cases[i].text, FALSE), ==, LM_YAML_STRING);
    }
}

static void
test_wrong_type (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmYamlNode) root = parse_good ("a: 12.10\nb: [x]\nc: 0644\nd: 70000\n");
  gint64 value;
  gboolean flag;
  g_assert_false (lm_yaml_node_to_bool (lm_yaml_node_lookup (root, "a"), &flag, &error));
  g_assert_error (error, LM_YAML_ERROR, LM_YAML_ERROR_TYPE);
  g_assert_cmpstr (error->message, ==, "t:1: expected true or false, not a number");
  g_clear_error (&error);
  g_assert_false (lm_yaml_node_to_int (lm_yaml_node_lookup (root, "b"), 0, 9, &value, &error));
  g_assert_cmpstr (error->message, ==, "t:2: expected a whole number, not a list");
  g_clear_error (&error);
  g_assert_false (lm_yaml_node_to_int (lm_yaml_node_lookup (root, "c"), 0, 65535, &value, &error));
  g_assert_cmpstr (error->message, ==, "t:3: expected a decimal number from 0 to 65535");
  g_clear_error (&error);
  g_assert_false (lm_yaml_node_to_int (lm_yaml_node_lookup (root, "d"), 0, 65535, &value, NULL));
}

static void
test_sizes (void)
{
  static const struct
  {
    const char *text;
    guint64 unit, bytes;
  } good[] = {
    { "512MiB", 1, 512 << 20 }, { "4G", 1, 4 * LM_SIZE_GIB },   { "4gib", 1, 4 * LM_SIZE_GIB }, { "2048", LM_SIZE_MIB, 2048 * LM_SIZE_MIB },
    { "1.5 GiB", 1, 3 * LM_SIZE_GIB / 2 }, { "1KB", 1, 1000 }, { "7b", LM_SIZE_MIB, 7 }, { "0.5", LM_SIZE_GIB, LM_SIZE_GIB / 2 },
    { "8388607T", 1, G_GUINT64_CONSTANT (8388607) << 40 },
  };
  static const char *const bad[] = { "", "G", "-1", "1.", ".5", "1XB", "1 GiB ", "1  G", "8388608T", "99999999999999999999", "0x10", "1e3", "1GiBB" };
  guint64 bytes;
  for (guint i = 0; i < G_N_ELEMENTS (good); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_true (lm_size_parse (good[i].text, good[i].unit, &bytes, &error));
      g_assert_cmpuint (bytes, ==, good[i].bytes);
    }
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_false (lm_size_parse (bad[i], 1, &bytes, &error));
      g_assert_error (error, LM_SIZE_ERROR, LM_SIZE_ERROR_INVALID);
    }
  g_assert_false (lm_size_parse (NULL, 1, &bytes, NULL));
}

static void
test_size_add (void)
{
  const guint64 max = G_MAXINT64;
  g_assert_cmpuint (lm_size_add (0, 0), ==, 0);
  g_assert_cmpuint (lm_size_add (1, 2), ==, 3);
  g_assert_cmpuint (lm_size_add (max - 1, 1), ==, max);
  g_assert_cmpuint (lm_size_add (1, max), ==, max);
  g_assert_cmpuint (lm_size_add (max, max), ==, max);
  g_assert_cmpuint (lm_size_add (G_MAXUINT64, 0), ==, max);
  g_assert_cmpuint (lm_size_add (0, G_MAXUINT64), ==, max);
}

static void
test_size_format (void)
{
  static const struct
  {
    guint64 bytes;
    const char *text;
  } cases[] = { { 0, "0 B" }, { 1023, "1023 B" }, { 1024, "1.0 KiB" }, { 365887488, "348.9 MiB" },
                { LM_SIZE_GIB - 1, "1.0 GiB" }, { G_MAXUINT64, "16.0 EiB" } };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *text = lm_size_format (cases[i].bytes);
      g_assert_cmpstr (text, ==, cases[i].text);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/yaml/tree", test_tree);
  g_test_add_func ("/yaml/json", test_json);
  g_test_add_func ("/yaml/empty", test_empty);
  g_test_add_func ("/yaml/block-scalars", test_block_scalars);
  g_test_add_func ("/yaml/json-only", test_json_only);
  g_test_add_func ("/yaml/byte-order-mark", test_byte_order_mark);
  g_test_add_func ("/yaml/refused", test_refused);
  g_test_add_func ("/yaml/limits", test_limits);
  g_test_add_func ("/yaml/types", test_types);
  g_test_add_func ("/yaml/wrong-type", test_wrong_type);
  g_test_add_func ("/size/parse", test_sizes);
  g_test_add_func ("/size/add", test_size_add);
  g_test_add_func ("/size/format", test_size_format);
  return g_test_run ();
}

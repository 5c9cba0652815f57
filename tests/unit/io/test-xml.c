/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "io/xml.h"

#include <gio/gio.h>
#include <string.h>

static gboolean
ignore_begin (gpointer data, guint depth, const char *uri, const char *name, GError **error)
{
  return TRUE;
}

static gboolean
ignore_value (gpointer data, guint depth, const char *attribute, const char *value, GError **error)
{
  return TRUE;
}

static gboolean
ignore_end (gpointer data, guint depth, GError **error)
{
  return TRUE;
}

static void
assert_refused (const char *text, gsize size)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (lm_xml_parse (text, size, "doc", &error));
  g_assert_error (error, LM_XML_ERROR, LM_XML_ERROR_SYNTAX);
  g_assert_nonnull (strstr (error->message, "doc"));
  g_autoptr (GError) again = NULL;
  const LmXmlVisitor visitor = { NULL, ignore_begin, ignore_value, ignore_end };
  g_assert_false (lm_xml_visit (text, size, "doc", &visitor, &again));
  g_assert_error (again, LM_XML_ERROR, LM_XML_ERROR_SYNTAX);
  g_assert_nonnull (strstr (again->message, "doc"));
}

static void
test_refuses (void)
{
  const char *bad[] = {
    "", "x", "<a>", "<a/><b/>", "<a b=1/>", "<a>&x;</a>", "<a>\x01</a>", "<a>\xff</a>",
    "<!DOCTYPE a><a/>",
    "<!DOCTYPE a [<!ENTITY x \"y\">]><a>&x;</a>",
    "<!DOCTYPE a [<!ENTITY x SYSTEM \"file:///etc/passwd\">]><a>&x;</a>",
    "<!DOCTYPE a SYSTEM \"http://127.0.0.1:1/a.dtd\"><a/>",
    "<!DOCTYPE a [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;&a;&a;&a;&a;&a;&a;\"><!ENTITY c \"&b;&b;&b;&b;&b;&b;\">"
    "<!ENTITY d \"&c;&c;&c;&c;&c;&c;&c;&c;\">]><a>&d;</a>",
    NULL,
  };
  for (guint i = 0; bad[i] != NULL; i++)
    assert_refused (bad[i], strlen (bad[i]));

  g_autofree char *large = g_strnfill (LM_XML_SIZE_MAX + 1, ' ');
  assert_refused (large, LM_XML_SIZE_MAX + 1);
  g_autoptr (GString) deep = g_string_new (NULL);
  for (guint i = 0; i < 5000; i++)
    g_string_append (deep, "<a>");
  for (guint i = 0; i < 5000; i++)
    g_string_append (deep, "</a>");
  assert_refused (deep->str, deep->len);
}

static void
test_read (void)
{
  const char *text = "<r xmlns:n='urn:n'><a x='1'>one</a><n:a x='2'/><a x='3'><b>t</b>u<![CDATA[<v>]]></a></r>";
  g_autoptr (GError) error = NULL;
  g_autoptr (LmXml) xml = lm_xml_parse (text, strlen (text), "doc", &error);
  g_assert_no_error (error);
  const LmXmlNode *root = lm_xml_root (xml);
  g_assert_true (lm_xml_is (root, NULL, "r"));
  const LmXmlNode *a = lm_xml_child (root, NULL, "a");
  g_autofree char *x = lm_xml_attribute (a, "x");
  g_assert_cmpstr (x, ==, "1");
  g_assert_null (lm_xml_attribute (a, "y"));
  a = lm_xml_next (a, NULL, "a");
  g_autofree char *content = lm_xml_text (a);
  g_assert_cmpstr (content, ==, "tu<v>");
  g_assert_null (lm_xml_next (a, NULL, "a"));
  const LmXmlNode *other = lm_xml_child (root, "urn:n", "a");
  g_autofree char *y = lm_xml_attribute (other, "x");
  g_assert_cmpstr (y, ==, "2");
  g_assert_null (lm_xml_child (root, "urn:m", "a"));
}

/* What lm_xml_visit() reported. */
typedef struct
{
  GString *events;
  GPtrArray *values;
  const char *stop; /* the value at which the visit is ended; may be NULL */
} Visited;

static gboolean
note_begin (gpointer data, guint depth, const char *uri, const char *name, GError **error)
{
  g_string_append_printf (((Visited *) data)->events, "%u<%s%s%s ", depth, uri != NULL ? uri : "", uri != NULL ? "|" : "", name);
  return TRUE;
}

static gboolean
note_value (gpointer data, guint depth, const char *attribute, const char *value, GError **error)
{
  Visited *visited = data;
  g_string_append_printf (visited->events, "%u%s=%s ", depth, attribute != NULL ? attribute : "", value);
  g_ptr_array_add (visited->values, g_strdup (value));
  if (g_strcmp0 (value, visited->stop) != 0)
    return TRUE;
  g_set_error_literal (error, G_IO_ERROR, G_IO_ERROR_BUSY, "enough");
  return FALSE;
}

static gboolean
note_end (gpointer data, guint depth, GError **error)
{
  g_string_append_printf (((Visited *) data)->events, "%u> ", depth);
  return TRUE;
}

static gboolean
visit (const char *text, const char *stop, char **out_events, GPtrArray **out_values, GError **error)
{
  Visited visited = { g_string_new (NULL), g_ptr_array_new_with_free_func (g_free), stop };
  const LmXmlVisitor visitor = { &visited, note_begin, note_value, note_end };
  gboolean ok = lm_xml_visit (text, strlen (text), "doc", &visitor, error);
  *out_events = g_string_free (visited.events, FALSE);
  *out_values = visited.values;
  return ok;
}

static void
test_visit (void)
{
  const char *text = "<?xml version='1.0'?><r xmlns:n='urn:n' n:q='0'>\n <a x='1&amp;&#50;&quot;'>o&lt;<!-- c -->ne</a>"
                     "<n:b/><m:b m:x='2'/><c xmlns='urn:c'><d>t</d>u<![CDATA[<v>]]>&amp;</c></r>";
  g_autoptr (GError) error = NULL;
  g_autofree char *events = NULL, *begun = NULL;
  g_autoptr (GPtrArray) values = NULL;
  g_autoptr (GPtrArray) before G_GNUC_UNUSED = NULL;
  g_assert_true (visit (text, NULL, &events, &values, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (events, ==,
                   "0<r 0=0 1<a 1x=1&2\" 1=o< 1=ne 1> 1<urn:n|b 1> 1<m:b 1=2 1> 1<urn:c|c 2<urn:c|d 2=t 2> 1=u<v>& 1> 0> ");
  g_assert_false (visit (text, "ne", &begun, &before, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_BUSY);
  g_assert_cmpstr (begun, ==, "0<r 0=0 1<a 1x=1&2\" 1=o< 1=ne ");
}

/* A visit finds the values that the tree has. */
static void
test_visit_is_complete (void)
{
  const char *texts[] = {
    "<r/>", "<r a=''/>", "<r a='&lt;&gt;&apos;&#x41;'>&#x41;&#10;x</r>", "<r>a<b/>c<b>d</b>e<?p q?>f</r>",
    "<r><![CDATA[&amp;]]><![CDATA[]]>x</r>", "<r a=' b\n\tc '> d\n\te </r>", "<x:r x:a='1'/>",
    "<?xml version='1.0' encoding='ISO-8859-1'?><r a='\xe9'>\xe9</r>", "<r xml:space='preserve' xml:id='i'> x </r>", NULL,
  };
  for (guint i = 0; texts[i] != NULL; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *events = NULL;
      g_autoptr (GPtrArray) found = NULL;
      g_assert_true (visit (texts[i], NULL, &events, &found, &error));
      g_assert_no_error (error);
      g_autoptr (LmXml) xml = lm_xml_parse (texts[i], strlen (texts[i]), "doc", &error);
      g_autoptr (GPtrArray) values = lm_xml_list_values (lm_xml_root (xml), NULL);
      g_assert_cmpuint (found->len, ==, values->len);
      for (guint j = 0; j < values->len; j++)
        g_assert_cmpstr (g_ptr_array_index (found, j), ==, g_ptr_array_index (values, j));
    }
}

static gboolean
marker (LmXml *xml, LmXmlNode *into, const char *name, gpointer user_data, GError **error)
{
  if (strcmp (name, "node") != 0)
    return FALSE;
  lm_xml_set (xml, lm_xml_add (xml, into, "made", user_data), "with", "@A@");
  lm_xml_add (xml, into, "second", NULL);
  return TRUE;
}

/* Fills the template @text, in which A has the value @value, and B is known but has no value. */
static char *
fill (const char *text, const char *value, const char *const *required, GError **error)
{
  static const char *const nothing[] = { NULL };
  g_autoptr (GHashTable) values = g_hash_table_new (g_str_hash, g_str_equal);
  g_hash_table_insert (values, (gpointer) "A", (gpointer) value);
  g_hash_table_insert (values, (gpointer) "B", NULL);
  const LmXmlFill gaps = { values, required != NULL ? required : nothing, marker, (gpointer) value };
  g_autoptr (LmXml) xml = lm_xml_parse (text, strlen (text), "t.xml", error);
  g_assert_nonnull (xml);
  return lm_xml_fill (xml, &gaps, NULL, error) ? lm_xml_to_string (xml, error) : NULL;
}

static void
test_fill (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *out = fill ("<?xml version='1.0'?><!-- @B@ --><r a='@A@' b='x@A@y@A@'>m@A@n<?lamina node ?><!-- c --></r>",
                               "v&<>'\"@A@@Z@", NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (out, ==,
                   "<r a=\"v&amp;&lt;&gt;'&quot;@A@@Z@\" b=\"xv&amp;&lt;&gt;'&quot;@A@@Z@yv&amp;&lt;&gt;'&quot;@A@@Z@\">"
                   "mv&amp;&lt;&gt;'\"@A@@Z@n<made with=\"@A@\">v&amp;&lt;&gt;'\"@A@@Z@</made><second/></r>\n");
  g_autofree char *same = fill ("<r a='me@example'>@ @@ @a@ @1@ a@B @B c@</r>", "v", NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (same, ==, "<r a=\"me@example\">@ @@ @a@ @1@ a@B @B c@</r>\n");
}

/* Whatever the value is, the document has only the elements of the template, and
 * the value is read back unchanged. */
static void
test_no_injection (void)
{
  const char *hostile[] = { "</name><devices/>", "<!--", "-->", "<![CDATA[", "]]>", "&amp;", "&#0;", "<?lamina node?>",
                            "\"/><x y=\"", "'/><x y='", "a\nb\tc\rd", "\xc3\xa9\xf0\x9f\x98\x80", "@B@", "%s%n", NULL };
  for (guint i = 0; hostile[i] != NULL; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *out = fill ("<r a='@A@'><t>@A@</t></r>", hostile[i], NULL, &error);
      g_assert_no_error (error);
      g_autoptr (LmXml) xml = lm_xml_parse (out, strlen (out), "out", &error);
      g_assert_no_error (error);
      g_autofree char *attribute = lm_xml_attribute (lm_xml_root (xml), "a");
      g_autofree char *text = lm_xml_text (lm_xml_child (lm_xml_root (xml), NULL, "t"));
      g_assert_cmpstr (attribute, ==, hostile[i]);
      g_assert_cmpstr (text, ==, hostile[i]);
      g_assert_null (lm_xml_child (lm_xml_child (lm_xml_root (xml), NULL, "t"), NULL, "x"));
      g_assert_null (lm_xml_child (lm_xml_root (xml), NULL, "x"));
    }
  const char *impossible[] = { "\x01", "a\x1b[2Jb", "\xff", "\xc3", "\xef\xbf\xbf", "\xed\xa0\x80", NULL };
  for (guint i = 0; impossible[i] != NULL; i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_null (fill ("<r a='@A@'/>", impossible[i], NULL, &error));
      g_assert_error (error, LM_XML_ERROR, LM_XML_ERROR_VALUE);
      g_clear_error (&error);
      g_assert_null (fill ("<r><?lamina node?></r>", impossible[i], NULL, &error));
      g_assert_error (error, LM_XML_ERROR, LM_XML_ERROR_VALUE);
    }
}

static void
assert_template_error (const char *text, const char *const *required, const char *named)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (fill (text, "v", required, &error));
  g_assert_error (error, LM_XML_ERROR, LM_XML_ERROR_TEMPLATE);
  g_assert_nonnull (strstr (error->message, named));
  g_assert_nonnull (strstr (error->message, "t.xml"));
}

static void
test_template_errors (void)
{
  const char *const needs_value[] = { "A", NULL };
  const char *const needs_marker[] = { "node", NULL };
  assert_template_error ("<r>@NOPE@</r>", NULL, "@NOPE@");
  assert_template_error ("<r a='x@NOPE@'/>", NULL, "@NOPE@");
  assert_template_error ("<r>@B@</r>", NULL, "@B@");
  assert_template_error ("<r><?lamina nope?></r>", NULL, "<?lamina nope?>");
  assert_template_error ("<?lamina node?><r/>", NULL, "<?lamina node?>");
  assert_template_error ("<r><?lamina node?></r>", needs_value, "@A@");
  assert_template_error ("<r>@A@<!-- <?lamina node?> --></r>", needs_marker, "<?lamina node?>");
}

/* libxml2 does not escape namespaces, so one that is not a URI would be written as markup. */
static void
test_namespaces (void)
{
  const char *bad[] = { "&lt;", "&amp;", "a&quot;b'c", "x&gt;", "a b", "a&#10;b", "&#127;", NULL };
  for (guint i = 0; bad[i] != NULL; i++)
    {
      g_autofree char *root = g_strdup_printf ("<r xmlns=\"%s\"/>", bad[i]);
      g_autofree char *deep = g_strdup_printf ("<r>\n\n<a><b xmlns:n=\"%s\">@A@</b></a></r>", bad[i]);
      assert_template_error (root, NULL, "t.xml:1: ");
      assert_template_error (deep, NULL, "t.xml:3: ");
    }
  const char *good[] = { "", "urn:a", "http://h/p?q=1;r#f", "urn:%41", "\xc3\xa9", NULL };
  for (guint i = 0; good[i] != NULL; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *text = g_strdup_printf ("<r xmlns=\"%s\">@A@</r>", good[i]);
      g_autofree char *out G_GNUC_UNUSED = fill (text, "v", NULL, &error);
      g_assert_no_error (error);
    }
}

static char *
nested (guint depth, const char *inner)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < depth; i++)
    g_string_append (text, "<a>");
  g_string_append (text, inner);
  for (guint i = 0; i < depth; i++)
    g_string_append (text, "</a>");
  return g_string_free (g_steal_pointer (&text), FALSE);
}

static gboolean
parses (guint depth)
{
  g_autofree char *text = nested (depth, "");
  g_autoptr (LmXml) xml = lm_xml_parse (text, strlen (text), "doc", NULL);
  return xml != NULL;
}

/* A document that could not be parsed again is an error; here it is one level too deep. */
static void
test_result (void)
{
  guint depth = 1;
  while (parses (depth + 1))
    depth++;
  g_autofree char *text = nested (depth, "<?lamina node?>");
  assert_template_error (text, NULL, "cannot be written");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/xml/refuses", test_refuses);
  g_test_add_func ("/xml/read", test_read);
  g_test_add_func ("/xml/visit", test_visit);
  g_test_add_func ("/xml/visit-is-complete", test_visit_is_complete);
  g_test_add_func ("/xml/fill", test_fill);
  g_test_add_func ("/xml/no-injection", test_no_injection);
  g_test_add_func ("/xml/template-errors", test_template_errors);
  g_test_add_func ("/xml/namespaces", test_namespaces);
  g_test_add_func ("/xml/result", test_result);
  return g_test_run ();
}

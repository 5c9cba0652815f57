/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "io/xml.h"
#include "base/error.h"

#include <libxml/parser.h>
#include <libxml/tree.h>
#include <libxml/xmlsave.h>
#include <string.h>

G_DEFINE_QUARK (lm-xml-error-quark, lm_xml_error)

#define MARKER_TARGET "lamina"

G_DEFINE_AUTOPTR_CLEANUP_FUNC (xmlParserCtxt, xmlFreeParserCtxt)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (xmlBuffer, xmlBufferFree)

struct _LmXml
{
  xmlDoc *doc;
  char *name;
  GError *error; /* about the first value that was refused while building */
};

static const xmlChar *
as_xml (const char *text)
{
  return (const xmlChar *) text;
}

static const char *
as_text (const xmlChar *text)
{
  return (const char *) text;
}

/* libxml2 returns NULL only when it is out of memory; that ends the program, as in GLib. */
static gpointer
check_allocated (gpointer made)
{
  if (made == NULL)
    g_error ("libxml2 is out of memory");
  return made;
}

/* Without XML_PARSE_DTDLOAD and HUGE: libxml2's own limits stay in force. */
#define PARSE_OPTIONS (XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING | XML_PARSE_NOCDATA)

static gboolean
check_size (gsize size, const char *name, GError **error)
{
  return size <= LM_XML_SIZE_MAX
         || lm_throw (error, LM_XML_ERROR, LM_XML_ERROR_SYNTAX, "%s: larger than %d bytes", name, LM_XML_SIZE_MAX);
}

static gboolean
throw_malformed (xmlParserCtxt *context, const char *name, GError **error)
{
  const xmlError *last = xmlCtxtGetLastError (context);
  g_autofree char *why = g_utf8_make_valid (last != NULL && last->message != NULL ? last->message : "is empty", -1);
  return lm_throw (error, LM_XML_ERROR, LM_XML_ERROR_SYNTAX, "%s:%d: not well-formed XML: %s", name,
                   last != NULL ? last->line : 0, g_strchomp (why));
}

static gboolean
throw_dtd (const char *name, GError **error)
{
  return lm_throw (error, LM_XML_ERROR, LM_XML_ERROR_SYNTAX, "%s: has a DTD, which is refused", name);
}

LmXml *
lm_xml_parse (const char *data, gsize size, const char *name, GError **error)
{
  if (!check_size (size, name, error))
    return NULL;
  g_autoptr (xmlParserCtxt) context = check_allocated (xmlNewParserCtxt ());
  g_autoptr (LmXml) xml = g_new0 (LmXml, 1);
  /* Without XML_PARSE_NOENT: entities are not expanded. */
  xml->doc = xmlCtxtReadMemory (context, data, (int) size, NULL, NULL, PARSE_OPTIONS | XML_PARSE_NOBLANKS);
  xml->name = g_strdup (name);
  const gboolean parsed = xml->doc != NULL && xmlDocGetRootElement (xml->doc) != NULL;
  if (!parsed)
    (void) throw_malformed (context, name, error);
  else if (xml->doc->intSubset == NULL && xml->doc->extSubset == NULL)
    return g_steal_pointer (&xml);
  else
    (void) throw_dtd (name, error);
  return NULL;
}

void
lm_xml_free (LmXml *xml)
{
  if (xml == NULL)
    return;
  xmlFreeDoc (xml->doc);
  g_clear_error (&xml->error);
  g_free (xml->name);
  g_free (xml);
}

const char *
lm_xml_name (const LmXml *xml)
{
  return xml->name;
}

/* Whether @text is well-formed; libxml2 does not escape everything that it writes. */
static gboolean
check_written (const LmXml *xml, const char *text, gsize size, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (LmXml) again = lm_xml_parse (text, size, "the result", &failure);
  return again != NULL
         || lm_throw (error, LM_XML_ERROR, LM_XML_ERROR_TEMPLATE, "%s: cannot be written as XML: %s", xml->name, failure->message);
}

char *
lm_xml_to_string (LmXml *xml, GError **error)
{
  if (xml->error != NULL)
    {
      g_propagate_error (error, g_error_copy (xml->error));
      return NULL;
    }
  g_autoptr (xmlBuffer) buffer = check_allocated (xmlBufferCreate ());
  xmlSaveCtxt *save = check_allocated (xmlSaveToBuffer (buffer, "UTF-8", XML_SAVE_FORMAT | XML_SAVE_NO_DECL));
  xmlSaveDoc (save, xml->doc);
  xmlSaveClose (save);
  const char *text = as_text (xmlBufferContent (buffer));
  gsize size = (gsize) xmlBufferLength (buffer);
  return check_written (xml, text, size, error) ? g_strndup (text, size) : NULL;
}

LmXmlNode *
lm_xml_root (LmXml *xml)
{
  return xmlDocGetRootElement (xml->doc);
}

gboolean
lm_xml_is (const LmXmlNode *node, const char *uri, const char *name)
{
  return node->type == XML_ELEMENT_NODE && strcmp (as_text (node->name), name) == 0
         && g_strcmp0 (node->ns != NULL ? as_text (node->ns->href) : NULL, uri) == 0;
}

static LmXmlNode *
find_element (LmXmlNode *node, const char *uri, const char *name)
{
  while (node != NULL && !lm_xml_is (node, uri, name))
    node = node->next;
  return node;
}

LmXmlNode *
lm_xml_child (const LmXmlNode *parent, const char *uri, const char *name)
{
  return find_element (parent->children, uri, name);
}

LmXmlNode *
lm_xml_next (const LmXmlNode *node, const char *uri, const char *name)
{
  return find_element (node->next, uri, name);
}

static char *
steal_xml_string (xmlChar *text)
{
  char *copy = g_strdup (as_text (text));
  xmlFree (text);
  return copy;
}

char *
lm_xml_attribute (const LmXmlNode *node, const char *name)
{
  xmlChar *value = xmlGetNoNsProp (node, as_xml (name));
  return value != NULL ? steal_xml_string (value) : NULL;
}

char *
lm_xml_text (const LmXmlNode *node)
{
  xmlChar *text = xmlNodeGetContent (node);
  return text != NULL ? steal_xml_string (text) : g_strdup ("");
}

static void
add_node_values (GPtrArray *values, const LmXmlNode *node, const char *skip)
{
  for (const xmlAttr *attribute = node->properties; attribute != NULL; attribute = attribute->next)
    g_ptr_array_add (values, steal_xml_string (xmlNodeGetContent ((const xmlNode *) attribute)));
  for (const LmXmlNode *child = node->children; child != NULL; child = child->next)
    if (child->type == XML_TEXT_NODE)
      g_ptr_array_add (values, lm_xml_text (child));
    else if (child->type == XML_ELEMENT_NODE && (skip == NULL || strcmp (as_text (child->name), skip) != 0))
      add_node_values (values, child, NULL);
}

GPtrArray *
lm_xml_list_values (const LmXmlNode *node, const char *skip)
{
  GPtrArray *values = g_ptr_array_new_with_free_func (g_free);
  add_node_values (values, node, skip);
  return values;
}

/* The reading of a document without a tree. */
typedef struct
{
  const LmXmlVisitor *visitor;
  xmlParserCtxt *context;
  guint depth;     /* of the next element */
  GString *text;   /* that of the current element, as far as it is known */
  GString *buffer;
  gboolean has_dtd;
  gboolean complete;
  GError *error;
} Reading;

/* Ends the reading if @ok is not set. */
static void
go_on_reading (Reading *reading, gboolean ok)
{
  if (!ok)
    xmlStopParser (reading->context);
}

static void
end_text (Reading *reading)
{
  GString *text = reading->text;
  gboolean ok = TRUE;
  if (text->len > 0 && text->str[strspn (text->str, " \t\r\n")] != '\0' && reading->depth > 0)
    ok = reading->visitor->value (reading->visitor->data, reading->depth - 1, NULL, text->str, &reading->error);
  g_string_truncate (text, 0);
  go_on_reading (reading, ok);
}

/* @attributes: for each its name, prefix, namespace, and the begin and end of its value */
static void
on_begin (void *data, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri, int n_namespaces,
          const xmlChar **namespaces, int n_attributes, int n_defaulted, const xmlChar **attributes)
{
  Reading *reading = data;
  const LmXmlVisitor *visitor = reading->visitor;
  end_text (reading);
  const guint depth = reading->depth++;
  /* As in a tree, a prefix that stands for nothing is a part of the name. */
  g_autofree char *whole = prefix != NULL && uri == NULL ? g_strdup_printf ("%s:%s", prefix, name) : NULL;
  gboolean ok = reading->error == NULL
                && visitor->begin (visitor->data, depth, as_text (uri), whole != NULL ? whole : as_text (name), &reading->error);
  for (int i = 0; ok && i < n_attributes; i++)
    {
      const xmlChar **at = attributes + 5 * i;
      g_string_truncate (reading->buffer, 0);
      g_string_append_len (reading->buffer, as_text (at[3]), at[4] - at[3]);
      ok = visitor->value (visitor->data, depth, at[1] == NULL ? as_text (at[0]) : "", reading->buffer->str, &reading->error);
    }
  go_on_reading (reading, ok);
}

static void
on_end (void *data, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
  Reading *reading = data;
  end_text (reading);
  reading->depth--;
  go_on_reading (reading, reading->error == NULL
                            && reading->visitor->end (reading->visitor->data, reading->depth, &reading->error));
}

static void
on_text (void *data, const xmlChar *text, int length)
{
  g_string_append_len (((Reading *) data)->text, as_text (text), length);
}

static void
on_comment (void *data, const xmlChar *text)
{
  end_text (data);
}

static void
on_instruction (void *data, const xmlChar *target, const xmlChar *text)
{
  end_text (data);
}

/* Before anything in the DTD is read. */
static void
on_dtd (void *data, const xmlChar *name, const xmlChar *public, const xmlChar *system)
{
  Reading *reading = data;
  reading->has_dtd = TRUE;
  go_on_reading (reading, FALSE);
}

static void
on_document_end (void *data)
{
  ((Reading *) data)->complete = TRUE;
}

gboolean
lm_xml_visit (const char *data, gsize size, const char *name, const LmXmlVisitor *visitor, GError **error)
{
  if (!check_size (size, name, error))
    return FALSE;
  g_autoptr (xmlParserCtxt) context = check_allocated (xmlNewParserCtxt ());
  g_autoptr (GString) text = g_string_new (NULL), buffer = g_string_new (NULL);
  Reading reading = { .visitor = visitor, .context = context, .text = text, .buffer = buffer };
  *context->sax = (xmlSAXHandler){
    .initialized = XML_SAX2_MAGIC, .internalSubset = on_dtd, .endDocument = on_document_end, .startElementNs = on_begin,
    .endElementNs = on_end, .characters = on_text, .comment = on_comment, .processingInstruction = on_instruction,
  };
  context->userData = &reading;
  /* XML_PARSE_NOENT, or "&amp;" in an attribute would remain escaped. There are no other
   * entities, because a DTD ends the reading. */
  (void) xmlCtxtReadMemory (context, data, (int) size, NULL, NULL, PARSE_OPTIONS | XML_PARSE_NOENT);
  if (reading.error != NULL)
    {
      g_propagate_error (error, reading.error);
      return FALSE;
    }
  if (reading.has_dtd)
    return throw_dtd (name, error);
  return (context->wellFormed && reading.complete) || throw_malformed (context, name, error);
}

/* XML 1.0, section 2.2: the characters that a document can contain, escaped or not. */
static gboolean
is_xml_text (const char *text)
{
  if (!g_utf8_validate (text, -1, NULL))
    return FALSE;
  for (const char *c = text; *c != '\0'; c = g_utf8_next_char (c))
    {
      gunichar u = g_utf8_get_char (c);
      if ((u < 0x20 && u != '\t' && u != '\n' && u != '\r') || u == 0xfffe || u == 0xffff)
        return FALSE;
    }
  return TRUE;
}

static gboolean
check_xml_value (const LmXml *xml, const char *what, const char *value, GError **error)
{
  if (is_xml_text (value))
    return TRUE;
  g_autofree char *shown = g_strndup (value, 100);
  g_autofree char *safe = g_strescape (shown, NULL);
  return lm_throw (error, LM_XML_ERROR, LM_XML_ERROR_VALUE,
                   "%s: the value \"%s\" of %s has characters that XML cannot represent", xml->name, safe, what);
}

/* For the building functions, whose errors are reported later: returns "" in place of a refused value. */
static const char *
accept_xml_value (LmXml *xml, const char *what, const char *value)
{
  return check_xml_value (xml, what, value, xml->error == NULL ? &xml->error : NULL) ? value : "";
}

static void
append_text (LmXml *xml, LmXmlNode *node, const char *text)
{
  if (text == NULL)
    return;
  const char *accepted = accept_xml_value (xml, as_text (node->name), text);
  xmlAddChild (node, check_allocated (xmlNewDocText (xml->doc, as_xml (accepted))));
}

LmXmlNode *
lm_xml_add (LmXml *xml, LmXmlNode *parent, const char *name, const char *text)
{
  xmlNs *ns = parent->type == XML_ELEMENT_NODE ? parent->ns : NULL;
  LmXmlNode *node = check_allocated (xmlNewDocNode (xml->doc, ns, as_xml (name), NULL));
  xmlAddChild (parent, node);
  append_text (xml, node, text);
  return node;
}

LmXmlNode *
lm_xml_add_ns (LmXml *xml, LmXmlNode *parent, const char *prefix, const char *uri, const char *name)
{
  LmXmlNode *node = check_allocated (xmlNewDocNode (xml->doc, NULL, as_xml (name), NULL));
  xmlAddChild (parent, node);
  xmlNs *ns = xmlSearchNsByHref (xml->doc, node, as_xml (uri));
  if (ns == NULL)
    ns = check_allocated (xmlNewNs (node, as_xml (uri), as_xml (prefix)));
  xmlSetNs (node, ns);
  return node;
}

void
lm_xml_set (LmXml *xml, LmXmlNode *node, const char *name, const char *value)
{
  if (value != NULL)
    check_allocated (xmlSetProp (node, as_xml (name), as_xml (accept_xml_value (xml, name, value))));
}

void
lm_xml_declare (LmXml *xml, const char *prefix, const char *uri)
{
  LmXmlNode *root = lm_xml_root (xml);
  if (xmlSearchNsByHref (xml->doc, root, as_xml (uri)) == NULL)
    check_allocated (xmlNewNs (root, as_xml (uri), as_xml (prefix)));
}

/* Returns the length of the placeholder "@NAME@" at the beginning of @text, or 0. */
static gsize
placeholder_length (const char *text)
{
  gsize length = 1;
  if (text[0] != '@' || !g_ascii_isupper (text[1]))
    return 0;
  while (g_ascii_isupper (text[length]) || g_ascii_isdigit (text[length]) || text[length] == '_')
    length++;
  return text[length] == '@' ? length + 1 : 0;
}

static gboolean
append_fill_value (const LmXml *xml, const LmXmlFill *fill, char *name, GHashTable *used, GString *out, GError **error)
{
  gpointer value = NULL;
  g_hash_table_add (used, name);
  if (!g_hash_table_lookup_extended (fill->values, name, NULL, &value))
    return lm_throw (error, LM_XML_ERROR, LM_XML_ERROR_TEMPLATE, "%s: unknown placeholder @%s@", xml->name, name);
  if (value == NULL)
    return lm_throw (error, LM_XML_ERROR, LM_XML_ERROR_TEMPLATE,
                     "%s: this domain has no value for the placeholder @%s@; use another template", xml->name, name);
  g_string_append (out, value);
  return check_xml_value (xml, name, value, error);
}

/* Returns @text with its placeholders replaced, newly allocated; NULL on error. */
static char *
fill_text (const LmXml *xml, const LmXmlFill *fill, const char *text, GHashTable *used, GError **error)
{
  g_autoptr (GString) out = g_string_new (NULL);
  while (*text != '\0')
    {
      gsize length = placeholder_length (text);
      if (length == 0)
        {
          g_string_append_c (out, *text++);
          continue;
        }
      if (!append_fill_value (xml, fill, g_strndup (text + 1, length - 2), used, out, error))
        return NULL;
      text += length;
    }
  return g_string_free (g_steal_pointer (&out), FALSE);
}

/* libxml2 writes namespaces without escaping them. */
static gboolean
check_namespaces (const LmXml *xml, const LmXmlNode *node, GError **error)
{
  for (const xmlNs *ns = node->nsDef; ns != NULL; ns = ns->next)
    for (const char *c = ns->href != NULL ? as_text (ns->href) : ""; *c != '\0'; c++)
      if (g_ascii_iscntrl (*c) || strchr (" <>&\"'", *c) != NULL)
        {
          g_autofree char *safe = g_strescape (as_text (ns->href), NULL);
          return lm_throw (error, LM_XML_ERROR, LM_XML_ERROR_TEMPLATE, "%s:%ld: the namespace \"%.100s\" is not a URI",
                           xml->name, xmlGetLineNo (node), safe);
        }
  return TRUE;
}

static gboolean
fill_attributes (const LmXml *xml, const LmXmlFill *fill, LmXmlNode *node, GHashTable *used, GError **error)
{
  for (xmlAttr *attribute = node->properties; attribute != NULL; attribute = attribute->next)
    {
      g_autofree char *text = lm_xml_text ((const LmXmlNode *) attribute);
      if (strchr (text, '@') == NULL)
        continue;
      g_autofree char *filled = fill_text (xml, fill, text, used, error);
      if (filled == NULL)
        return FALSE;
      check_allocated (xmlSetNsProp (node, attribute->ns, attribute->name, as_xml (filled)));
    }
  return TRUE;
}

static gboolean
replace_marker (LmXml *xml, const LmXmlFill *fill, LmXmlNode *marker, GHashTable *used, GError **error)
{
  g_autofree char *name = g_strstrip (lm_xml_text (marker));
  if (marker->parent == NULL || marker->parent->type != XML_ELEMENT_NODE)
    return lm_throw (error, LM_XML_ERROR, LM_XML_ERROR_TEMPLATE, "%s: the marker <?lamina %s?> is outside the root",
                     xml->name, name);
  LmXmlNode *into = check_allocated (xmlNewDocFragment (xml->doc));
  g_autoptr (GError) local = NULL;
  gboolean built = fill->marker (xml, into, name, fill->user_data, &local);
  for (LmXmlNode *child = into->children, *next; built && child != NULL; child = next)
    {
      next = child->next;
      xmlUnlinkNode (child);
      xmlAddPrevSibling (marker, child);
    }
  xmlFreeNode (into);
  xmlUnlinkNode (marker);
  xmlFreeNode (marker);
  if (!built && local == NULL)
    lm_throw (&local, LM_XML_ERROR, LM_XML_ERROR_TEMPLATE, "%s: unknown marker <?lamina %s?>", xml->name, name);
  g_hash_table_add (used, g_steal_pointer (&name));
  if (local != NULL)
    g_propagate_error (error, g_steal_pointer (&local));
  return built;
}

static gboolean
fill_node (LmXml *xml, const LmXmlFill *fill, LmXmlNode *node, GHashTable *used, GError **error)
{
  if (node->type == XML_ELEMENT_NODE)
    return check_namespaces (xml, node, error) && fill_attributes (xml, fill, node, used, error);
  if (node->type == XML_PI_NODE && strcmp (as_text (node->name), MARKER_TARGET) == 0)
    return replace_marker (xml, fill, node, used, error);
  if (node->type == XML_COMMENT_NODE)
    {
      xmlUnlinkNode (node);
      xmlFreeNode (node);
    }
  else if (node->type == XML_TEXT_NODE && node->content != NULL)
    {
      g_autofree char *filled = fill_text (xml, fill, as_text (node->content), used, error);
      if (filled == NULL)
        return FALSE;
      xmlNodeSetContent (node, as_xml (filled)); /* on a text node this takes any text literally */
    }
  return TRUE;
}

/* Collects all nodes before any replacement, so that inserted text is not expanded again. */
static void
collect_nodes (LmXmlNode *first, GPtrArray *nodes)
{
  for (LmXmlNode *node = first; node != NULL; node = node->next)
    {
      g_ptr_array_add (nodes, node);
      if (node->type == XML_ELEMENT_NODE)
        collect_nodes (node->children, nodes);
    }
}

gboolean
lm_xml_fill (LmXml *xml, const LmXmlFill *fill, GHashTable **out_used, GError **error)
{
  g_autoptr (GPtrArray) nodes = g_ptr_array_new ();
  g_autoptr (GHashTable) used = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  collect_nodes (xml->doc->children, nodes);
  for (guint i = 0; i < nodes->len; i++)
    if (!fill_node (xml, fill, g_ptr_array_index (nodes, i), used, error))
      return FALSE;
  for (guint i = 0; fill->required[i] != NULL; i++)
    if (!g_hash_table_contains (used, fill->required[i]))
      return lm_throw (error, LM_XML_ERROR, LM_XML_ERROR_TEMPLATE, "%s: the template lacks %s%s%s", xml->name,
                       g_ascii_isupper (fill->required[i][0]) ? "@" : "<?lamina ", fill->required[i],
                       g_ascii_isupper (fill->required[i][0]) ? "@" : "?>");
  if (out_used != NULL)
    *out_used = g_steal_pointer (&used);
  return TRUE;
}

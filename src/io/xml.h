/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* XML by libxml2: reading untrusted documents, building nodes, filling in
 * templates. No other file includes libxml2.
 *
 * Reading: no network access, no DTD (a document with one is refused, so there are
 * no entities to expand), at most LM_XML_SIZE_MAX bytes; libxml2 limits the depth.
 * Building: a value becomes a text or attribute node and is escaped when it is
 * written, so it cannot add markup; if a value contains characters that XML cannot
 * represent, lm_xml_to_string() fails with the first such value.
 *
 * A template is a well-formed document with two kinds of placeholders:
 *   @NAME@            in text or in the value of an attribute, as all or part of
 *                     it; replaced by a value. NAME: [A-Z][A-Z0-9_]*. Any other
 *                     "@" is kept. The inserted value is not expanded again.
 *   <?lamina NAME?>   a marker; replaced by nodes that a function builds.
 * Comments are dropped. Namespaces must be URIs. The caller defines which NAMEs
 * exist. */
#include <glib.h>

#define LM_XML_SIZE_MAX (4 * 1024 * 1024)

typedef enum
{
  LM_XML_ERROR_SYNTAX,   /* not well-formed, too large, or with a DTD */
  LM_XML_ERROR_TEMPLATE, /* a placeholder or marker is unknown, has no value, or is missing */
  LM_XML_ERROR_VALUE,    /* a value that XML cannot represent */
} LmXmlError;

#define LM_XML_ERROR lm_xml_error_quark ()
GQuark lm_xml_error_quark (void);

typedef struct _LmXml LmXml;
/* A node; owned by its document. */
typedef struct _xmlNode LmXmlNode;

/** lm_xml_parse: parses @size bytes of @data; @name names them in messages. Error:
 * LM_XML_ERROR_SYNTAX, with the line. */
LmXml *lm_xml_parse (const char *data, gsize size, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_xml_free: frees @xml and its nodes; NULL is ignored. */
void lm_xml_free (LmXml *xml);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmXml, lm_xml_free)

/** lm_xml_to_string: returns the document as indented text without an XML
 * declaration, newly allocated. Errors: LM_XML_ERROR_VALUE if a value was refused
 * while building, LM_XML_ERROR_TEMPLATE if the text would not be well-formed. */
char *lm_xml_to_string (LmXml *xml, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_xml_name: returns the @name passed to lm_xml_parse(). Owned by @xml. */
const char *lm_xml_name (const LmXml *xml);

/* Reading. A namespace @uri of NULL stands for an element without a namespace. */

/** lm_xml_root: returns the root element. */
LmXmlNode *lm_xml_root (LmXml *xml);
/** lm_xml_is: whether @node is the element @name in the namespace @uri. */
gboolean lm_xml_is (const LmXmlNode *node, const char *uri, const char *name);
/** lm_xml_child: returns the first child element of @parent with this namespace and name; NULL if there
 * is none. */
LmXmlNode *lm_xml_child (const LmXmlNode *parent, const char *uri, const char *name);
/** lm_xml_next: returns the next sibling of @node with this namespace and name; NULL if there is none. */
LmXmlNode *lm_xml_next (const LmXmlNode *node, const char *uri, const char *name);
/** lm_xml_attribute: returns the value of the attribute @name, newly allocated; NULL if there is none. */
char *lm_xml_attribute (const LmXmlNode *node, const char *name);
/** lm_xml_text: returns the text within @node, newly allocated; never NULL. */
char *lm_xml_text (const LmXmlNode *node);
/** lm_xml_list_values: returns the attribute values and texts of @node and
 * everything below it, except of its child elements called @skip; newly allocated
 * strings. */
GPtrArray *lm_xml_list_values (const LmXmlNode *node, const char *skip);

/* Reading without a tree, for documents of which little is needed. Functions that return
 * FALSE with @error set end the reading. The root has the depth 0. */
typedef struct
{
  gpointer data;
  /* An element begins; @uri as above. */
  gboolean (*begin) (gpointer data, guint depth, const char *uri, const char *name, GError **error);
  /* The element at @depth that began last and has not ended has this attribute or, if
   * @attribute is NULL, contains this text. The name of an attribute with a prefix is "".
   * White space alone is no text; comments and elements divide a text. */
  gboolean (*value) (gpointer data, guint depth, const char *attribute, const char *value, GError **error);
  gboolean (*end) (gpointer data, guint depth, GError **error);
} LmXmlVisitor;

/** lm_xml_visit: reads @size bytes of @data, as strictly as lm_xml_parse(); what comes
 * before an error has been visited. Errors: LM_XML_ERROR_SYNTAX, and those of @visitor. */
gboolean lm_xml_visit (const char *data, gsize size, const char *name, const LmXmlVisitor *visitor,
                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* Building. */

/** lm_xml_add: appends an element in the namespace of @parent to @parent; @text is
 * its content, NULL for none. */
LmXmlNode *lm_xml_add (LmXml *xml, LmXmlNode *parent, const char *name, const char *text);
/** lm_xml_add_ns: like lm_xml_add(), in the namespace @uri, which is declared with
 * @prefix unless an ancestor has declared it. */
LmXmlNode *lm_xml_add_ns (LmXml *xml, LmXmlNode *parent, const char *prefix, const char *uri, const char *name);
/** lm_xml_set: sets the attribute @name of @node; does nothing if @value is NULL. */
void lm_xml_set (LmXml *xml, LmXmlNode *node, const char *name, const char *value);
/** lm_xml_declare: declares the namespace @uri with @prefix on the root. */
void lm_xml_declare (LmXml *xml, const char *prefix, const char *uri);

/* Filling. */

/* Builds the nodes for the marker @name below @into; they are then moved to the
 * place of the marker. Returns FALSE with @error set on failure, and FALSE without
 * an error if the marker is unknown. */
typedef gboolean (*LmXmlMarkerFunc) (LmXml *xml, LmXmlNode *into, const char *name, gpointer user_data, GError **error);

typedef struct
{
  GHashTable *values;          /* placeholder name -> value; NULL: known, but has no value and must not be used */
  const char *const *required; /* placeholders and markers that the template must contain; NULL-terminated */
  LmXmlMarkerFunc marker;
  gpointer user_data;          /* for marker */
} LmXmlFill;

/** lm_xml_fill: replaces all placeholders and markers of @xml. Stores the names of
 * those found in *out_used (which may be NULL), a set of strings that the caller
 * unrefs. After an error @xml can only be freed. Errors: LM_XML_ERROR_TEMPLATE,
 * which names the placeholder and the template, LM_XML_ERROR_VALUE, and those of
 * the marker function. */
gboolean lm_xml_fill (LmXml *xml, const LmXmlFill *fill, GHashTable **out_used, GError **error) G_GNUC_WARN_UNUSED_RESULT;

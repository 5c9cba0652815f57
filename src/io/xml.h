/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* XML, by libxml2: reading hostile documents, building nodes, filling
 * templates. This is the only file that includes libxml2.
 *
 * Reading: no network, no DTD (a document that has one is refused, so there
 * are no entities to expand), at most LM_XML_SIZE_MAX bytes; libxml2 bounds
 * the depth. Building: a value becomes a text or attribute node and is escaped
 * when written, so none can inject markup; a value with characters that XML
 * cannot hold is remembered, and lm_xml_to_string() fails with the first.
 *
 * A template is a well-formed document with two kinds of placeholders:
 *   @NAME@            in text or in an attribute's value, the whole of it or a
 *                     part; replaced by a value. NAME: [A-Z][A-Z0-9_]*. Any
 *                     other "@" stands for itself. What is put in is not
 *                     looked at again.
 *   <?lamina NAME?>   replaced by the nodes that a function builds.
 * Comments are dropped. Namespaces must be URIs. What NAMEs there are is the caller's business. */
#include <glib.h>

#define LM_XML_SIZE_MAX (4 * 1024 * 1024)

typedef enum
{
  LM_XML_ERROR_SYNTAX,   /* not well-formed, too large, or with a DTD */
  LM_XML_ERROR_TEMPLATE, /* an unknown, unset or missing placeholder */
  LM_XML_ERROR_VALUE,    /* a value that XML cannot hold */
} LmXmlError;

#define LM_XML_ERROR lm_xml_error_quark ()
GQuark lm_xml_error_quark (void);

typedef struct _LmXml LmXml;
/* A node of a document, which owns it. */
typedef struct _xmlNode LmXmlNode;

/** lm_xml_parse: reads @size bytes; @name names them in messages.
 * Error: LM_XML_ERROR_SYNTAX, with the line. */
LmXml *lm_xml_parse (const char *data, gsize size, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
void lm_xml_free (LmXml *xml);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmXml, lm_xml_free)

/** lm_xml_to_string: the document as indented text without declaration, newly
 * allocated. Errors: LM_XML_ERROR_VALUE if a value was refused while building,
 * LM_XML_ERROR_TEMPLATE if the text would not be well-formed. */
char *lm_xml_to_string (LmXml *xml, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_xml_name: what lm_xml_parse() was told. Owned by @xml. */
const char *lm_xml_name (const LmXml *xml);

/* Reading. A namespace @uri of NULL: an element in no namespace. */

LmXmlNode *lm_xml_root (LmXml *xml);
/** lm_xml_is: whether @node is the element @name in the namespace @uri. */
gboolean lm_xml_is (const LmXmlNode *node, const char *uri, const char *name);
/** lm_xml_child: the first such child element of @parent, NULL if none. */
LmXmlNode *lm_xml_child (const LmXmlNode *parent, const char *uri, const char *name);
/** lm_xml_next: the next such sibling of @node, NULL if none. */
LmXmlNode *lm_xml_next (const LmXmlNode *node, const char *uri, const char *name);
/** lm_xml_attribute: its value, newly allocated; NULL if there is none. */
char *lm_xml_attribute (const LmXmlNode *node, const char *name);
/** lm_xml_text: the text within @node, newly allocated, never NULL. */
char *lm_xml_text (const LmXmlNode *node);
/** lm_xml_list_values: the attribute values and texts of @node and all below it,
 * but not of its child elements called @skip; strings, newly allocated. */
GPtrArray *lm_xml_list_values (const LmXmlNode *node, const char *skip);

/* Building. */

/** lm_xml_add: appends an element to @parent, in the same namespace; @text is
 * its content, NULL for none. */
LmXmlNode *lm_xml_add (LmXml *xml, LmXmlNode *parent, const char *name, const char *text);
/** lm_xml_add_ns: the same with the namespace @uri, which is declared as
 * @prefix where no element above has declared it. */
LmXmlNode *lm_xml_add_ns (LmXml *xml, LmXmlNode *parent, const char *prefix, const char *uri, const char *name);
/** lm_xml_set: gives @node the attribute @name; @value NULL: does nothing. */
void lm_xml_set (LmXml *xml, LmXmlNode *node, const char *name, const char *value);
/** lm_xml_declare: declares @prefix for @uri on the root. */
void lm_xml_declare (LmXml *xml, const char *prefix, const char *uri);

/* Filling. */

/* Builds the nodes of the marker @name below @into; they are then moved to
 * where the marker stood. FALSE with @error set when it cannot; FALSE without
 * when the marker is not known. */
typedef gboolean (*LmXmlMarkerFunc) (LmXml *xml, LmXmlNode *into, const char *name, gpointer user_data, GError **error);

typedef struct
{
  GHashTable *values;          /* placeholder name -> value; NULL: known but not set, an error where it is used */
  const char *const *required; /* placeholders and markers that must stand in the template; NULL-terminated */
  LmXmlMarkerFunc marker;
  gpointer user_data;          /* for marker */
} LmXmlFill;

/** lm_xml_fill: replaces all placeholders of @xml. *out_used (may be NULL) is set to the
 * names of all placeholders and markers met, a set of strings the caller
 * unrefs. After an error @xml is of no use. Errors: LM_XML_ERROR_TEMPLATE
 * naming placeholder and template, LM_XML_ERROR_VALUE, and the marker's. */
gboolean lm_xml_fill (LmXml *xml, const LmXmlFill *fill, GHashTable **out_used, GError **error) G_GNUC_WARN_UNUSED_RESULT;

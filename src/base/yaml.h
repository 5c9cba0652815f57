/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Reading YAML 1.1 and JSON, event by event: what is JSON is read as JSON
 * (json-reader.h), all else by libyaml. The text is hostile: one document, caps
 * on size, depth and count, no aliases (so nothing can grow by reference), no
 * tags, no NUL bytes. A UTF-8 byte order mark before it is passed over.
 * yaml-node.h has the tree for small documents.
 * Spec: yaml.org/spec/1.1, type repository for null, bool, int and float; RFC 8259. */
#include <glib.h>

typedef enum
{
  LM_YAML_ERROR_SYNTAX,      /* not one YAML document */
  LM_YAML_ERROR_UNSUPPORTED, /* a part of YAML that is refused: tags, aliases, NUL in a value */
  LM_YAML_ERROR_LIMIT,       /* too large, too deep, too many nodes */
  LM_YAML_ERROR_TYPE,        /* a value of another type than asked for */
} LmYamlError;

#define LM_YAML_ERROR lm_yaml_error_quark ()
GQuark lm_yaml_error_quark (void);

typedef struct
{
  gsize size;   /* bytes of the text */
  gsize scalar; /* bytes of one scalar */
  guint depth;  /* nested collections */
  guint nodes;  /* scalars and collections */
} LmYamlLimits;

/* What people write by hand: 1 MiB of text, 16 deep. */
extern const LmYamlLimits lm_yaml_limits_small;

typedef enum
{
  LM_YAML_SCALAR,
  LM_YAML_SEQUENCE, /* a node's kind; for the reader: it begins */
  LM_YAML_MAPPING,
  LM_YAML_SEQUENCE_END, /* from the reader only, as are the next two */
  LM_YAML_MAPPING_END,
  LM_YAML_END,
} LmYamlKind;

/* What a plain scalar stands for. Quoted ones are strings. */
typedef enum
{
  LM_YAML_STRING,
  LM_YAML_NULL,
  LM_YAML_BOOL,
  LM_YAML_INT,
  LM_YAML_FLOAT,
} LmYamlType;

typedef struct
{
  LmYamlKind kind;
  guint line;       /* counts from 1 */
  const char *text; /* scalars: NUL-terminated UTF-8 without other NULs; of "|" and ">" without the last line ends */
  gsize length;
  gboolean plain; /* scalars: written without quotes */
} LmYamlEvent;

typedef struct _LmYamlReader LmYamlReader;

/** lm_yaml_reader_new: reads @size bytes at @text, which must outlive it.
 * @name names the document in messages. Never NULL; a text that is too large
 * is reported by the first lm_yaml_reader_next(). */
LmYamlReader *lm_yaml_reader_new (const char *name, const char *text, gsize size, const LmYamlLimits *limits);
void lm_yaml_reader_free (LmYamlReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmYamlReader, lm_yaml_reader_free)

/** lm_yaml_reader_set_first_line: the line that the text begins in, where it
 * is a part of a document; 1 if not set. Before the first event. */
void lm_yaml_reader_set_first_line (LmYamlReader *reader, guint line);

/** lm_yaml_reader_get_nodes: how many values have been read so far. */
guint lm_yaml_reader_get_nodes (const LmYamlReader *reader);

/** lm_yaml_reader_next: the next event; what @out_event points to is valid
 * until the next call. An empty document is one null scalar. After
 * LM_YAML_END it must not be called again. Error messages begin with
 * "NAME:LINE: ". */
gboolean lm_yaml_reader_next (LmYamlReader *reader, LmYamlEvent *out_event, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_yaml_reader_skip: reads past the rest of the value that @event began
 * (nothing for a scalar). */
gboolean lm_yaml_reader_skip (LmYamlReader *reader, const LmYamlEvent *event, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_yaml_type_of: what the scalar @text stands for. */
LmYamlType lm_yaml_type_of (const char *text, gboolean plain);

/** lm_yaml_type_name: "a string", "nothing", "a number", ... for messages. */
const char *lm_yaml_type_name (LmYamlType type);

/** lm_yaml_kind_name: "a list", "a mapping", ... for messages. */
const char *lm_yaml_kind_name (LmYamlKind kind);

/** lm_yaml_bool_value: the value of a scalar of LM_YAML_BOOL. */
gboolean lm_yaml_bool_value (const char *text);

/** lm_yaml_int_value: the value of a scalar of LM_YAML_INT; FALSE when it is
 * not written in decimal (octal and the like are refused: readers differ) or
 * does not fit. */
gboolean lm_yaml_int_value (const char *text, gint64 *out_value) G_GNUC_WARN_UNUSED_RESULT;

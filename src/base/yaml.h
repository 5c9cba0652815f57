/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* An event reader for YAML 1.1 and JSON: a text that begins like JSON and is JSON
 * is read by json-reader.h, any other text by libyaml. The text is untrusted: one
 * document only; size, depth and number of values are limited; aliases (which could
 * make a small text grow), tags and NUL bytes are refused. A leading UTF-8 byte
 * order mark is skipped. yaml-node.h provides a tree for small documents.
 * Specifications: yaml.org/spec/1.1 and its type repository for null, bool, int and
 * float; RFC 8259. */
#include <glib.h>

typedef enum
{
  LM_YAML_ERROR_SYNTAX,      /* not a single YAML document */
  LM_YAML_ERROR_UNSUPPORTED, /* a feature of YAML that is refused: tags, aliases, NUL in a value */
  LM_YAML_ERROR_LIMIT,       /* too large, too deep, too many nodes */
  LM_YAML_ERROR_TYPE,        /* a value does not have the expected type */
} LmYamlError;

#define LM_YAML_ERROR lm_yaml_error_quark ()
GQuark lm_yaml_error_quark (void);

typedef struct
{
  gsize size;   /* of the text, in bytes */
  gsize scalar; /* of one scalar, in bytes */
  guint depth;  /* of nested collections */
  guint nodes;  /* number of scalars and collections */
} LmYamlLimits;

/* For files that people write by hand: 1 MiB of text, 16 levels. */
extern const LmYamlLimits lm_yaml_limits_small;

typedef enum
{
  LM_YAML_SCALAR,
  LM_YAML_SEQUENCE, /* from the reader: the beginning of the collection */
  LM_YAML_MAPPING,
  LM_YAML_SEQUENCE_END, /* this and the next two come from the reader only */
  LM_YAML_MAPPING_END,
  LM_YAML_END,
} LmYamlKind;

/* The type of a scalar. A quoted scalar is always a string. */
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
  guint line;       /* counted from 1 */
  const char *text; /* scalars: UTF-8, NUL-terminated, no other NUL; "|" and ">" without trailing line ends */
  gsize length;
  gboolean plain; /* scalars: written without quotes */
} LmYamlEvent;

typedef struct _LmYamlReader LmYamlReader;

/** lm_yaml_reader_new: returns a reader of the @size bytes at @text, which must
 * outlive it; never NULL. @name is what messages call the document. A text that is
 * too large is reported by the first lm_yaml_reader_next(). */
LmYamlReader *lm_yaml_reader_new (const char *name, const char *text, gsize size, const LmYamlLimits *limits);
/** lm_yaml_reader_free: frees @reader; NULL is ignored. */
void lm_yaml_reader_free (LmYamlReader *reader);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmYamlReader, lm_yaml_reader_free)

/** lm_yaml_reader_set_first_line: sets the number of the first line (otherwise 1),
 * for a text that is a part of a larger document. To be called before the first
 * event is read. */
void lm_yaml_reader_set_first_line (LmYamlReader *reader, guint line);

/** lm_yaml_reader_get_nodes: returns the number of values read so far. */
guint lm_yaml_reader_get_nodes (const LmYamlReader *reader);

/** lm_yaml_reader_next: reads the next event; what @out_event points to is valid
 * until the next call. An empty document is one null scalar. Must not be called
 * again after LM_YAML_END. Error messages begin with "NAME:LINE: ". */
gboolean lm_yaml_reader_next (LmYamlReader *reader, LmYamlEvent *out_event, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_yaml_reader_skip: skips the rest of the value that @event began (nothing for
 * a scalar). */
gboolean lm_yaml_reader_skip (LmYamlReader *reader, const LmYamlEvent *event, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_yaml_reader_get_depth: returns the number of collections that have begun and not ended. */
guint lm_yaml_reader_get_depth (const LmYamlReader *reader);

/** lm_yaml_reader_leave: skips the rest of all collections that began after lm_yaml_reader_get_depth()
 * was @depth. */
gboolean lm_yaml_reader_leave (LmYamlReader *reader, guint depth, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_yaml_type_of: returns the type of the scalar @text. */
LmYamlType lm_yaml_type_of (const char *text, gboolean plain);

/** lm_yaml_type_name: returns "a string", "nothing", "a number", ... for messages.
 * Static. */
const char *lm_yaml_type_name (LmYamlType type);

/** lm_yaml_kind_name: returns "a list", "a mapping", ... for messages. Static. */
const char *lm_yaml_kind_name (LmYamlKind kind);

/** lm_yaml_bool_value: returns the value of a scalar of type LM_YAML_BOOL. */
gboolean lm_yaml_bool_value (const char *text);

/** lm_yaml_int_value: parses a scalar of type LM_YAML_INT. FALSE if it is not
 * decimal (readers disagree on octal and other notations) or does not fit. */
gboolean lm_yaml_int_value (const char *text, gint64 *out_value) G_GNUC_WARN_UNUSED_RESULT;

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Reads mappings according to tables of their keys, directly from the YAML events,
 * so that a hundred thousand of them need no tree. Unknown keys cause warnings;
 * wrong types, missing keys and duplicate keys are errors
 * (LM_CATALOG_ERROR_INVALID). All messages have the line. For catalog-part.c only. */
#include "base/yaml.h"

typedef struct
{
  LmYamlReader *yaml;
  const char *document; /* messages begin with it */
  gboolean own;         /* but not if this is set: the user has not seen it */
  GPtrArray *warnings;  /* char *; may be NULL */
  guint n_warnings;
  GPtrArray *problems;  /* char *: if not NULL, what is wrong is added to it, and reading goes on */
} LmFieldReader;

/* Reads the value that @event begins and stores it in @slot. What @event points to
 * is valid only until the next event is read. */
typedef gboolean (*LmFieldFunc) (LmFieldReader *reader, const LmYamlEvent *event, gpointer slot, GError **error);

typedef struct
{
  const char *key; /* NULL at the end of a table; at most 32 keys */
  LmFieldFunc read;
  gsize offset; /* of the slot in the record */
  gboolean required;
} LmField;

/** lm_field_read_mapping: reads a mapping into @record, according to the table
 * @fields; @what is its name in messages ("a layer"). */
gboolean lm_field_read_mapping (LmFieldReader *reader, const LmYamlEvent *event, const char *what, const LmField *fields,
                                gpointer record, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_field_read_list: reads a sequence of at most @max items, calling @read with
 * the same @slot for each. @out_n, the number of items, may be NULL. */
gboolean lm_field_read_list (LmFieldReader *reader, const LmYamlEvent *event, const char *what, guint max,
                             LmFieldFunc read, gpointer slot, guint *out_n, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_field_expect: whether @event is a scalar of @type; otherwise sets an error
 * that says that @wanted was expected. */
gboolean lm_field_expect (LmFieldReader *reader, const LmYamlEvent *event, LmYamlType type, const char *wanted,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_field_throw: sets @error, with "DOCUMENT:LINE: " before the message unless @reader has @own, and returns FALSE. */
gboolean lm_field_throw (LmFieldReader *reader, guint line, GError **error, const char *format, ...) G_GNUC_PRINTF (4, 5);

/* Single values of common kinds. The functions called lm_field_read_ are LmFieldFuncs. */

/** lm_field_expect_string: whether @event is a string; otherwise sets an error. */
gboolean lm_field_expect_string (LmFieldReader *fr, const LmYamlEvent *event, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_field_throw_not: sets the error "\"...\" is not @what" and returns FALSE. */
gboolean lm_field_throw_not (LmFieldReader *fr, const LmYamlEvent *event, const char *what, GError **error);

/** lm_field_read_flag: reads true or false; the slot is a guint32. */
gboolean lm_field_read_flag (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_field_read_file_size: reads a number of bytes from 1 to 16 TiB; the slot is a guint64. */
gboolean lm_field_read_file_size (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_field_read_amount: reads a size such as "512MiB", from 1 MiB to 16 TiB; the
 * slot is a guint64. The unit is required, because a bare number means bytes to
 * some people and MiB to others. */
gboolean lm_field_read_amount (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_field_read_digest: reads a digest; the slot is an LmDigest. */
gboolean lm_field_read_digest (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error) G_GNUC_WARN_UNUSED_RESULT;

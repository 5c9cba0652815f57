/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Reading mappings by tables of their keys, straight from the events, so that
 * a hundred thousand of them are read without a tree. Unknown keys are
 * warnings, wrong types, missing and doubled keys errors
 * (LM_CATALOG_ERROR_INVALID), all with their line. For catalog-part.c only. */
#include "base/yaml.h"

typedef struct
{
  LmYamlReader *yaml;
  const char *document; /* begins messages */
  GPtrArray *warnings;  /* char *; may be NULL */
  guint n_warnings;
} LmFieldReader;

/* Reads the value that @event begins into @slot; what @event points to is
 * gone with the next event. */
typedef gboolean (*LmFieldFunc) (LmFieldReader *reader, const LmYamlEvent *event, gpointer slot, GError **error);

typedef struct
{
  const char *key; /* NULL ends a table; at most 32 keys */
  LmFieldFunc read;
  gsize offset; /* of its slot in the record */
  gboolean required;
} LmField;

/** lm_field_read_mapping: a mapping by the table @fields into @record; @what
 * names it in messages ("a layer"). */
gboolean lm_field_read_mapping (LmFieldReader *reader, const LmYamlEvent *event, const char *what, const LmField *fields,
                                gpointer record, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_field_read_list: a sequence of at most @max items, each read by @read
 * into the same @slot. @out_n, their number, may be NULL. */
gboolean lm_field_read_list (LmFieldReader *reader, const LmYamlEvent *event, const char *what, guint max,
                             LmFieldFunc read, gpointer slot, guint *out_n, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_field_expect: whether @event is a scalar of @type; if not, an error that says that @wanted is needed. */
gboolean lm_field_expect (LmFieldReader *reader, const LmYamlEvent *event, LmYamlType type, const char *wanted,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_field_throw: sets @error, "DOCUMENT:LINE: " before the message, and returns FALSE. */
gboolean lm_field_throw (LmFieldReader *reader, guint line, GError **error, const char *format, ...) G_GNUC_PRINTF (4, 5);

/* Single values that need nothing but themselves; those named read are LmFieldFuncs. */

/** lm_field_expect_string: whether @event is a string; if not, an error. */
gboolean lm_field_expect_string (LmFieldReader *fr, const LmYamlEvent *event, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_field_throw_not: the error "... is not @what"; returns FALSE. */
gboolean lm_field_throw_not (LmFieldReader *fr, const LmYamlEvent *event, const char *what, GError **error);

/** lm_field_read_flag: true or false; the slot is a guint32. */
gboolean lm_field_read_flag (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_field_read_file_size: bytes, from 1 to 16 TiB; the slot is a guint64. */
gboolean lm_field_read_file_size (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_field_read_amount: "512MiB", from 1 MiB to 16 TiB; the slot is a guint64.
 * It must have a unit: a bare number means bytes to some and MiB to others. */
gboolean lm_field_read_amount (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_field_read_digest: the slot is an LmDigest. */
gboolean lm_field_read_digest (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error) G_GNUC_WARN_UNUSED_RESULT;

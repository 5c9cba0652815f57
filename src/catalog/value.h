/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Single values of a catalog that need nothing but themselves. The functions
 * named read are LmFieldFuncs. For catalog-reader.c only. */
#include "catalog/field.h"

/** lm_value_expect_string: whether @event is a string; if not, an error. */
gboolean lm_value_expect_string (LmFieldReader *fr, const LmYamlEvent *event, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_value_refuse: the error "... is not @what"; returns FALSE. */
gboolean lm_value_refuse (LmFieldReader *fr, const LmYamlEvent *event, const char *what, GError **error);

/** lm_value_read_flag: true or false; the slot is a guint32. */
gboolean lm_value_read_flag (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_value_read_file_size: bytes, from 1 to 16 TiB; the slot is a guint64. */
gboolean lm_value_read_file_size (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_value_read_amount: "512MiB", from 1 MiB to 16 TiB; the slot is a guint64.
 * It must have a unit: a bare number means bytes to some and MiB to others. */
gboolean lm_value_read_amount (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_value_read_digest: the slot is an LmDigest. */
gboolean lm_value_read_digest (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error) G_GNUC_WARN_UNUSED_RESULT;

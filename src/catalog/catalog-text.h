/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The strings of a catalog, checked and put into the builder of the part that
 * is read. All are LmFieldFuncs whose reader is an LmCatalogPart; a string's slot is a
 * guint32, its offset. For catalog-part.c only. */
#include "catalog/catalog-part.h"

/* Words of few characters: lm_name_is_valid(), lm_version_is_valid(), uname's machine. */
gboolean lm_catalog_text_read_name (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean lm_catalog_text_read_version (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean lm_catalog_text_read_arch (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_catalog_text_read_line: text that will be shown, or end up in XML: short,
 * one line, all of it printable (base/text.h). */
gboolean lm_catalog_text_read_line (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_catalog_text_read_needs, _provides: a list of relations, of any kind or of
 * none but "="; the slot is an LmPreparedSpan of lists. */
gboolean lm_catalog_text_read_needs (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean lm_catalog_text_read_provides (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_catalog_text_read_urls: at least one, made absolute where joining would
 * not do; the slot is an LmPreparedSpan of lists. */
gboolean lm_catalog_text_read_urls (LmFieldReader *fr, const LmYamlEvent *event, gpointer slot, GError **error) G_GNUC_WARN_UNUSED_RESULT;

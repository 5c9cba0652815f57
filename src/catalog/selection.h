/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What the user asked for: "[group=]name[@version]"; and the rules for names
 * and versions, which hold for catalogs too. */
#include "catalog/layer.h"

#define LM_NAME_MAX 64
#define LM_VERSION_MAX 64

typedef enum
{
  LM_SELECTION_ERROR_INVALID, /* not of the form [group=]name[@version] */
} LmSelectionError;

#define LM_SELECTION_ERROR lm_selection_error_quark ()
GQuark lm_selection_error_quark (void);

typedef struct
{
  char *group; /* NULL: any */
  char *name;
  char *version; /* NULL: the newest that fits */
} LmSelection;

/** lm_selection_parse: reads @text (may be NULL: invalid). Errors: LM_SELECTION_ERROR. */
LmSelection *lm_selection_parse (const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_selection_format: the text form, newly allocated. */
char *lm_selection_format (const LmSelection *selection);

/** lm_selection_matches: whether @layer is of the name, group and version asked for. */
gboolean lm_selection_matches (const LmSelection *selection, const LmLayer *layer);

void lm_selection_free (LmSelection *selection);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmSelection, lm_selection_free)

/** lm_name_is_valid: [a-z0-9][a-z0-9+._-]*, at most LM_NAME_MAX bytes: names
 * of layers, groups and what layers provide. NULL is invalid. */
gboolean lm_name_is_valid (const char *name);

/** lm_version_is_valid: [A-Za-z0-9][A-Za-z0-9.+~:-]*, at most LM_VERSION_MAX
 * bytes; ordered as Debian orders versions. NULL is invalid. */
gboolean lm_version_is_valid (const char *version);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Where domain templates are found. A template is named by a word (the file
 * WORD.xml of the first directory that has it) or by a path (whatever has a
 * "/"). What stands in one: io/xml.h and domain/xml.h. */
#include "io/xml.h"
#include <gio/gio.h>

typedef enum
{
  LM_TEMPLATE_ERROR_NOT_FOUND,
  LM_TEMPLATE_ERROR_INVALID, /* neither a word nor a path, or a file that cannot be read */
} LmTemplateError;

#define LM_TEMPLATE_ERROR lm_template_error_quark ()
GQuark lm_template_error_quark (void);

/** lm_template_load: reads the template @name; @dirs (NULL-terminated) are
 * searched in their order: user's, system's, shipped. A path may be that of a
 * pipe, which is read to its end unless @cancellable is cancelled. Blocks.
 * Errors: LM_TEMPLATE_ERROR, LM_XML_ERROR_SYNTAX, G_IO_ERROR_CANCELLED. */
LmXml *lm_template_load (const char *const *dirs, const char *name, GCancellable *cancellable,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Finds and reads domain templates. A template is given by a name (the file
 * NAME.xml in the first directory that has it) or by a path (anything with a "/").
 * io/xml.h and domain/xml.h describe its contents. */
#include "io/xml.h"
#include <gio/gio.h>

typedef enum
{
  LM_TEMPLATE_ERROR_NOT_FOUND,
  LM_TEMPLATE_ERROR_INVALID, /* not a valid name, or the file cannot be read */
} LmTemplateError;

#define LM_TEMPLATE_ERROR lm_template_error_quark ()
GQuark lm_template_error_quark (void);

/** lm_template_load: reads the template @name; @dirs (NULL-terminated) are searched
 * in order: the user's, the system's, the shipped ones. A path may refer to a pipe,
 * which is read to its end or until @cancellable is cancelled. Blocks. Errors:
 * LM_TEMPLATE_ERROR, LM_XML_ERROR_SYNTAX, G_IO_ERROR_CANCELLED. */
LmXml *lm_template_load (const char *const *dirs, const char *name, GCancellable *cancellable,
                         GError **error) G_GNUC_WARN_UNUSED_RESULT;

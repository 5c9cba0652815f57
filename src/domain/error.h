/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The error domain of this module. */
#include <glib.h>

typedef enum
{
  LM_DOMAIN_ERROR_INVALID, /* the user gave a value that is not valid for a domain */
} LmDomainError;

#define LM_DOMAIN_ERROR lm_domain_error_quark ()
GQuark lm_domain_error_quark (void);

/** lm_domain_throw_value: sets @error to LM_DOMAIN_ERROR_INVALID with the message
 * "@what "VALUE": @rule", where VALUE is the printable part of @value (NULL for
 * ""); returns FALSE. */
gboolean lm_domain_throw_value (GError **error, const char *what, const char *value, const char *rule);

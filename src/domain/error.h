/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The error domain of the values that describe a domain. */
#include <glib.h>

typedef enum
{
  LM_DOMAIN_ERROR_INVALID, /* a value that no domain can have: the user's mistake */
} LmDomainError;

#define LM_DOMAIN_ERROR lm_domain_error_quark ()
GQuark lm_domain_error_quark (void);

/** lm_domain_throw_value: sets @error to LM_DOMAIN_ERROR_INVALID, "@what "VALUE":
 * @rule", with as much of @value (NULL: "") as can be shown; returns FALSE. */
gboolean lm_domain_throw_value (GError **error, const char *what, const char *value, const char *rule);

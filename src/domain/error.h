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

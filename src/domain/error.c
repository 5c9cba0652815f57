/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "domain/error.h"
#include "base/error.h"

G_DEFINE_QUARK (lm-domain-error-quark, lm_domain_error)

gboolean
lm_domain_throw_value (GError **error, const char *what, const char *value, const char *rule)
{
  g_autofree char *shown = g_strndup (value ? value : "", 100);
  g_autofree char *safe = g_strescape (shown, NULL);
  return lm_throw (error, LM_DOMAIN_ERROR, LM_DOMAIN_ERROR_INVALID, "%s \"%s\": %s", what, safe, rule);
}

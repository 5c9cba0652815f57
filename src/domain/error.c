/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "domain/error.h"
#include "base/error.h"
#include "base/text.h"

G_DEFINE_QUARK (lm-domain-error-quark, lm_domain_error)

gboolean
lm_domain_throw_value (GError **error, const char *what, const char *value, const char *rule)
{
  g_autofree char *safe = lm_text_escape (value ? value : "", 100);
  return lm_throw (error, LM_DOMAIN_ERROR, LM_DOMAIN_ERROR_INVALID, "%s \"%s\": %s", what, safe, rule);
}

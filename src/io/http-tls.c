/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "io/http-private.h"

#include <gnutls/gnutls.h>

const char *
lm_http_redirect_schemes (const char *url, gboolean digest_known)
{
  return digest_known || g_ascii_strncasecmp (url, "https:", 6) != 0 ? "http,https" : "https";
}

const char *
lm_http_certificate_problem (const char *tls_library, guint result)
{
  static const struct
  {
    guint bit;
    const char *text;
  } problems[] = {
    { GNUTLS_CERT_REVOKED, "it was revoked" },
    { GNUTLS_CERT_EXPIRED, "it has expired" },
    { GNUTLS_CERT_NOT_ACTIVATED, "it is not valid yet, or the clock of this host is wrong" },
    { GNUTLS_CERT_INSECURE_ALGORITHM, "its signature algorithm is no longer secure" },
    { GNUTLS_CERT_SIGNER_NOT_FOUND, "no authority that this host trusts has signed it; add a private one to the system" },
  };
  if (tls_library == NULL || !g_str_has_prefix (tls_library, "GnuTLS"))
    return NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (problems); i++)
    if (result & problems[i].bit)
      return problems[i].text;
  return NULL;
}

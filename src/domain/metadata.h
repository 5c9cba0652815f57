/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The <metadata> of a domain, which records how lamina made it: enough to rebuild
 * its chain on another host, and to display and remove the machine on this one. The
 * format:
 *
 *   <lamina:machine xmlns:lamina="urn:lamina:domain:1">
 *     <lamina:select>SELECTION</lamina:select>                  as a user writes it, any number
 *     <lamina:ephemeral/>                                       the overlay is thrown away at the end
 *     <lamina:selection>GROUP=NAME@VERSION</lamina:selection>   as resolved, any number
 *     <lamina:layer digest="sha256:..." name="..." version="..." group="..." source="..." size="BYTES" path="...">
 *       <lamina:url>...</lamina:url>                            any number
 *     </lamina:layer>                                           base first
 *     <lamina:kernel digest="..." size="..." path="..."> <lamina:url/>... </lamina:kernel>  also <lamina:initrd>
 *     <lamina:cmdline>...</lamina:cmdline>
 *     <lamina:overlay path="..." size="BYTES"/> <lamina:seed path="..."/>
 *     <lamina:console path="..."/> <lamina:ready>...</lamina:ready>
 *     <lamina:publish address="..." port="..." guest-port="..."/>
 *   </lamina:machine>
 *
 * Unknown values are omitted; in a domain that was written by hand, <lamina:select>
 * suffices, see lamina-hook(8). A reader ignores elements that it does not know. URLs
 * are redacted (base/url.h), because many people can read domain XML. */
#include "io/xml.h"
#include "domain/spec.h"

#define LM_METADATA_URI "urn:lamina:domain:1"
#define LM_METADATA_PREFIX "lamina"

typedef enum
{
  LM_METADATA_ERROR_INVALID, /* not in the format above */
} LmMetadataError;

#define LM_METADATA_ERROR lm_metadata_error_quark ()
GQuark lm_metadata_error_quark (void);

/** lm_metadata_add: appends the element for @spec to @parent, a <metadata> element. */
void lm_metadata_add (LmXml *xml, LmXmlNode *parent, const LmDomainSpec *spec);

/** lm_domain_metadata_parse: parses @text, which is a whole domain XML or the
 * element alone (without its namespace, as virDomainGetMetadata() returns it). Only
 * the values in the format above are set. Errors: LM_METADATA_ERROR_INVALID, also
 * if there is no such element; LM_XML_ERROR_SYNTAX. */
LmDomainSpec *lm_domain_metadata_parse (const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

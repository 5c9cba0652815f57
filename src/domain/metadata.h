/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What a domain's <metadata> says of how lamina made it: enough to rebuild its
 * chain on another host, and to show and remove it here. The form:
 *
 *   <lamina:machine xmlns:lamina="urn:lamina:domain:1">
 *     <lamina:selection>GROUP=NAME@VERSION</lamina:selection>   as resolved, any number
 *     <lamina:layer digest="sha256:..." name="..." version="..." group="..." source="..." size="BYTES" path="...">
 *       <lamina:url>...</lamina:url>                            any number
 *     </lamina:layer>                                           base first
 *     <lamina:kernel digest="..." size="..." path="..."> <lamina:url/>... </lamina:kernel>  likewise initrd
 *     <lamina:cmdline>...</lamina:cmdline>
 *     <lamina:overlay path="..."/> <lamina:seed path="..."/>
 *     <lamina:console path="..."/> <lamina:ready>...</lamina:ready>
 *     <lamina:publish address="..." port="..." guest-port="..."/>
 *   </lamina:machine>
 *
 * What is unknown is left out. A reader ignores what it does not know. URLs
 * are redacted (base/url.h): domain XML is read by many. */
#include "io/xml.h"
#include "domain/spec.h"

#define LM_METADATA_URI "urn:lamina:domain:1"
#define LM_METADATA_PREFIX "lamina"

typedef enum
{
  LM_METADATA_ERROR_INVALID, /* not of the form above */
} LmMetadataError;

#define LM_METADATA_ERROR lm_metadata_error_quark ()
GQuark lm_metadata_error_quark (void);

/** lm_metadata_add: appends the element for @spec to @parent, a <metadata>. */
void lm_metadata_add (LmXml *xml, LmXmlNode *parent, const LmDomainSpec *spec);

/** lm_domain_metadata_parse: reads @text, which is a whole domain XML or the
 * element alone (libvirt's virDomainGetMetadata gives it without namespace).
 * Of the value only what the form above holds is set. Errors:
 * LM_METADATA_ERROR_INVALID, also when there is none; LM_XML_ERROR_SYNTAX. */
LmDomainSpec *lm_domain_metadata_parse (const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

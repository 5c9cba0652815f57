/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What lamina has to know of a domain's XML that somebody else wrote: its name, its
 * UUID, and the files that its QEMU uses. Pure. */
#include "io/xml.h"

typedef struct
{
  char *name;
  char *uuid;       /* as lower-case text */
  char *kernel;     /* NULL if the XML names none */
  char *initrd;     /* likewise */
  GPtrArray *disks; /* char *: the files and block devices that are disks, in their order */
} LmDomainOutline;

/** lm_domain_outline_parse: reads the domain's XML @text. Errors:
 * LM_XML_ERROR_SYNTAX, also if it is not a domain with a name and a valid UUID. */
LmDomainOutline *lm_domain_outline_parse (const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_domain_outline_free: frees @outline; NULL is ignored. */
void lm_domain_outline_free (LmDomainOutline *outline);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmDomainOutline, lm_domain_outline_free)

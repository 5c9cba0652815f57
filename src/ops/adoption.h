/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What a domain needs before it starts, whoever wrote its XML: its layers are
 * pulled, and if lamina did not make it, it becomes a machine: its directory with
 * the record, the copies of kernel and initrd, and the overlay. libvirt waits
 * meanwhile and has the domain locked, so nothing here calls libvirt, and no lock of
 * a machine's name is taken, which the process that starts the domain may hold.
 * Each step checks first whether its result is there, and appears completely or not
 * at all, so that a killed run is continued by the next one. */
#include "ops/host.h"

typedef enum
{
  LM_ADOPTION_ERROR_REFUSED, /* the domain contradicts itself, its record or its layers */
} LmAdoptionError;

#define LM_ADOPTION_ERROR lm_adoption_error_quark ()
GQuark lm_adoption_error_quark (void);

/** lm_adopt: does the above for the domain whose XML is @xml. An existing overlay is
 * never replaced; if there is no record of it, it must stand on the last layer. Blocks on network and disk. Errors: LM_ADOPTION_ERROR,
 * LM_HOME_ERROR, and those of planning, pulling and creating. */
gboolean lm_adopt (const LmHost *host, const char *xml, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

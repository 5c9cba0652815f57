/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* --replace: a machine makes room for another of its name, and loses nothing
 * unless that one came to be. Its domain is stopped and undefined, its XML kept
 * in the record, its files stay; then it is erased, or put back. A run killed
 * in between is finished by the next one (lm_replace_settle). */
#include "ops/host.h"
#include "machine/machine.h"
#include "virt/domain.h"

/** lm_replace_set_aside: stops and undefines @machine's domain, having noted
 * in its record how to put it back. *out_ran: it was running.
 * Errors: LM_VIRT_ERROR, G_IO_ERROR. */
gboolean lm_replace_set_aside (LmVirt *virt, LmMachine *machine, gboolean *out_ran, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_replace_put_back: defines the domain again, and starts it if @start. A
 * transient domain can only be started. One that is not aside is left alone.
 * Errors: LM_VIRT_ERROR, G_IO_ERROR. */
gboolean lm_replace_put_back (LmVirt *virt, LmMachine *machine, gboolean start, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_replace_settle: what killed runs left of machines called @name on @virt's
 * connection goes, or is put back. The caller holds the machine's lock.
 * Errors: LM_VIRT_ERROR, G_IO_ERROR. */
gboolean lm_replace_settle (const LmHost *host, LmVirt *virt, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

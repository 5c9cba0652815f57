/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What killed runs left of the machines of one name. Half of a machine that never
 * ran goes, and the one that it was to replace comes back; one that ran is kept. A
 * guest has run if its domain is active or its disk was written to. */
#include "machine/machine.h"
#include "ops/host.h"
#include "virt/connect.h"

/** lm_recover: brings the machines called @name on @virt's connection into order; the
 * caller holds the name's lock. After it each is complete. A removal that was begun
 * is finished; nothing else is lost by it. Returns those that another one, which has
 * run, replaced (LmMachine): the caller removes them once its own work is done, and
 * keeps them if it refuses. Errors: LM_VIRT_ERROR, LM_MACHINE_DOMAIN_ERROR,
 * LM_USAGE_ERROR, G_IO_ERROR. */
GPtrArray *lm_recover (const LmHost *host, LmVirt *virt, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

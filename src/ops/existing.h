/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What has the name of a machine that is to be launched. Only looks. */
#include "machine/machine.h"
#include "ops/host.h"
#include "ops/match.h"
#include "virt/domain.h"

typedef struct
{
  LmMachine *machine;   /* NULL: nothing has the name */
  LmVirtDomain *domain; /* NULL: it has none (any more); its metadata were checked */
  gboolean active;      /* the domain runs or is paused */
} LmExisting;

void lm_existing_free (LmExisting *existing);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmExisting, lm_existing_free)

/** lm_existing_find: what has @name on @virt's connection, after lm_recover(). What
 * cannot be launched or replaced under it is an error: a domain that lamina did not
 * make here, a machine of another connection, one that was renamed. Errors:
 * LM_LAUNCH_ERROR_EXISTS, LM_MACHINE_ERROR_CORRUPT, LM_MACHINE_DOMAIN_ERROR, LM_VIRT_ERROR. */
LmExisting *lm_existing_find (const LmHost *host, LmVirt *virt, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_existing_matches: lm_match_selections() for what has the name; LM_MATCH_NO without a domain. */
LmMatch lm_existing_matches (const LmExisting *existing, char **requested, const LmPlan *plan);

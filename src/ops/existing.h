/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Finds what already has the name of a machine to be launched. Changes nothing. */
#include "machine/machine.h"
#include "ops/host.h"
#include "ops/match.h"
#include "virt/domain.h"

typedef struct
{
  LmMachine *machine;   /* NULL if nothing has the name */
  LmVirtDomain *domain; /* its domain, whose metadata was checked; NULL if it has none */
  gboolean active;      /* the domain is running or paused */
  LmLock *lock;         /* of the name in the record, if the domain was renamed */
} LmExisting;

/** lm_existing_free: frees @existing; NULL is ignored. */
void lm_existing_free (LmExisting *existing);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmExisting, lm_existing_free)

/** lm_existing_find: finds what has @name on the connection @virt; to be called
 * after lm_recover(). A machine whose domain was renamed is found by the new name and
 * locked by the old one. It is an error if the name belongs to something that can be
 * neither launched nor replaced: a domain that lamina did not create here, a
 * machine of another connection, or one that has another name now. Errors:
 * LM_LAUNCH_ERROR_EXISTS, LM_LOCK_ERROR_BUSY, LM_MACHINE_ERROR_CORRUPT,
 * LM_MACHINE_DOMAIN_ERROR, LM_VIRT_ERROR. */
LmExisting *lm_existing_find (const LmHost *host, LmVirt *virt, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_existing_matches: does lm_match_selections() for the existing machine;
 * LM_MATCH_NO if it has no domain. */
LmMatch lm_existing_matches (const LmExisting *existing, char **requested, const LmPlan *plan);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Whether a domain that refers to lamina uses the directory of its own machine,
 * machines/<uuid>/, and no other machine's. The domain's XML may have been written
 * or copied by anybody; nothing in it is believed. */
#include "domain/outline.h"
#include "domain/spec.h"
#include "machine/machine.h"

typedef enum
{
  LM_HOME_ERROR_FOREIGN,  /* the domain uses a file of another machine, or none of its own */
  LM_HOME_ERROR_CHANGED,  /* its metadata does not agree with the machine's record */
} LmHomeError;

#define LM_HOME_ERROR lm_home_error_quark ()
GQuark lm_home_error_quark (void);

/** lm_home_guess: returns the state directory in which the domain's metadata or
 * disks say that its machine is, newly allocated; NULL if they do not. */
char *lm_home_guess (const LmDomainSpec *spec, const LmDomainOutline *outline);

/** lm_home_has_overlay: whether a disk of the domain is the overlay of @machine. It
 * is not if there is a snapshot on top of that. */
gboolean lm_home_has_overlay (const LmMachine *machine, const LmDomainOutline *outline);

/** lm_home_check: whether the disks and the metadata of the domain belong to
 * @machine, the machine with its UUID. If @recorded is not set, that has no record
 * yet, and the domain must have the overlay as a disk. Errors:
 * LM_HOME_ERROR_FOREIGN, with what to do. */
gboolean lm_home_check (const LmMachine *machine, gboolean recorded, const LmDomainSpec *spec,
                        const LmDomainOutline *outline, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_home_check_chain: whether the layers that the metadata lists, if any, are
 * those of the record @machine. Errors: LM_HOME_ERROR_CHANGED. */
gboolean lm_home_check_chain (const LmMachine *machine, const LmDomainSpec *spec, GError **error) G_GNUC_WARN_UNUSED_RESULT;

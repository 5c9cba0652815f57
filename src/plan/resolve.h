/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Resolves selections to the set of layers that meets them: pure, using libsolv. */
#include "plan/candidate.h"
#include "catalog/selection.h"

typedef enum
{
  LM_RESOLVE_ERROR_UNKNOWN,       /* no such layer, version or group */
  LM_RESOLVE_ERROR_UNSATISFIABLE, /* the requires and conflicts of the layers cannot all be met */
  LM_RESOLVE_ERROR_GROUP,         /* a required group has no layer, or a group has too many */
  LM_RESOLVE_ERROR_NO_BUILD,      /* the layers fit together, but there is no chain of builds of them */
} LmResolveError;

#define LM_RESOLVE_ERROR lm_resolve_error_quark ()
GQuark lm_resolve_error_quark (void);

typedef struct
{
  GPtrArray *layers;     /* LmCandidate: the solution, sorted by dependency, group order, name */
  GPtrArray *selections; /* LmSelection, in the user's order */
  GPtrArray *candidates; /* LmCandidate: all candidates; owns them */
  GPtrArray *groups;     /* LmGroup, in order */
  char *arch;
} LmResolution;

/** lm_resolution_free: frees @resolution; NULL is ignored. */
void lm_resolution_free (LmResolution *resolution);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmResolution, lm_resolution_free)

/** lm_resolve_host_arch: returns the architecture of this host ("x86_64"); newly allocated. */
char *lm_resolve_host_arch (void);

/** lm_resolve: finds the layers that together meet all @selections
 * ("[group=]name[@version]", at least one), each in the newest version that fits. A
 * pre-release (catalog/version.h) is used only if it is asked for or nothing else
 * fits. @arch is the architecture that the layers must support ("x86_64"); NULL for
 * that of this host. @set must outlive the result. Errors: LM_SELECTION_ERROR,
 * LM_RESOLVE_ERROR. */
LmResolution *lm_resolve (const LmCatalogSet *set, const char *const *selections, const char *arch,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* From selections to the set of layers that meets them: pure, by libsolv. */
#include "plan/candidate.h"
#include "catalog/selection.h"

typedef enum
{
  LM_RESOLVE_ERROR_UNKNOWN,       /* no such layer, version or group */
  LM_RESOLVE_ERROR_UNSATISFIABLE, /* requires and conflicts cannot all be met */
  LM_RESOLVE_ERROR_GROUP,         /* a required group is empty, or one has too many */
  LM_RESOLVE_ERROR_NO_BUILD,      /* the layers fit, but no chain of builds of them exists */
} LmResolveError;

#define LM_RESOLVE_ERROR lm_resolve_error_quark ()
GQuark lm_resolve_error_quark (void);

typedef struct
{
  GPtrArray *layers;     /* LmCandidate: the answer, by dependency, group order, name */
  GPtrArray *selections; /* LmSelection, in the user's order */
  GPtrArray *candidates; /* LmCandidate: all that were considered; owns them */
  GPtrArray *groups;     /* LmGroup, in order */
  char *arch;
} LmResolution;

void lm_resolution_free (LmResolution *resolution);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmResolution, lm_resolution_free)

/** lm_resolve: the layers that meet all @selections ("[group=]name[@version]",
 * at least one) together, each in the newest version that fits; a pre-release
 * (catalog/version.h) only if it is asked for or no other fits. @arch: what
 * the layers must run on; NULL: this machine's ("x86_64"). The set must outlive
 * the answer. Errors: LM_SELECTION_ERROR, LM_RESOLVE_ERROR. */
LmResolution *lm_resolve (const LmCatalogSet *set, const char *const *selections, const char *arch,
                          GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Entries of the local catalog, for the use cases that make layers. */
#include "catalog/catalog-set.h"
#include "ops/host.h"
#include "source/local.h"

typedef enum
{
  LM_LOCAL_ENTRY_ERROR_HIDDEN, /* a catalog of higher priority has the name */
  LM_LOCAL_ENTRY_ERROR_PLACE,  /* it cannot be in one chain with a layer below it */
} LmLocalEntryError;

#define LM_LOCAL_ENTRY_ERROR lm_local_entry_error_quark ()
GQuark lm_local_entry_error_quark (void);

/** lm_local_entry_check: whether a layer called @name in the local catalog could be selected over @set, which then
 * also finds it when it is to be made again. Error: LM_LOCAL_ENTRY_ERROR. */
gboolean lm_local_entry_check (const LmCatalogSet *set, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_local_entry_check_place: whether a layer called @name, of @group, could be selected together with the layer
 * called @below, of @below_group, on which it stands. Error: LM_LOCAL_ENTRY_ERROR_PLACE. */
gboolean lm_local_entry_check_place (const LmCatalogSet *set, const char *name, const char *group, const char *below,
                                     const char *below_group, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_local_entry_add: lists @layer in the local catalog, as lm_local_add() does, in the group that
 * @set defines under the name of its group; a group that it does not define allows one layer. */
gboolean lm_local_entry_add (const LmHost *host, const LmCatalogSet *set, const LmLayer *layer, LmLocalChange *out_change,
                             GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_local_entry_parse_name: parses "NAME@VERSION", the value of --as. Both results are newly allocated. Errors:
 * LM_SELECTION_ERROR. */
gboolean lm_local_entry_parse_name (const char *text, char **out_name, char **out_version, GError **error) G_GNUC_WARN_UNUSED_RESULT;

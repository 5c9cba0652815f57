/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The use case "catalog check": tells the author of a catalog all that is wrong with it. */
#include "catalog/catalog-check.h"
#include "ops/host.h"

/** lm_check_catalog: examines the catalog @url_or_file. The extra catalogs of @host may have its
 * parents and required layers. If @online is set, also asks every server for the sizes of its
 * files. Blocks. Errors, if the catalog cannot be read: LM_SOURCE_ERROR_FETCH, LM_HTTP_ERROR,
 * those of lm_source_load_extra(), G_IO_ERROR_CANCELLED. */
LmCatalogReport *lm_check_catalog (const LmHost *host, const char *url_or_file, gboolean online, GCancellable *cancellable,
                                   GError **error) G_GNUC_WARN_UNUSED_RESULT;

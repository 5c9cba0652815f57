/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A launch request under construction: what the command line and a spec file
 * say becomes values here, and nowhere else. Reads the files that are named.
 * Errors: LM_CLI_ERROR_USAGE, LM_SELECTION_ERROR, LM_DOMAIN_ERROR; G_IO_ERROR_CANCELLED. */
#include "ops/launch.h"

/* One KEY=VALUE of an option that has several parts. */
typedef struct
{
  const char *key;
  const char *value;
} LmOptionPair;

typedef struct _LmRequestBuilder LmRequestBuilder;

/** lm_request_builder_new: an empty request. Files that are pipes are waited
 * for until @cancellable is cancelled. */
LmRequestBuilder *lm_request_builder_new (GCancellable *cancellable);
void lm_request_builder_free (LmRequestBuilder *builder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmRequestBuilder, lm_request_builder_free)

gboolean lm_request_builder_set_name (LmRequestBuilder *builder, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
gboolean lm_request_builder_add_selection (LmRequestBuilder *builder, const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_request_builder_set_text: sets the option @name (without "--") from its
 * text on the command line. A comma within a VALUE of "KEY=VALUE,..." is
 * written twice. */
gboolean lm_request_builder_set_text (LmRequestBuilder *builder, const char *name, const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_request_builder_set_pairs: the same from @count pairs, whose values are
 * taken as they are. */
gboolean lm_request_builder_set_pairs (LmRequestBuilder *builder, const char *name, const LmOptionPair *pairs, guint count,
                                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_request_builder_set_flag: the same for an option given without a value. */
void lm_request_builder_set_flag (LmRequestBuilder *builder, const char *name);

/** lm_request_builder_end: the request, with the checks that concern several
 * options; @builder is empty then. */
LmLaunchRequest *lm_request_builder_end (LmRequestBuilder *builder, GError **error) G_GNUC_WARN_UNUSED_RESULT;

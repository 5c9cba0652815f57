/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Builds a launch request. The values on the command line and in a spec file are
 * converted only here. Reads the files that they name. Errors: LM_CLI_ERROR_USAGE,
 * LM_SELECTION_ERROR, LM_DOMAIN_ERROR, G_IO_ERROR_CANCELLED. */
#include "ops/launch.h"

/* A KEY=VALUE part of an option. */
typedef struct
{
  const char *key;
  const char *value;
} LmOptionPair;

typedef struct _LmRequestBuilder LmRequestBuilder;

/** lm_request_builder_new: returns a builder with an empty request; never NULL.
 * Files that are pipes are read to their end or until @cancellable is cancelled. */
LmRequestBuilder *lm_request_builder_new (GCancellable *cancellable);
/** lm_request_builder_free: frees @builder; NULL is ignored. */
void lm_request_builder_free (LmRequestBuilder *builder);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmRequestBuilder, lm_request_builder_free)

/** lm_request_builder_set_name: sets the name of the machine. */
gboolean lm_request_builder_set_name (LmRequestBuilder *builder, const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_request_builder_add_selection: adds the selection @text. */
gboolean lm_request_builder_add_selection (LmRequestBuilder *builder, const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_request_builder_set_text: sets the option @name (without "--") from its text
 * on the command line. In a VALUE of "KEY=VALUE,..." a comma is written twice. */
gboolean lm_request_builder_set_text (LmRequestBuilder *builder, const char *name, const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_request_builder_set_pairs: sets the option @name from @count pairs, whose
 * values are taken literally. */
gboolean lm_request_builder_set_pairs (LmRequestBuilder *builder, const char *name, const LmOptionPair *pairs, guint count,
                                       GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_request_builder_set_flag: sets the option @name, given without a value. */
void lm_request_builder_set_flag (LmRequestBuilder *builder, const char *name);

/** lm_request_builder_end: does the checks that involve several options and returns
 * the request; @builder can only be freed then. */
LmLaunchRequest *lm_request_builder_end (LmRequestBuilder *builder, GError **error) G_GNUC_WARN_UNUSED_RESULT;

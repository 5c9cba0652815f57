/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The options of verbs that read package indexes. */
#include "build/packages.h"
#include "cli/verb.h"

#define LM_PACKAGE_SOURCE_OPTIONS                                                                                        \
  { "packages", 0, LM_OPTION_VALUE | LM_OPTION_MULTIPLE, "FILE|DIR|URL",                                                 \
    "read this package index instead of apt's", LM_COMPLETE_FILE },                                                      \
  { "recommended", 0, LM_OPTION_FLAG, NULL, "also install what packages recommend", LM_COMPLETE_NONE }

/** lm_package_source_load: loads the indexes that --packages names, or else those of apt.
 * Blocks. Errors: those of build/repository.h. */
LmPackages *lm_package_source_load (const LmInvocation *invocation, GError **error) G_GNUC_WARN_UNUSED_RESULT;

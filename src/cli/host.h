/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The LmHost of an invocation: its settings, and stderr for warnings, status
 * and progress. */
#include "cli/progress.h"
#include "cli/verb.h"
#include "ops/host.h"
#include "virt/connect.h"

typedef struct
{
  LmHost host;
  LmProgress *progress;
} LmCliHost;

/** lm_cli_host_new: of --progress and the settings; @invocation must outlive
 * it. Errors: LM_CLI_ERROR_USAGE. */
LmCliHost *lm_cli_host_new (const LmInvocation *invocation, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_cli_host_free: ends the progress display too. */
void lm_cli_host_free (LmCliHost *host);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmCliHost, lm_cli_host_free)

/** lm_cli_connect: connects to libvirt as @host says. Errors: LM_VIRT_ERROR. */
LmVirt *lm_cli_connect (const LmCliHost *host, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_cli_warnings: prints @warnings (char *) and empties it. */
void lm_cli_warnings (GPtrArray *warnings);

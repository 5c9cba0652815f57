/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The LmHost of an invocation: its settings, with warnings, status and progress
 * going to stderr. */
#include "cli/progress.h"
#include "cli/verb.h"
#include "ops/hook.h"
#include "ops/host.h"
#include "virt/connect.h"

typedef struct
{
  LmHost host;
  LmProgress *progress;
} LmCliHost;

/** lm_cli_host_new: returns a host that follows --progress and the settings;
 * @invocation must outlive it. Errors: LM_CLI_ERROR_USAGE. */
LmCliHost *lm_cli_host_new (const LmInvocation *invocation, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_cli_host_free: frees @host and ends the progress display; NULL is ignored. */
void lm_cli_host_free (LmCliHost *host);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmCliHost, lm_cli_host_free)

/** lm_cli_connect: connects to libvirt according to the settings of @host. Errors: LM_VIRT_ERROR. */
LmVirt *lm_cli_connect (const LmCliHost *host, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_cli_hook_places: returns where the hook and the files of libvirt's daemons are.
 * Owned by @settings. */
LmHookPlaces lm_cli_hook_places (const LmSettings *settings);

/** lm_cli_warnings: prints @warnings (char *) and removes them from the array. */
void lm_cli_warnings (GPtrArray *warnings);

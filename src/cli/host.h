/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The LmHost of an invocation: its settings, with warnings, status and progress
 * going to stderr. */
#include "author/chain-builder.h"
#include "cli/progress.h"
#include "cli/verb.h"
#include "ops/hook.h"
#include "ops/host.h"
#include "virt/connect.h"

#include <json-glib/json-glib.h>

typedef struct
{
  LmHost host;
  LmProgress *progress;
  LmChainBuilder builder; /* of host.build */
} LmCliHost;

/* To be included in the option table of a verb that needs the layers of selections. */
#define LM_BUILD_OPTION \
  { "build", 0, LM_OPTION_FLAG, NULL, "build from recipes what nobody has built yet", LM_COMPLETE_NONE }

/** lm_cli_host_new: returns a host that follows --progress, --build and the settings;
 * @invocation must outlive it. Errors: LM_CLI_ERROR_USAGE. */
LmCliHost *lm_cli_host_new (const LmInvocation *invocation, GError **error) G_GNUC_WARN_UNUSED_RESULT;
/** lm_cli_host_free: frees @host and ends the progress display; NULL is ignored. */
void lm_cli_host_free (LmCliHost *host);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmCliHost, lm_cli_host_free)

/** lm_cli_host_print_built: prints which layers --build has built; nothing if none. */
void lm_cli_host_print_built (const LmCliHost *host);
/** lm_cli_host_built_to_json: adds the member "built" to the open object: their digests, names and versions. */
void lm_cli_host_built_to_json (const LmCliHost *host, JsonBuilder *builder);

/** lm_cli_connect: connects to libvirt according to the settings of @host. Errors: LM_VIRT_ERROR. */
LmVirt *lm_cli_connect (const LmCliHost *host, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_cli_hook_places: returns where the hook and the files of libvirt's daemons are.
 * Owned by @settings. */
LmHookPlaces lm_cli_hook_places (const LmSettings *settings);

/** lm_cli_warnings: prints @warnings (char *) and removes them from the array. */
void lm_cli_warnings (GPtrArray *warnings);

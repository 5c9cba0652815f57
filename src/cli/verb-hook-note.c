/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* "lamina hook note SECONDS", which the libvirt hook runs in the background after a
 * machine has been started, at that time since 1970. Not for users, so it is not in the
 * help; lamina-hook(8) says what it does. */
#include "config.h"
#include "base/error.h"
#include "base/fd.h"
#include "cli/host.h"
#include "domain/outline.h"
#include "machine/history.h"

#include <unistd.h>

#define MAX_XML (16 * 1024 * 1024)

static gboolean
run_hook_note (const LmInvocation *invocation, GError **error)
{
  guint64 seconds = 0;
  if (!g_ascii_string_to_unsigned (lm_args_words (invocation->args)[0], 10, 1, G_MAXINT64, &seconds, error))
    return FALSE;
  g_autoptr (LmCliHost) host = lm_cli_host_new (invocation, error);
  g_autoptr (GBytes) bytes = host != NULL ? lm_fd_read_bytes (STDIN_FILENO, "the XML of the domain", MAX_XML, error) : NULL;
  if (bytes == NULL)
    return FALSE;
  g_autofree char *xml = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  g_autoptr (LmDomainOutline) outline = lm_domain_outline_parse (xml, error);
  g_autoptr (LmMachine) machine = outline != NULL ? lm_machine_load (host->host.state_dir, outline->uuid, error) : NULL;
  if (machine == NULL)
    return FALSE;
  lm_history_note_hook (machine, (gint64) seconds, host->host.history);
  return TRUE;
}

const LmVerb lm_verb_hook_note = {
  .name = "hook note",
  .min_words = 1,
  .max_words = 1,
  .run = run_hook_note,
};

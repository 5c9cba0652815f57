/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/fault.h"
#include "base/error.h"
#include "base/testenv.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

static gboolean
perform_action (const char *name, const char *action, GError **error)
{
  if (strcmp (action, "kill") == 0)
    raise (SIGKILL);
  else if (strcmp (action, "stop") == 0)
    raise (SIGSTOP);
  else if (strcmp (action, "abort") == 0)
    abort ();
  else if (strcmp (action, "enospc") == 0 || strcmp (action, "eio") == 0)
    {
      errno = action[1] == 'n' ? ENOSPC : EIO;
      return lm_throw_errno (error, "fault point %s", name);
    }
  else
    g_warning ("LAMINA_TEST_FAULT: unknown action %s", action);
  return TRUE;
}

gboolean
lm_fault_point (const char *name, GError **error)
{
  const char *spec = lm_testenv_get (LM_TESTENV_FAULT);
  if (G_LIKELY (spec == NULL))
    return TRUE;
  g_auto (GStrv) entries = g_strsplit (spec, ",", -1);
  gsize length = strlen (name);
  for (char **entry = entries; *entry; entry++)
    if (strncmp (*entry, name, length) == 0 && (*entry)[length] == '=')
      return perform_action (name, *entry + length + 1, error);
  return TRUE;
}

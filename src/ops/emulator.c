/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/emulator.h"
#include "base/error.h"
#include "base/file.h"
#include "domain/capabilities.h"

#include <pwd.h>

G_DEFINE_QUARK (lm-emulator-error-quark, lm_emulator_error)

gboolean
lm_emulator_user (LmVirt *virt, guint *out_uid)
{
  static const char *const names[] = { "libvirt-qemu", "qemu" }; /* Debian's, Fedora's */
  g_autofree char *capabilities = lm_virt_capabilities (virt, NULL);
  if (capabilities != NULL && lm_capabilities_qemu_user (capabilities, out_uid))
    return TRUE;
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      const struct passwd *user = getpwnam (names[i]);
      if (user != NULL)
        {
          *out_uid = user->pw_uid;
          return TRUE;
        }
    }
  return FALSE;
}

gboolean
lm_emulator_check_dir (LmVirt *virt, const char *path, GError **error)
{
  guint uid;
  /* If every user can search the directories, libvirt need not be asked. */
  g_autofree char *closed = lm_file_find_closed_dir (path, G_MAXUINT);
  if (closed == NULL || !lm_virt_is_local (virt) || !lm_virt_is_system (virt) || !lm_emulator_user (virt, &uid) || uid == 0)
    return TRUE;
  g_clear_pointer (&closed, g_free);
  closed = lm_file_find_closed_dir (path, uid);
  if (closed == NULL)
    return TRUE;
  const struct passwd *user = getpwuid (uid);
  return lm_throw (error, LM_EMULATOR_ERROR, LM_EMULATOR_ERROR_CLOSED,
                   "the user that QEMU runs as (%s) cannot access %s; run \"chmod o+x\" on it, or use "
                   "another --state-dir",
                   user != NULL ? user->pw_name : "unknown", closed);
}

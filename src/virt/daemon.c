/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "virt/daemon.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

LmVirtScope
lm_virt_scope_of_uri (const char *uri)
{
  if (strcmp (uri, "qemu:///system") == 0)
    return LM_VIRT_SCOPE_SYSTEM;
  return strcmp (uri, "qemu:///session") == 0 ? LM_VIRT_SCOPE_SESSION : LM_VIRT_SCOPE_OTHER;
}

gboolean
lm_virt_daemon_find (LmVirtScope scope, const char *run_dir, LmVirtDaemon *out_daemon, GError **error)
{
  g_return_val_if_fail (scope != LM_VIRT_SCOPE_OTHER, FALSE);
  g_autofree char *modular = g_build_filename (run_dir, "libvirt", "virtqemud-sock", NULL);
  const char *name = access (modular, F_OK) == 0 ? "virtqemud" : "libvirtd";
  g_autofree char *file = g_strconcat (name, ".pid", NULL);
  g_autofree char *path = g_build_filename (run_dir, scope == LM_VIRT_SCOPE_SESSION ? "libvirt" : ".", file, NULL);
  lm_autofd int fd = open (path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
  *out_daemon = (LmVirtDaemon){ .name = name };
  if (fd < 0)
    return errno == ENOENT || errno == ENOTDIR || lm_throw_errno (error, "cannot open %s", path);
  /* The daemon locks the first byte. */
  struct flock lock = { .l_type = F_RDLCK, .l_whence = SEEK_SET, .l_len = 1 };
  if (fcntl (fd, F_GETLK, &lock) < 0)
    return lm_throw_errno (error, "cannot examine the lock of %s", path);
  if (lock.l_type == F_UNLCK)
    return TRUE;
  out_daemon->running = TRUE;
  out_daemon->pid = lock.l_pid > 0 ? (gint) lock.l_pid : 0;
  out_daemon->started = lm_identity_of_fd (fd).mtime;
  return TRUE;
}

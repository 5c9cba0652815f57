/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/hook.h"
#include "base/error.h"
#include "base/file.h"
#include "base/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NAME "lamina"
#define MAX_SIZE (64 * 1024)
/* By the second line, files of all versions are recognized. exec saves a process for
 * each operation on each domain; if it fails, the script must succeed all the same,
 * which takes a trap in dash and execfail in bash. */
#define HEAD                                                                                                           \
  "#!/bin/sh\n"                                                                                                        \
  "# Created by \"lamina hook install\"; \"lamina hook remove\" removes it.\n"
#define BODY                                                                                                           \
  "[ -x \"$hook\" ] || exit 0\n"                                                                                       \
  "trap 'exit 0' EXIT\n"                                                                                               \
  "[ -z \"$BASH_VERSION\" ] || shopt -s execfail\n"                                                                    \
  "exec \"$hook\" \"$@\"\n"

G_DEFINE_QUARK (lm-hook-error-quark, lm_hook_error)

const char *
lm_hook_state_name (LmHookState state)
{
  static const char *const names[] = {
    [LM_HOOK_ABSENT] = "absent",   [LM_HOOK_FOREIGN] = "foreign", [LM_HOOK_BROKEN] = "broken", [LM_HOOK_UNSEEN] = "unseen",
    [LM_HOOK_STOPPED] = "stopped", [LM_HOOK_UNKNOWN] = "unknown", [LM_HOOK_ACTIVE] = "active",
  };
  return names[state];
}

void
lm_hook_status_free (LmHookStatus *status)
{
  if (status == NULL)
    return;
  g_free (status->path);
  g_free (status->text);
  g_free (status->command);
  g_free (status);
}

static char *
qemu_dir (const LmHookPlaces *places)
{
  return g_build_filename (places->dir, "qemu.d", NULL);
}

static char *
render_script (const LmHookPlaces *places)
{
  g_autofree char *quoted = g_shell_quote (places->program);
  return g_strconcat (HEAD "hook=", quoted, "\n" BODY, NULL);
}

/* Reads the script at @path: *out_text is NULL if there is no file, and
 * LM_HOOK_ERROR_FOREIGN is thrown if it is not lamina's. */
static gboolean
read_script (const char *path, char **out_text, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (GBytes) bytes = NULL;
  if (!g_file_test (path, G_FILE_TEST_IS_SYMLINK))
    {
      bytes = lm_file_read (path, MAX_SIZE, NULL, &failure);
      if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
        {
          *out_text = NULL;
          return TRUE;
        }
      if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED))
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return FALSE;
        }
    }
  gsize size = 0;
  const char *data = bytes != NULL ? g_bytes_get_data (bytes, &size) : NULL;
  if (size < strlen (HEAD) || memcmp (data, HEAD, strlen (HEAD)) != 0)
    return lm_throw (error, LM_HOOK_ERROR, LM_HOOK_ERROR_FOREIGN,
                     "%s was not created by lamina, so it is not changed; move it to another name there, and try again",
                     path);
  *out_text = g_strndup (data, size);
  return TRUE;
}

/* Written in the parent directory, in which libvirt runs no file of that name: a start
 * of a domain at this moment must not find a script that is open for writing. */
static gboolean
write_script (const LmHookPlaces *places, const char *path, const char *text, gboolean replace, GError **error)
{
  g_autofree char *dir = qemu_dir (places);
  g_autofree char *name = lm_file_temporary_name (NAME);
  g_autofree char *written = g_build_filename (places->dir, name, NULL);
  if (!lm_file_make_dir (dir, 0755, error) || !lm_file_write (written, text, strlen (text), 0755, error))
    return FALSE;
  gboolean done = replace ? rename (written, path) == 0 || lm_throw_errno (error, "cannot replace %s", path)
                          : lm_file_publish (AT_FDCWD, written, path, error);
  if (!done)
    (void) unlink (written);
  return done && lm_file_sync_dir (dir, error);
}

gboolean
lm_hook_install (const LmHookPlaces *places, gboolean *out_changed, GError **error)
{
  g_autofree char *dir = qemu_dir (places);
  g_autofree char *path = g_build_filename (dir, NAME, NULL);
  g_autofree char *text = render_script (places);
  g_autofree char *present = NULL;
  if (!read_script (path, &present, error))
    return FALSE;
  if (access (places->program, X_OK) < 0)
    return lm_throw_errno (error, "cannot run %s, which is part of lamina", places->program);
  gboolean same = g_strcmp0 (present, text) == 0 && access (path, X_OK) == 0;
  if (!same && !write_script (places, path, text, present != NULL, error))
    return FALSE;
  *out_changed = !same;
  return TRUE;
}

gboolean
lm_hook_remove (const LmHookPlaces *places, gboolean *out_removed, GError **error)
{
  g_autofree char *dir = qemu_dir (places);
  g_autofree char *path = g_build_filename (dir, NAME, NULL);
  g_autofree char *present = NULL;
  if (!read_script (path, &present, error))
    return FALSE;
  if (present != NULL && unlink (path) < 0)
    return lm_throw_errno (error, "cannot remove %s", path);
  *out_removed = present != NULL;
  return TRUE;
}

static guint64
changed_at (const char *path)
{
  struct stat st;
  return lstat (path, &st) == 0 ? lm_identity_of (&st).ctime : G_MAXUINT64;
}

/* Returns the hook other than lamina's that was there before @started; NULL if none. */
static char *
find_earlier_hook (const LmHookPlaces *places, guint64 started)
{
  g_autofree char *single = g_build_filename (places->dir, "qemu", NULL);
  if (access (single, X_OK) == 0 && changed_at (single) < started)
    return g_steal_pointer (&single);
  g_autofree char *dir = qemu_dir (places);
  g_autoptr (GPtrArray) names = lm_file_list_dir (dir, NULL);
  for (guint i = 0; names != NULL && i < names->len; i++)
    {
      g_autofree char *path = g_build_filename (dir, names->pdata[i], NULL);
      if (strcmp (names->pdata[i], NAME) != 0 && g_file_test (path, G_FILE_TEST_IS_REGULAR) && access (path, X_OK) == 0
          && changed_at (path) < started)
        return g_steal_pointer (&path);
    }
  return NULL;
}

G_GNUC_PRINTF (3, 4)
static void
set_state (LmHookStatus *status, LmHookState state, const char *format, ...)
{
  va_list arguments;
  va_start (arguments, format);
  status->state = state;
  status->text = g_strdup_vprintf (format, arguments);
  va_end (arguments);
}

/* Whether the file is what lm_hook_install() would create, and can be run. */
static gboolean
examine_file (const LmHookPlaces *places, LmHookStatus *status, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autofree char *text = render_script (places);
  g_autofree char *present = NULL;
  if (!read_script (status->path, &present, &failure))
    {
      if (failure->domain != LM_HOOK_ERROR)
        {
          g_propagate_error (error, g_steal_pointer (&failure));
          return FALSE;
        }
      set_state (status, LM_HOOK_FOREIGN, "%s was not created by lamina", status->path);
      status->command = g_strdup_printf ("mv %s %s.other && lamina hook install", status->path, status->path);
      return TRUE;
    }
  if (present == NULL)
    set_state (status, LM_HOOK_ABSENT, "it is not installed");
  else if (access (places->program, X_OK) < 0)
    set_state (status, LM_HOOK_BROKEN, "%s cannot be run: %s", places->program, g_strerror (errno));
  else if (strcmp (present, text) != 0)
    set_state (status, LM_HOOK_BROKEN, "%s was created by another version or installation of lamina", status->path);
  else if (access (status->path, X_OK) < 0)
    set_state (status, LM_HOOK_BROKEN, "%s cannot be run: %s", status->path, g_strerror (errno));
  else
    return TRUE;
  status->command = g_strdup ("lamina hook install");
  return TRUE;
}

gboolean
lm_hook_find_daemon (const LmHookPlaces *places, LmVirtScope scope, LmVirtDaemon *out_daemon, GError **error)
{
  return lm_virt_daemon_find (scope, scope == LM_VIRT_SCOPE_SYSTEM ? places->run_dir : places->user_run_dir, out_daemon, error);
}

char *
lm_hook_service (const LmHookPlaces *places, const char *verb, const char *name)
{
  g_autofree char *systemd = g_build_filename (places->run_dir, "systemd", "system", NULL);
  return g_file_test (systemd, G_FILE_TEST_IS_DIR) ? g_strdup_printf ("systemctl %s %s", verb, name)
                                                   : g_strdup_printf ("service %s %s", name, verb);
}

/* Guests keep running in either case; a user's daemon is started by the next connection. */
static char *
restart_command (const LmHookPlaces *places, LmVirtScope scope, const LmVirtDaemon *daemon)
{
  if (scope == LM_VIRT_SCOPE_SYSTEM)
    return lm_hook_service (places, "restart", daemon->name);
  return daemon->pid > 0 ? g_strdup_printf ("kill %d", daemon->pid) : NULL;
}

/* Whether the daemon knows that there are hooks. */
static gboolean
examine_daemon (const LmHookPlaces *places, LmVirtScope scope, LmHookStatus *status, GError **error)
{
  LmVirtDaemon *daemon = &status->daemon;
  if (!lm_hook_find_daemon (places, scope, daemon, error))
    return FALSE;
  if (!daemon->running)
    {
      set_state (status, LM_HOOK_STOPPED, "%s is not running; it will run the hook once it is", daemon->name);
      return TRUE;
    }
  g_autofree char *earlier = find_earlier_hook (places, daemon->started);
  if (changed_at (status->path) < daemon->started)
    set_state (status, LM_HOOK_ACTIVE, "%s was started after it was installed", daemon->name);
  else if (earlier != NULL)
    set_state (status, LM_HOOK_ACTIVE, "%s found %s when it started, and looks for other hooks at each call", daemon->name,
               earlier);
  else
    {
      set_state (status, LM_HOOK_UNSEEN,
                 "%s was started before it was installed, and does not look for it unless it is restarted or reloaded",
                 daemon->name);
      status->command = restart_command (places, scope, daemon);
    }
  return TRUE;
}

LmHookStatus *
lm_hook_examine (const LmHookPlaces *places, LmVirtScope scope, GError **error)
{
  g_autoptr (LmHookStatus) status = g_new0 (LmHookStatus, 1);
  g_autofree char *dir = qemu_dir (places);
  status->path = g_build_filename (dir, NAME, NULL);
  if (!examine_file (places, status, error))
    return NULL;
  if (status->text != NULL)
    return g_steal_pointer (&status);
  if (scope == LM_VIRT_SCOPE_OTHER)
    {
      set_state (status, LM_HOOK_UNKNOWN,
                 "it is installed on this host; for a connection other than qemu:///system and qemu:///session it cannot be "
                 "determined whether libvirt runs it");
      return g_steal_pointer (&status);
    }
  return examine_daemon (places, scope, status, error) ? g_steal_pointer (&status) : NULL;
}

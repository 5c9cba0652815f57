/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks of who may do what: the state directory, AppArmor, SELinux, the hook. */
#include "config.h"
#include "base/file.h"
#include "base/state-dir.h"
#include "doctor/check.h"
#include "ops/emulator.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define MAX_TEXT (1024 * 1024)
#define MAX_LABEL 4096
/* With the user's home directory: what libvirt's policy lets QEMU search and read. */
static const char *const selinux_types[]
  = { "virt_image_t", "virt_content_t", "svirt_image_t", "virt_var_lib_t", "svirt_home_t", "virt_home_t", NULL };

/* Checks one directory; FALSE if it was found wanting. */
static gboolean
check_directory (LmDoctor *doctor, const char *name)
{
  g_autofree char *path = lm_check_directory (doctor, name);
  struct stat st;
  if ((name != NULL ? lstat (path, &st) : stat (path, &st)) < 0)
    {
      if (errno == ENOENT)
        return TRUE;
      lm_check_add (doctor, LM_DIAGNOSIS_ERROR, NULL, "%s cannot be examined: %s", path, g_strerror (errno));
      return FALSE;
    }
  if (!S_ISDIR (st.st_mode))
    lm_check_add (doctor, LM_DIAGNOSIS_ERROR, NULL, "%s is not a directory; move it away", path);
  else if (st.st_uid != geteuid () && st.st_uid != 0)
    {
      g_autofree char *program = g_strdup_printf ("chown %u", (guint) geteuid ());
      lm_check_add (doctor, LM_DIAGNOSIS_ERROR, lm_check_quote (program, path),
                    "%s belongs to user %u, so what is in it is not trusted; look at it first", path, (guint) st.st_uid);
    }
  else if ((st.st_mode & (S_IWGRP | S_IWOTH)) != 0)
    lm_check_add (doctor, LM_DIAGNOSIS_ERROR, lm_check_quote ("chmod go-w", path),
                  "%s is writable by others, so what is in it is not trusted; look at it first", path);
  else
    return TRUE;
  return FALSE;
}

void
lm_check_state_dir (LmDoctor *doctor)
{
  static const char *const names[] = { NULL, "layers", "blobs", "partial", "verified", "machines", "catalogs" };
  const char *dir = doctor->host->state_dir;
  gboolean good = TRUE;
  for (gsize i = 0; i < G_N_ELEMENTS (names); i++)
    good = check_directory (doctor, names[i]) && good;
  if (faccessat (AT_FDCWD, dir, W_OK, AT_EACCESS) < 0 && errno == EROFS)
    {
      good = FALSE;
      lm_check_add (doctor, LM_DIAGNOSIS_ERROR, NULL,
                    "%s is on a file system that is mounted read-only, perhaps after an error of the disk; nothing can be pulled "
                    "or created there", dir);
    }
  if (good)
    lm_check_add (doctor, LM_DIAGNOSIS_OK, NULL, "%s %s", dir,
                  g_file_test (dir, G_FILE_TEST_EXISTS) ? "belongs to a trusted user only" : "does not exist yet");
}

void
lm_check_access (LmDoctor *doctor)
{
  guint uid;
  g_autofree char *path = g_build_filename (doctor->host->state_dir, "layers", "layer", NULL);
  if (doctor->scope != LM_VIRT_SCOPE_SYSTEM)
    lm_check_add (doctor, LM_DIAGNOSIS_OK, NULL, "not examined: only on qemu:///system QEMU runs as another user");
  else if (doctor->virt == NULL || !lm_emulator_user (doctor->virt, &uid))
    lm_check_add (doctor, LM_DIAGNOSIS_WARNING, NULL, "it cannot be determined as which user libvirt runs QEMU");
  else if (uid == 0)
    lm_check_add (doctor, LM_DIAGNOSIS_OK, NULL, "QEMU runs as root");
  else
    {
      const struct passwd *user = getpwuid (uid);
      const char *name = user != NULL ? user->pw_name : "QEMU's user";
      g_autofree char *closed = lm_file_find_closed_dir (path, uid);
      if (closed == NULL)
        lm_check_add (doctor, LM_DIAGNOSIS_OK, NULL, "%s, the user that QEMU runs as, can reach the layers", name);
      else
        lm_check_add (doctor, LM_DIAGNOSIS_ERROR, lm_check_quote ("chmod o+x", closed),
                      "%s, the user that QEMU runs as, cannot search %s", name, closed);
    }
}

/* Returns the text of a small file, whose size may be given as 0; NULL if it cannot be read. */
static char *
read_text (const char *path)
{
  g_autoptr (GBytes) bytes = lm_file_read (path, MAX_TEXT, NULL, NULL);
  gsize size;
  const char *data = bytes != NULL ? g_bytes_get_data (bytes, &size) : NULL;
  return bytes != NULL ? g_strndup (data, size) : NULL;
}

/* The command that adds the shipped rule to the local rules of the profile @name. */
static char *
add_rule (const LmDoctor *doctor, const char *name)
{
  g_autofree char *rule = g_build_filename (doctor->places->rules_dir, "apparmor", "libvirtd", NULL);
  g_autofree char *local = g_build_filename (doctor->places->apparmor_dir, "local", name, NULL);
  g_autofree char *profile = g_build_filename (doctor->places->apparmor_dir, name, NULL);
  return g_strdup_printf ("cat %s >>%s && apparmor_parser -r %s", rule, local, profile);
}

void
lm_check_apparmor (LmDoctor *doctor)
{
  LmVirtDaemon daemon = { .name = NULL };
  const LmDoctorPlaces *places = doctor->places;
  if (doctor->scope == LM_VIRT_SCOPE_OTHER || !lm_hook_find_daemon (&places->hook, doctor->scope, &daemon, NULL)
      || !daemon.running || daemon.pid == 0)
    {
      lm_check_add (doctor, LM_DIAGNOSIS_OK, NULL, "not examined: the process of libvirt is not on this host or not known");
      return;
    }
  g_autofree char *pid = g_strdup_printf ("%d", daemon.pid);
  g_autofree char *path = g_build_filename (places->proc_dir, pid, "attr", "current", NULL);
  g_autofree char *label = read_text (path);
  /* "libvirtd (enforce)"; with SELinux, the file has its context. */
  if (label == NULL || strstr (label, "(enforce)") == NULL)
    {
      lm_check_add (doctor, LM_DIAGNOSIS_OK, NULL, "%s is not confined by AppArmor", daemon.name);
      return;
    }
  g_autofree char *name = g_strconcat ("usr.sbin.", daemon.name, NULL);
  g_autofree char *local = g_build_filename (places->apparmor_dir, "local", name, NULL);
  g_autofree char *rules = read_text (local);
  g_autofree char *dir = g_path_get_dirname (places->hook.program);
  if (rules != NULL && strstr (rules, dir) != NULL)
    lm_check_add (doctor, LM_DIAGNOSIS_OK, NULL, "AppArmor confines %s; %s has a rule for lamina's hook", daemon.name, local);
  else
    lm_check_add (doctor, LM_DIAGNOSIS_WARNING, add_rule (doctor, name),
                  "AppArmor confines %s, and %s has no rule that lets it run lamina's hook", daemon.name, local);
}

void
lm_check_selinux (LmDoctor *doctor)
{
  char label[MAX_LABEL + 1];
  const char *dir = doctor->host->state_dir;
  g_autofree char *path = g_build_filename (doctor->places->sys_dir, "fs", "selinux", "enforce", NULL);
  g_autofree char *enforce = read_text (path);
  ssize_t size = getxattr (dir, "security.selinux", label, MAX_LABEL);
  if (enforce == NULL || enforce[0] != '1' || size < 0)
    {
      lm_check_add (doctor, LM_DIAGNOSIS_OK, NULL, "SELinux does not restrict access to %s", dir);
      return;
    }
  label[size] = '\0';
  g_auto (GStrv) parts = g_strsplit (label, ":", 4); /* user:role:type:level */
  const char *type = g_strv_length (parts) > 2 ? parts[2] : "";
  if (g_strv_contains (selinux_types, type))
    lm_check_add (doctor, LM_DIAGNOSIS_OK, NULL, "%s has the SELinux type %s", dir, type);
  else
    lm_check_add (doctor, LM_DIAGNOSIS_WARNING,
                  g_strdup_printf ("semanage fcontext -a -t virt_image_t '%s(/.*)?' && semanage fcontext -a -t virt_content_t "
                                   "'%s/(layers|blobs|partial)(/.*)?' && restorecon -R %s", dir, dir, dir),
                  "%s has the SELinux type %s, which QEMU may not be allowed to read", dir, type);
}

void
lm_check_hook (LmDoctor *doctor)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmHookStatus) status = lm_hook_examine (&doctor->places->hook, doctor->scope, &error);
  if (status == NULL)
    lm_check_add (doctor, LM_DIAGNOSIS_WARNING, NULL, "%s", error->message);
  else if (status->state >= LM_HOOK_STOPPED)
    lm_check_add (doctor, LM_DIAGNOSIS_OK, NULL, "the hook is installed: %s", status->text);
  else
    lm_check_add (doctor, LM_DIAGNOSIS_WARNING, g_steal_pointer (&status->command),
                  "libvirt does not run the hook, so virsh start pulls no missing layers: %s", status->text);
}

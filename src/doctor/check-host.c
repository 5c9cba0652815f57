/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Checks of what the host provides: settings, KVM, libvirt, programs, disk space. */
#include "config.h"
#include "base/file.h"
#include "base/kvm.h"
#include "base/size.h"
#include "doctor/check.h"
#include "ops/emulator.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#define MAX_TEXT (4 * 1024 * 1024)
/* Less free space than this is worth mentioning; with less than the second, nothing works. */
#define LITTLE_SPACE LM_SIZE_GIB
#define NO_SPACE (64 * LM_SIZE_MIB)

static guint
add_setting_texts (LmDoctor *doctor, const GPtrArray *texts, LmDiagnosisLevel level, const char *effect)
{
  const guint count = texts != NULL ? texts->len : 0;
  for (guint i = 0; i < count; i++)
    lm_check_add (doctor, level, NULL, "%s%s", (const char *) texts->pdata[i], effect);
  return count;
}

void
lm_check_settings (LmDoctor *doctor)
{
  const LmDoctorPlaces *places = doctor->places;
  const guint count = add_setting_texts (doctor, places->setting_problems, LM_DIAGNOSIS_ERROR,
                                         " (nothing else works before that is mended; it is left out here)")
                      + add_setting_texts (doctor, places->setting_warnings, LM_DIAGNOSIS_WARNING, "");
  if (count == 0)
    lm_check_add (doctor, LM_DIAGNOSIS_OK, NULL, "the configuration can be read, and its values are possible");
}

/* Whether a word of /proc/cpuinfo is one of @words. */
static gboolean
cpu_has (const LmDoctor *doctor, const char *const *words)
{
  g_autofree char *path = g_build_filename (doctor->places->proc_dir, "cpuinfo", NULL);
  g_autoptr (GBytes) bytes = lm_file_read (path, MAX_TEXT, NULL, NULL);
  gsize size = 0;
  const char *data = bytes != NULL ? g_bytes_get_data (bytes, &size) : NULL;
  g_autofree char *text = g_strndup (size > 0 ? data : "", size);
  g_auto (GStrv) found = g_strsplit_set (text, " \t\n", -1);
  for (char **word = found; *word != NULL; word++)
    if (g_strv_contains (words, *word))
      return TRUE;
  return FALSE;
}

static void
add_no_kvm (LmDoctor *doctor)
{
  const char *device = doctor->places->kvm_device;
  const char *slow = "so machines are emulated, which is several times slower";
  if (cpu_has (doctor, (const char *const[]){ "vmx", NULL }))
    lm_check_add (doctor, LM_DIAGNOSIS_WARNING, g_strdup ("modprobe kvm_intel"), "there is no %s, %s", device, slow);
  else if (cpu_has (doctor, (const char *const[]){ "svm", NULL }))
    lm_check_add (doctor, LM_DIAGNOSIS_WARNING, g_strdup ("modprobe kvm_amd"), "there is no %s, %s", device, slow);
  else if (cpu_has (doctor, (const char *const[]){ "hypervisor", NULL }))
    lm_check_add (doctor, LM_DIAGNOSIS_WARNING, NULL,
                  "there is no %s, %s; this host is a virtual machine without nested virtualization, which can be switched "
                  "on only outside", device, slow);
  else
    lm_check_add (doctor, LM_DIAGNOSIS_WARNING, NULL,
                  "there is no %s, %s; the processor does not offer virtualization, or the firmware has switched it off",
                  device, slow);
}

static gboolean
is_member (const struct passwd *user, gid_t group)
{
  gid_t groups[256];
  int count = G_N_ELEMENTS (groups);
  if (getgrouplist (user->pw_name, user->pw_gid, groups, &count) < 0)
    return TRUE; /* in more than fit: not known */
  for (int i = 0; i < count; i++)
    if (groups[i] == group)
      return TRUE;
  return FALSE;
}

/* Whether the user that the system's libvirt runs QEMU as may open the device, if that
 * user is known. */
static gboolean
may_qemu_open (const LmDoctor *doctor, const struct passwd **out_user)
{
  guint uid;
  struct stat st;
  if (doctor->scope != LM_VIRT_SCOPE_SYSTEM || doctor->virt == NULL || !lm_emulator_user (doctor->virt, &uid) || uid == 0
      || stat (doctor->places->kvm_device, &st) < 0 || st.st_uid == uid || (st.st_mode & (S_IROTH | S_IWOTH)) == (S_IROTH | S_IWOTH))
    return TRUE;
  *out_user = getpwuid (uid);
  return *out_user == NULL
         || ((st.st_mode & (S_IRGRP | S_IWGRP)) == (S_IRGRP | S_IWGRP) && is_member (*out_user, st.st_gid));
}

/* The command that makes emulation the choice. */
static char *
choose_emulation (const LmDoctor *doctor)
{
  g_autofree char *dir = g_path_get_dirname (doctor->places->config_file);
  g_autofree char *make = lm_check_quote ("mkdir -p", dir);
  g_autofree char *append = lm_check_quote (">>", doctor->places->config_file);
  return g_strdup_printf ("%s && printf '[lamina]\\nvirt-type=qemu\\n' %s", make, append);
}

void
lm_check_kvm (LmDoctor *doctor)
{
  const char *device = doctor->places->kvm_device;
  const struct passwd *user = NULL;
  g_autofree char *join = lm_check_quote ("usermod -aG kvm", g_get_user_name ());
  if (doctor->host->uri != NULL && !lm_virt_uri_is_local (doctor->host->uri))
    {
      lm_check_add (doctor, LM_DIAGNOSIS_OK, NULL, "not examined: the machines are on another host");
      return;
    }
  if (g_strcmp0 (doctor->places->virt_type, "qemu") == 0)
    {
      lm_check_add (doctor, LM_DIAGNOSIS_OK, NULL, "not used: virt-type is qemu");
      return;
    }
  switch (lm_kvm_probe (device))
    {
    case LM_KVM_ABSENT:
      add_no_kvm (doctor);
      break;
    case LM_KVM_DENIED:
      lm_check_add (doctor, LM_DIAGNOSIS_WARNING, g_steal_pointer (&join),
                    "%s may not use %s, so machines are emulated, which is several times slower", g_get_user_name (), device);
      break;
    case LM_KVM_BROKEN:
      lm_check_add (doctor, LM_DIAGNOSIS_ERROR, choose_emulation (doctor),
                    "%s can be opened, but a guest does not run with it; libvirt nevertheless offers it", device);
      break;
    case LM_KVM_EMULATED:
      lm_check_add (doctor, LM_DIAGNOSIS_ERROR, choose_emulation (doctor),
                    "%s can be opened, but executes guests in software, so slowly that they seem to hang; libvirt nevertheless "
                    "offers it", device);
      break;
    case LM_KVM_GOOD:
      if (may_qemu_open (doctor, &user))
        lm_check_add (doctor, LM_DIAGNOSIS_OK, NULL, "%s runs guests", device);
      else
        {
          g_autofree char *chmod = lm_check_quote ("chmod 0660", device);
          g_autofree char *chgrp = lm_check_quote ("chgrp kvm", device);
          lm_check_add (doctor, LM_DIAGNOSIS_ERROR, g_strdup_printf ("%s && %s", chgrp, chmod),
                        "%s runs guests, but %s, the user that QEMU runs as, may not open it", device, user->pw_name);
        }
      break;
    }
}

void
lm_check_libvirt (LmDoctor *doctor)
{
  if (doctor->virt != NULL)
    {
      lm_check_add (doctor, LM_DIAGNOSIS_OK, NULL, "%s answers", lm_virt_uri (doctor->virt));
      return;
    }
  char *command = NULL;
  LmVirtDaemon daemon = { .name = "libvirtd" };
  if (doctor->scope == LM_VIRT_SCOPE_SYSTEM && lm_hook_find_daemon (&doctor->places->hook, doctor->scope, &daemon, NULL)
      && !daemon.running)
    command = lm_hook_service (&doctor->places->hook, "start", daemon.name);
  else if (doctor->scope == LM_VIRT_SCOPE_SYSTEM && geteuid () != 0)
    command = lm_check_quote ("usermod -aG libvirt", g_get_user_name ());
  lm_check_add (doctor, LM_DIAGNOSIS_ERROR, command, "%s", doctor->virt_error->message);
}

/* The command that installs a package with this host's package manager. */
static char *
install_command (const char *debian, const char *fedora)
{
  g_autofree char *apt = g_find_program_in_path ("apt-get");
  g_autofree char *dnf = g_find_program_in_path ("dnf");
  if (apt != NULL)
    return g_strconcat ("apt-get install ", debian, NULL);
  return dnf != NULL ? g_strconcat ("dnf install ", fedora, NULL) : NULL;
}

void
lm_check_programs (LmDoctor *doctor)
{
  static const struct
  {
    const char *name, *purpose, *debian, *fedora;
    LmDiagnosisLevel level;
  } programs[] = {
    { "qemu-img", "disks of machines cannot be created", "qemu-utils", "qemu-img", LM_DIAGNOSIS_ERROR },
    { "xorriso", "--cloud-init cannot be used", "xorriso", "xorriso", LM_DIAGNOSIS_WARNING },
  };
  gboolean complete = TRUE;
  for (gsize i = 0; i < G_N_ELEMENTS (programs); i++)
    {
      g_autofree char *path = g_find_program_in_path (programs[i].name);
      if (path != NULL)
        continue;
      complete = FALSE;
      lm_check_add (doctor, programs[i].level, install_command (programs[i].debian, programs[i].fedora),
                    "%s is not installed, so %s", programs[i].name, programs[i].purpose);
    }
  if (complete)
    lm_check_add (doctor, LM_DIAGNOSIS_OK, NULL, "qemu-img and xorriso are installed");
}

void
lm_check_space (LmDoctor *doctor)
{
  const char *dir = doctor->host->state_dir;
  g_autoptr (GError) error = NULL;
  g_autoptr (LmCache) cache = lm_cache_open_readonly (dir, NULL, &error);
  if (cache == NULL || lm_cache_get_fd (cache) < 0)
    {
      lm_check_add (doctor, LM_DIAGNOSIS_OK, NULL, "not examined: %s", error != NULL ? error->message : "there is no cache yet");
      return;
    }
  struct statvfs st;
  const gboolean full = fstatvfs (lm_cache_get_fd (cache), &st) == 0 && st.f_files > 0 && st.f_favail == 0;
  const guint64 wanted = MAX (doctor->host->min_free, LITTLE_SPACE);
  g_autofree char *size = lm_size_format (wanted);
  if (full)
    lm_check_add (doctor, LM_DIAGNOSIS_ERROR, g_strdup ("lamina cache gc"),
                  "no file can be created: the file system of %s has no free inode, whatever space is free", dir);
  else if (!lm_cache_check_space (cache, NO_SPACE, &error))
    lm_check_add (doctor, LM_DIAGNOSIS_ERROR, g_strdup ("lamina cache gc"), "no space is left: %s", error->message);
  else if (!lm_cache_check_space (cache, wanted, &error))
    lm_check_add (doctor, LM_DIAGNOSIS_WARNING, g_strdup ("lamina cache gc"), "little space is left: %s", error->message);
  else
    lm_check_add (doctor, LM_DIAGNOSIS_OK, NULL, "%s has at least %s free", dir, size);
}

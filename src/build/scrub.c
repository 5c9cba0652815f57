/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "build/scrub.h"

#include <string.h>

/* After the operations of virt-sysprep(1), named in the comments, and systemd's document "Building
 * Images Safely" (systemd.io/BUILDING_IMAGES). */
static const char *const removed[] = {
  /* Package managers: caches and lists can be had again (package-manager-cache); backup files of
   * databases say what has just been changed. */
  "/var/cache/apt/archives/*.deb",
  "/var/cache/apt/archives/partial/*",
  "/var/cache/apt/*.bin",
  "/var/lib/apt/lists/*",
  "/var/lib/dpkg/*-old",
  "/var/backups/*",
  "/var/cache/debconf/*-old",
  "/var/cache/dnf/*",
  "/var/cache/yum/*",
  "/var/cache/zypp/*",
  "/var/lib/rpm/__db.*", /* rpm-db */
  "/etc/*-",             /* passwd-backups */
  "/var/cache/ldconfig/aux-cache",
  /* Logs (logfiles), crash reports (crash-data), mail and jobs (mail-spool, cron-spool). */
  "/var/log/*.gz",
  "/var/log/*.[0-9]",
  "/var/log/*/*.gz",
  "/var/log/*/*.[0-9]",
  "/var/log/journal/*",
  "/var/crash/*",
  "/var/lib/systemd/coredump/*",
  "/var/spool/mail/*",
  "/var/mail/*",
  /* What makes a machine one of its own (machine-id, ssh-hostkeys, and the section "Per-instance
   * state" of the document). */
  "/var/lib/dbus/machine-id",
  "/etc/ssh/ssh_host_*_key",
  "/etc/ssh/ssh_host_*_key.pub",
  "/var/lib/systemd/random-seed",
  "/var/lib/urandom/random-seed",
  "/var/lib/systemd/credential.secret",
  "/boot/loader/random-seed",
  "/efi/loader/random-seed",
  /* Leases, and what cloud-init did (dhcp-client-state, net-hwaddr, customize). */
  "/var/lib/dhcp/*.leases*",
  "/var/lib/dhclient/*",
  "/var/lib/NetworkManager/*.lease",
  "/var/lib/NetworkManager/secret_key",
  "/var/lib/cloud/instance",
  "/var/lib/cloud/instances/*",
  "/var/lib/cloud/data/*",
  "/var/lib/cloud/sem/*",
  /* Histories and temporary files (bash-history, tmp-files). What is in /run only while the system
   * runs was left there by scripts of packages. */
  "/root/.*_history",
  "/home/*/.*_history",
  "/root/.lesshst",
  "/root/.viminfo",
  "/tmp/*",
  "/tmp/.[!.]*",
  "/var/tmp/*",
  "/var/tmp/.[!.]*",
  "/run/*",
};

/* Of logs the files stay, because services that do not run as root could not create theirs. An
 * empty machine-id is filled at the next boot. */
static const char *const emptied[] = { "/var/log", "/etc/machine-id" };

/* Debian makes the host keys when openssh-server is installed, and never again; without any, sshd
 * does not start. The unit belongs to no target: the drop-ins of ssh.service and of ssh@.service,
 * which ssh.socket starts, ask for it. cloud-init makes keys only if it finds a seed, and earlier. */
#define KEYS_UNIT "lamina-ssh-host-keys.service"
static const char keys_unit[] = "# Written by lamina: a layer has no host keys, each machine makes its own.\n"
                                "[Unit]\n"
                                "Description=Create the SSH host keys of this machine\n"
                                "ConditionPathExistsGlob=!/etc/ssh/ssh_host_*_key\n"
                                "After=cloud-init.service cloud-init-network.service\n"
                                "Before=ssh.service\n"
                                "\n"
                                "[Service]\n"
                                "Type=oneshot\n"
                                "RemainAfterExit=yes\n"
                                "ExecStart=/usr/bin/ssh-keygen -A\n";
static const char keys_drop_in[] = "[Unit]\nWants=" KEYS_UNIT "\nAfter=" KEYS_UNIT "\n";

static const char *const keys_drop_in_dirs[] = { "/etc/systemd/system/ssh.service.d", "/etc/systemd/system/ssh@.service.d" };

/* Units of other distributions that make host keys. */
static const char *const key_makers[] = { "/usr/lib/systemd/system/sshd-keygen@.service", "/usr/lib/systemd/system/sshd-keygen.service",
                                          "/usr/lib/systemd/system/sshdgenkeys.service" };

static void
only_if_keys_are_needed (LmAppliance *job)
{
  /* The name that Debian gives the unit of sshd. */
  lm_appliance_only_if (job, "/usr/lib/systemd/system/ssh.service");
  for (gsize i = 0; i < G_N_ELEMENTS (key_makers); i++)
    lm_appliance_unless (job, key_makers[i]);
}

void
lm_scrub_append (LmAppliance *job)
{
  static const char keys_label[] = "providing for new SSH host keys";
  lm_appliance_add_remove (job, "removing what a layer must not have", removed[0]);
  for (gsize i = 1; i < G_N_ELEMENTS (removed); i++)
    lm_appliance_also (job, removed[i]);
  lm_appliance_add_truncate (job, "emptying logs and the machine's identity", emptied[0]);
  for (gsize i = 1; i < G_N_ELEMENTS (emptied); i++)
    lm_appliance_also (job, emptied[i]);
  lm_appliance_add_write (job, keys_label, "/etc/systemd/system/" KEYS_UNIT, keys_unit,
                          strlen (keys_unit), 0644);
  only_if_keys_are_needed (job);
  for (gsize i = 0; i < G_N_ELEMENTS (keys_drop_in_dirs); i++)
    {
      g_autofree char *path = g_build_filename (keys_drop_in_dirs[i], "lamina-host-keys.conf", NULL);
      lm_appliance_add_mkdir (job, keys_label, keys_drop_in_dirs[i], 0755);
      only_if_keys_are_needed (job);
      lm_appliance_add_write (job, keys_label, path, keys_drop_in, strlen (keys_drop_in), 0644);
      only_if_keys_are_needed (job);
    }
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "author/builder-disk.h"
#include "author/builder-tree.h"
#include "author/guest.h"
#include "base/error.h"
#include "base/file.h"
#include "base/size.h"
#include "build/packages.h"
#include "build/scrub.h"
#include "image/delta.h"
#include "image/foreign.h"

#include <string.h>

#define GUEST_DIR "/var/cache/lamina-build"
#define LABEL_SIZE 60
#define BOOT_FILE_MAX LM_SIZE_GIB

static const char read_names[] = "cd " GUEST_DIR "\nread -r removed <removed\nread -r automatic <automatic\n";

/* The package manager of the guest orders the packages and runs their scripts. What is not wanted
 * for itself counts as installed automatically, so that "apt autoremove" knows it. */
static const char install_debian[] =
  "if command -v apt-get >/dev/null; then\n"
  "  apt-get -y -q --no-install-recommends --allow-downgrades -o APT::Sandbox::User=root -o Dpkg::Use-Pty=0"
  " -o Dpkg::Options::=--force-confold -o Dpkg::Options::=--force-unsafe-io install ./*.deb $removed\n"
  "  [ -z \"$automatic\" ] || apt-mark -q auto $automatic >/dev/null\n"
  "else\n"
  "  [ -z \"$removed\" ] || dpkg --remove $(echo \" $removed\" | sed 's/- / /g; s/-$//')\n"
  "  dpkg --force-confold --force-unsafe-io --unpack ./*.deb\n"
  "  dpkg --force-confold --force-unsafe-io --configure --pending\n"
  "fi\n";

static const char install_rpm[] =
  "[ -z \"$removed\" ] || rpm -e $removed\n"
  "if command -v dnf >/dev/null; then\n"
  "  dnf -y -q --disablerepo='*' --setopt=install_weak_deps=False install ./*.rpm\n"
  "else\n"
  "  rpm -U ./*.rpm\n"
  "fi\n";

static gboolean
is_rpm (const LmLockedPackage *package)
{
  return g_str_has_suffix (package->blob.urls[0], ".rpm");
}

/* Names as words of the shell; lm_recipe_lock_check() leaves no characters that would need quotes. Together
 * they may be too long for a script. */
static void
add_names (LmAppliance *job, const char *label, const char *file, const char *const *names, const char *suffix)
{
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; names[i] != NULL; i++)
    g_string_append_printf (text, "%s%s%s", i > 0 ? " " : "", names[i], suffix);
  g_string_append_c (text, '\n');
  lm_appliance_add_write (job, label, file, text->str, text->len, 0644);
}

/* Whether the recipe asks for the package by its name. */
static gboolean
is_wanted (const LmRecipe *recipe, const char *name)
{
  const gsize length = strlen (name);
  for (char **wanted = recipe->packages; *wanted != NULL; wanted++)
    if (strncmp (*wanted, name, length) == 0 && strchr ("= <>", (*wanted)[length]) != NULL)
      return TRUE;
  return FALSE;
}

static void
add_packages (LmAppliance *job, const LmBuilderDisk *build)
{
  const GPtrArray *packages = build->lock->packages;
  g_autoptr (GPtrArray) automatic = g_ptr_array_new ();
  g_autofree char *copy = g_strdup_printf ("copying %u package%s", packages->len, packages->len == 1 ? "" : "s");
  g_autofree char *install = g_strdup_printf ("installing %u package%s", packages->len, packages->len == 1 ? "" : "s");
  if (packages->len == 0 && build->lock->removed[0] == NULL)
    return;
  const gboolean rpm = packages->len > 0 && is_rpm (g_ptr_array_index (packages, 0));
  lm_appliance_add_mkdir (job, copy, GUEST_DIR, 0755);
  for (guint i = 0; i < packages->len; i++)
    {
      const LmLockedPackage *package = g_ptr_array_index (packages, i);
      g_autofree char *from = lm_cache_get_path (build->cache, LM_BLOB_FILE, &package->blob.digest);
      g_autofree char *to = g_strdup_printf (GUEST_DIR "/%s_%s.%s", package->name, package->architecture, rpm ? "rpm" : "deb");
      lm_appliance_add_upload (job, copy, from, to, 0644);
      if (!is_wanted (build->recipe, package->name))
        g_ptr_array_add (automatic, package->name);
    }
  g_ptr_array_add (automatic, NULL);
  add_names (job, copy, GUEST_DIR "/removed", (const char *const *) build->lock->removed, rpm ? "" : "-");
  add_names (job, copy, GUEST_DIR "/automatic", (const char *const *) automatic->pdata, "");
  g_autofree char *script = g_strconcat (read_names, rpm ? install_rpm : install_debian, NULL);
  lm_appliance_add_run (job, install, script);
  lm_appliance_add_remove (job, "removing copied packages", GUEST_DIR);
}

static void
add_payload (LmAppliance *job, const GPtrArray *payload)
{
  for (guint i = 0; i < payload->len; i++)
    {
      static const char label[] = "copying files";
      const LmPayloadItem *item = g_ptr_array_index (payload, i);
      g_autofree char *parent = g_path_get_dirname (item->to);
      if (item->is_dir)
        {
          lm_appliance_add_mkdir (job, label, item->to, item->mode);
          continue;
        }
      if (strcmp (parent, "/") != 0)
        lm_appliance_add_mkdir (job, label, parent, 0755);
      if (item->copy != NULL)
        lm_appliance_add_upload (job, label, item->copy, item->to, item->mode);
      else
        lm_appliance_add_write (job, label, item->to, g_bytes_get_data (item->content, NULL), g_bytes_get_size (item->content),
                                item->mode);
    }
}

static void
add_commands (LmAppliance *job, const LmRecipe *recipe)
{
  for (char **command = recipe->commands; *command != NULL; command++)
    {
      const glong length = g_utf8_strlen (*command, (gssize) strcspn (*command, "\n"));
      g_autofree char *line = g_utf8_substring (*command, 0, MIN (LABEL_SIZE, length));
      g_autofree char *label = g_strdup_printf ("running: %s%s", line, strlen (line) < strlen (*command) ? " ..." : "");
      lm_appliance_add_run (job, label, *command);
    }
  if (*recipe->services != NULL)
    {
      g_autofree char *words = g_strjoinv ("' '", recipe->services);
      g_autofree char *script = g_strdup_printf ("systemctl enable '%s'", words);
      lm_appliance_add_run (job, "enabling services", script);
    }
}

/* ---- a base */

/* The file system has this label in all layouts. Without partitions it can grow with the disk. */
static const char fstab_whole[] = "LABEL=root / ext4 defaults,x-systemd.growfs 0 1\n";
static const char fstab_bios[] = "LABEL=root / ext4 defaults 0 1\n";
static const char fstab_uefi[] = "LABEL=root / ext4 defaults 0 1\nLABEL=ESP /boot/efi vfat umask=0077 0 1\n";

/* The graphical terminal, which is GRUB's default, waits for ever on a machine without a screen. */
static const char grub_settings[]
  = "# Written by lamina\nGRUB_TIMEOUT=0\nGRUB_TERMINAL=console\nGRUB_DISABLE_OS_PROBER=true\n";

static const char install_grub[] = "command -v grub-install >/dev/null && command -v update-grub >/dev/null"
                                   " || { echo 'there is no GRUB: the recipe needs the package '$package; exit 1; }\n"
                                   "grub-install $target\n"
                                   "update-grub\n";

/* Takes the kernel away, which is not read from the disk: what the links of Debian name, or else the newest. */
static const char take_kernel[]
  = "kernel=$(readlink -f /vmlinuz /boot/vmlinuz | head -n 1)\n"
    "[ -f \"$kernel\" ] || kernel=$(ls -1v /boot/vmlinuz-* 2>/dev/null | tail -n 1)\n"
    "[ -f \"$kernel\" ] || { echo 'there is no kernel in /boot: the recipe needs a package such as linux-image-amd64'; exit 1; }\n"
    "version=${kernel##*/vmlinuz-}\n"
    "mkdir -p " GUEST_DIR "\n"
    "mv \"$kernel\" " GUEST_DIR "/kernel\n"
    "for initrd in /boot/initrd.img-$version /boot/initramfs-$version.img; do\n"
    "  [ ! -f $initrd ] || mv $initrd " GUEST_DIR "/initrd\n"
    "done\n"
    "rm -f /boot/vmlinuz* /boot/initrd.img* /boot/initramfs-* /vmlinuz* /initrd.img*\n";

static const struct
{
  LmApplianceLayout layout;
  const char *fstab;
  const char *grub; /* variables of install_grub */
} boots[] = {
  [LM_RECIPE_BOOT_KERNEL] = { LM_APPLIANCE_LAYOUT_WHOLE, fstab_whole, NULL },
  [LM_RECIPE_BOOT_BIOS] = { LM_APPLIANCE_LAYOUT_BIOS, fstab_bios, "package=grub-pc\ntarget='--target=i386-pc '$(readlink -f " LM_APPLIANCE_DISK ")\n" },
  [LM_RECIPE_BOOT_UEFI] = { LM_APPLIANCE_LAYOUT_UEFI, fstab_uefi,
                            "package=grub-efi-amd64\ntarget='--target=x86_64-efi --efi-directory=/boot/efi --removable --no-nvram'\n" },
};

static void
add_tree (LmAppliance *job, const LmRecipe *recipe, const char *tree)
{
  const char *fstab = boots[recipe->boot].fstab;
  lm_appliance_add_unpack (job, "copying the system", tree, "/");
  lm_appliance_add_write (job, "copying the system", "/etc/fstab", fstab, strlen (fstab), 0644);
}

static void
add_grub (LmAppliance *job, const LmRecipe *recipe)
{
  g_autoptr (GString) settings = g_string_new (grub_settings);
  g_autofree char *script = g_strconcat (boots[recipe->boot].grub, install_grub, NULL);
  if (recipe->cmdline != NULL)
    {
      g_autofree char *quoted = g_shell_quote (recipe->cmdline);
      g_string_append_printf (settings, "GRUB_CMDLINE_LINUX=%s\n", quoted);
    }
  lm_appliance_add_mkdir (job, "installing GRUB", "/etc/default/grub.d", 0755);
  lm_appliance_add_write (job, "installing GRUB", "/etc/default/grub.d/lamina.cfg", settings->str, settings->len, 0644);
  lm_appliance_add_run (job, "installing GRUB", script);
}

/* Without GRUB, kernel and initrd are copied to the work directory. */
static void
add_boot (LmAppliance *job, const LmRecipe *recipe, const LmBuilderMade *made)
{
  static const char label[] = "reading kernel and initrd";
  if (recipe->boot != LM_RECIPE_BOOT_KERNEL)
    {
      add_grub (job, recipe);
      return;
    }
  lm_appliance_add_run (job, label, take_kernel);
  (void) lm_appliance_add_read (job, label, GUEST_DIR "/kernel", BOOT_FILE_MAX, made->kernel);
  (void) lm_appliance_add_read (job, label, GUEST_DIR "/initrd", BOOT_FILE_MAX, made->initrd);
  lm_appliance_add_remove (job, label, GUEST_DIR);
}

/* ---- the whole */

void
lm_builder_made_clear (LmBuilderMade *made)
{
  g_strfreev (made->contents);
  g_free (made->kernel);
  g_free (made->initrd);
}

/* Whether the package @text, "NAME[:ARCH]=VERSION", of the parent was to be replaced or removed. */
static gboolean
is_changed (const LmRecipeLock *lock, const char *text)
{
  g_autofree char *name = g_strndup (text, strcspn (text, ":="));
  for (guint i = 0; i < lock->packages->len; i++)
    if (strcmp (((LmLockedPackage *) g_ptr_array_index (lock->packages, i))->name, name) == 0)
      return TRUE;
  return g_strv_contains ((const char *const *) lock->removed, name);
}

/* Whether @contents, what the guest had after the locked packages were installed and before commands of the recipe, which may
 * remove one, has all of them, and all others that the catalogs say the parent has: a package manager may pass over a file
 * without an error, and of a false list of the parent's packages too few may have been chosen. */
static gboolean
check_contents (const LmBuilderDisk *build, char *const *contents, GError **error)
{
  g_autoptr (GHashTable) held = g_hash_table_new (g_str_hash, g_str_equal);
  for (char *const *text = contents; *text != NULL; text++)
    g_hash_table_add (held, *text);
  for (guint i = 0; i < build->lock->packages->len; i++)
    {
      const LmLockedPackage *package = g_ptr_array_index (build->lock->packages, i);
      g_autofree char *text = g_strdup_printf ("%s=%s", package->name, package->version);
      if (!g_hash_table_contains (held, text))
        return lm_throw (error, LM_PACKAGES_ERROR, LM_PACKAGES_ERROR_CONFLICT, "%s: the package %s was chosen, but is not installed",
                         build->recipe->name, text);
    }
  for (char *const *text = build->contents; text != NULL && *text != NULL; text++)
    if (!g_hash_table_contains (held, *text) && !is_changed (build->lock, *text))
      return lm_throw (error, LM_PACKAGES_ERROR, LM_PACKAGES_ERROR_CONFLICT,
                       "%s: the package %s, which %s has according to the catalogs, is not there", build->recipe->name, *text,
                       build->parent->name);
  return TRUE;
}

/* Changes the image @disk; @tree is the tar file of a base, or else NULL. */
static gboolean
run_job (const LmBuilderDisk *build, const char *disk, const char *tree, LmBuilderMade *made, GCancellable *cancellable, GError **error)
{
  g_autoptr (LmAppliance) job = lm_appliance_new ();
  g_autofree char *before = g_build_filename (lm_work_dir_get_path (build->work), "installed", NULL);
  g_autoptr (LmGuestPackages) installed = lm_guest_packages_new (before);
  g_autoptr (LmGuestPackages) guest = lm_guest_packages_new (lm_work_dir_get_path (build->work));
  const LmApplianceSettings settings = {
    .program = build->program,
    .disk = disk,
    .layout = tree != NULL ? boots[build->recipe->boot].layout : LM_APPLIANCE_LAYOUT_KEEP,
    .scratch = lm_work_dir_get_path (build->work),
    .virt_type = build->virt_type,
  };
  if (tree != NULL)
    add_tree (job, build->recipe, tree);
  else
    add_packages (job, build);
  lm_guest_packages_add (installed, job);
  add_payload (job, build->payload);
  add_commands (job, build->recipe);
  if (tree != NULL)
    add_boot (job, build->recipe, made);
  lm_guest_packages_add (guest, job);
  lm_scrub_append (job);
  lm_appliance_add_trim (job, "freeing unused blocks");
  if (!lm_file_make_dir (before, 0700, error) || !lm_guest_run (build->host, job, &settings, cancellable, error))
    return FALSE;
  g_auto (GStrv) first = lm_guest_packages_read (installed, build->recipe->name, cancellable, error);
  if (first == NULL || !check_contents (build, first, error))
    return FALSE;
  made->contents = lm_guest_packages_read (guest, build->recipe->name, cancellable, error);
  return made->contents != NULL;
}

static gboolean
make_child (const LmBuilderDisk *build, const char *to, LmBuilderMade *made, GCancellable *cancellable, GError **error)
{
  g_autofree char *overlay = g_build_filename (lm_work_dir_get_path (build->work), "overlay.qcow2", NULL);
  g_autofree char *parent = lm_cache_get_path (build->cache, LM_BLOB_LAYER, &build->parent->digest);
  if (!lm_image_make_workspace (parent, overlay, cancellable, error) || !run_job (build, overlay, NULL, made, cancellable, error))
    return FALSE;
  build->host->status (build->host->user_data, "keeping what differs from the parent");
  return lm_image_make_delta (overlay, parent, &build->parent->digest, to, cancellable, error);
}

static gboolean
make_base (const LmBuilderDisk *build, const char *to, LmBuilderMade *made, GCancellable *cancellable, GError **error)
{
  const char *work = lm_work_dir_get_path (build->work);
  const LmForeign image = { .virtual_size = build->recipe->disk };
  g_autofree char *tree = g_build_filename (work, "tree.tar", NULL), *disk = g_build_filename (work, "disk.qcow2", NULL);
  made->kernel = g_build_filename (work, "kernel", NULL);
  made->initrd = g_build_filename (work, "initrd", NULL);
  if (!lm_builder_tree_make (build, tree, cancellable, error)
      || !lm_image_make_disk (disk, build->recipe->disk, cancellable, error)
      || !run_job (build, disk, tree, made, cancellable, error))
    return FALSE;
  if (!g_file_test (made->kernel, G_FILE_TEST_EXISTS))
    g_clear_pointer (&made->kernel, g_free);
  if (!g_file_test (made->initrd, G_FILE_TEST_EXISTS))
    g_clear_pointer (&made->initrd, g_free);
  build->host->status (build->host->user_data, "writing the layer");
  return lm_foreign_convert (&image, disk, build->recipe->name, to, cancellable, error);
}

gboolean
lm_builder_disk_make (const LmBuilderDisk *build, const char *to, LmBuilderMade *out_made, GCancellable *cancellable, GError **error)
{
  g_auto (LmBuilderMade) made = { NULL };
  if (!(build->parent != NULL ? make_child : make_base) (build, to, &made, cancellable, error))
    {
      g_prefix_error (error, "%s: ", build->recipe->path);
      return FALSE;
    }
  *out_made = made;
  made = (LmBuilderMade){ NULL };
  return TRUE;
}

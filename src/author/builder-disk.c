/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "author/builder-disk.h"
#include "author/guest.h"
#include "base/error.h"
#include "build/appliance.h"
#include "build/scrub.h"
#include "image/delta.h"

#include <string.h>

#define GUEST_DIR "/var/cache/lamina-build"
#define LABEL_SIZE 60

/* The package manager of the guest orders the packages and runs their scripts. What is not wanted
 * for itself counts as installed automatically, so that "apt autoremove" knows it. */
static const char install_debian[] =
  "cd " GUEST_DIR "\n"
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
  "cd " GUEST_DIR "\n"
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

/* Names as words of the shell; package names have no characters that would need quotes. */
static void
append_names (GString *script, const char *variable, const char *const *names, const char *suffix)
{
  g_string_append_printf (script, "%s='", variable);
  for (guint i = 0; names[i] != NULL; i++)
    g_string_append_printf (script, "%s%s%s", i > 0 ? " " : "", names[i], suffix);
  g_string_append (script, "'\n");
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
  g_autoptr (GString) script = g_string_new (NULL);
  g_autofree char *copy = g_strdup_printf ("copying %u packages", packages->len);
  g_autofree char *install = g_strdup_printf ("installing %u packages", packages->len);
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
  append_names (script, "removed", (const char *const *) build->lock->removed, rpm ? "" : "-");
  append_names (script, "automatic", (const char *const *) automatic->pdata, "");
  g_string_append (script, rpm ? install_rpm : install_debian);
  lm_appliance_add_run (job, install, script->str);
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
      if (item->from != NULL)
        lm_appliance_add_upload (job, label, item->from, item->to, item->mode);
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
      const gsize length = strcspn (*command, "\n");
      g_autofree char *line = g_utf8_substring (*command, 0, MIN (LABEL_SIZE, g_utf8_strlen (*command, (gssize) length)));
      g_autofree char *label = g_strdup_printf ("running: %s", line);
      lm_appliance_add_run (job, label, *command);
    }
  if (*recipe->services != NULL)
    {
      g_autofree char *words = g_strjoinv ("' '", recipe->services);
      g_autofree char *script = g_strdup_printf ("systemctl enable '%s'", words);
      lm_appliance_add_run (job, "enabling services", script);
    }
}

static gboolean
run_job (const LmBuilderDisk *build, const char *overlay, const LmGuestPackages *guest, GCancellable *cancellable, GError **error)
{
  g_autoptr (LmAppliance) job = lm_appliance_new ();
  const LmApplianceSettings settings
    = { .program = build->program, .disk = overlay, .scratch = lm_work_dir_get_path (build->work), .virt_type = build->virt_type };
  add_packages (job, build);
  add_payload (job, build->payload);
  add_commands (job, build->recipe);
  lm_guest_packages_add (guest, job);
  lm_scrub_append (job);
  lm_appliance_add_trim (job, "freeing unused blocks");
  return lm_guest_run (build->host, job, &settings, cancellable, error);
}

gboolean
lm_builder_disk_make (const LmBuilderDisk *build, const char *to, char ***out_contents, GCancellable *cancellable, GError **error)
{
  const char *work = lm_work_dir_get_path (build->work);
  g_autofree char *overlay = g_build_filename (work, "overlay.qcow2", NULL);
  g_autoptr (LmGuestPackages) guest = lm_guest_packages_new (work);
  g_autofree char *parent = lm_cache_get_path (build->cache, LM_BLOB_LAYER, &build->parent->digest);
  if (!lm_image_make_workspace (parent, overlay, cancellable, error) || !run_job (build, overlay, guest, cancellable, error))
    return FALSE;
  g_auto (GStrv) contents = lm_guest_packages_read (guest, build->recipe->name, cancellable, error);
  if (contents == NULL)
    return FALSE;
  build->host->status (build->host->user_data, "keeping what differs from the parent");
  if (!lm_image_make_delta (overlay, parent, &build->parent->digest, to, cancellable, error))
    return FALSE;
  *out_contents = g_steal_pointer (&contents);
  return TRUE;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Configuration: lamina.conf (system, then user: the user's wins), then the
 * environment, then options. The only reader of LAMINA_* variables that are
 * no test seams. The format is GLib's key file, group [lamina]. */
#include "cli/args.h"
#include <gio/gio.h>

typedef struct
{
  char *state_dir;   /* absolute */
  char *connect;     /* libvirt URI; NULL: as virsh chooses */
  char *virt_type;   /* "kvm" or "qemu"; NULL: kvm when usable */
  char *template;    /* domain template; NULL: by what boots */
  char **template_dirs; /* where templates are looked for, in this order */
  char **osinfo_dirs;   /* where the osinfo database may be, in this order */
  guint transfers;   /* files pulled at once */
  guint libvirt_timeout; /* seconds that libvirt may take to answer; 0: the default */
  gboolean verbose;
} LmSettings;

typedef enum
{
  LM_SETTINGS_ERROR_INVALID, /* the file cannot be read or a value is wrong */
} LmSettingsError;

#define LM_SETTINGS_ERROR lm_settings_error_quark ()
GQuark lm_settings_error_quark (void);

/** lm_settings_load: reads files, environment and the global options in @args.
 * Unknown keys are added to @warnings (of char *, owned). Reads files; where one
 * is a pipe it waits for its end, until @cancellable is cancelled.
 * Errors: LM_SETTINGS_ERROR, G_IO_ERROR_CANCELLED. */
LmSettings *lm_settings_load (LmArgs *args, GPtrArray *warnings, GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

void lm_settings_free (LmSettings *settings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmSettings, lm_settings_free)

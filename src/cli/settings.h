/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Configuration: lamina.conf (the system's, then the user's, which takes
 * precedence), then the environment, then options. No other file reads LAMINA_*
 * variables, except those for tests. The file format is GLib's key file with the
 * group [lamina]. */
#include "cli/args.h"
#include <gio/gio.h>

typedef struct
{
  char *state_dir;   /* absolute */
  char *connect;     /* libvirt URI; NULL to choose as virsh does */
  char *virt_type;   /* "kvm" or "qemu"; NULL for kvm if available */
  char *template;    /* domain template; NULL to choose by how the disk boots */
  char **template_dirs; /* directories to search for templates, in order */
  char **osinfo_dirs;   /* directories to search for the osinfo database, in order */
  char *config_file;    /* to which this user would add settings; need not exist */
  char *hook_program;   /* libvirt's hook, absolute */
  char *appliance_program; /* lamina-appliance, absolute; not there if built without libguestfs */
  gboolean without_flag; /* does not set the immutable flag of cached files */
  char **recipe_dirs;   /* directories to search for recipes, in order */
  gboolean build;    /* layers that nobody has built are built from recipes */
  guint transfers;   /* maximum number of files pulled at a time */
  guint libvirt_timeout; /* seconds to wait for an answer of libvirt; 0 for the default */
  guint64 max_size;  /* bytes that the cache may occupy; 0: no limit */
  guint64 min_free;  /* bytes that must remain free where it is; 0: no limit */
  guint64 verify_rate; /* bytes per second at which the cache is verified; 0: no limit */
  char **connections; /* further libvirt URIs whose domains may use layers */
  gboolean history;  /* whether launches and starts are added to the history */
  guint hook_timeout; /* seconds that a start by libvirt waits for the layers */
  gboolean verbose;
} LmSettings;

typedef enum
{
  LM_SETTINGS_ERROR_INVALID, /* the file cannot be read, or a value is not valid */
} LmSettingsError;

#define LM_SETTINGS_ERROR lm_settings_error_quark ()
GQuark lm_settings_error_quark (void);

/** lm_settings_load: reads the files, the environment and the global options in
 * @args. Warnings about unknown keys are appended to @warnings (char *, owned). If
 * @problems is not NULL, so are those of which the first would otherwise be the error
 * LM_SETTINGS_ERROR, and what they are about counts as not given. A file that is a pipe is
 * read to its end or until @cancellable is cancelled. Errors: LM_SETTINGS_ERROR,
 * LM_CLI_ERROR_USAGE, G_IO_ERROR_CANCELLED. */
LmSettings *lm_settings_load (LmArgs *args, GPtrArray *warnings, GPtrArray *problems, GCancellable *cancellable,
                              GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_settings_free: frees @settings; NULL is ignored. */
void lm_settings_free (LmSettings *settings);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmSettings, lm_settings_free)

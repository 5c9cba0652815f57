/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cli/settings.h"
#include "base/content.h"
#include "base/error.h"
#include "base/file.h"
#include "base/size.h"
#include "base/suggestion.h"
#include "base/text.h"

#include <string.h>
#include <unistd.h>

G_DEFINE_QUARK (lm-settings-error-quark, lm_settings_error)

#define GROUP "lamina"
#define DEFAULT_TRANSFERS 8
#define MAX_TRANSFERS 64
#define MAX_SIZE (1024 * 1024)
#define MAX_LIBVIRT_TIMEOUT 3600
#define DEFAULT_HOOK_TIMEOUT 3600
#define DEFAULT_VERIFY_RATE (50 * LM_SIZE_MIB)
#define MAX_HOOK_TIMEOUT (7 * 24 * 3600)

static const char *const known_keys[] = { "state-dir", "connect", "virt-type", "template", "transfers", "libvirt-timeout", "hook-timeout",
                                          "history", "immutable", "max-size", "min-free", "verify-rate", "connections", "build", "recipes", NULL };

static gboolean
check_file_number (const char *where, const char *key, const char *value, guint64 max, GError **error)
{
  guint64 number;
  return g_ascii_string_to_unsigned (value, 10, 1, max, &number, NULL)
         || lm_throw (error, LM_SETTINGS_ERROR, LM_SETTINGS_ERROR_INVALID,
                      "%s: %s \"%s\" is not a number from 1 to %" G_GUINT64_FORMAT, where, key, value, max);
}

static gboolean
check_file_switch (const char *where, const char *key, const char *value, GError **error)
{
  return strcmp (value, "yes") == 0 || strcmp (value, "no") == 0
         || lm_throw (error, LM_SETTINGS_ERROR, LM_SETTINGS_ERROR_INVALID, "%s: %s \"%s\" is neither yes nor no", where, key, value);
}

static gboolean
check_file_size (const char *where, const char *key, const char *value, GError **error)
{
  guint64 size;
  return (lm_size_parse (value, LM_SIZE_GIB, &size, NULL) && size > 0)
         || lm_throw (error, LM_SETTINGS_ERROR, LM_SETTINGS_ERROR_INVALID, "%s: %s \"%s\" is not a size, such as 50GiB", where, key,
                      value);
}

static gboolean
check_file_rate (const char *where, const char *key, const char *value, GError **error)
{
  guint64 rate;
  return lm_size_parse (value, LM_SIZE_MIB, &rate, NULL)
         || lm_throw (error, LM_SETTINGS_ERROR, LM_SETTINGS_ERROR_INVALID, "%s: %s \"%s\" is not a number of bytes per second, such as 50MiB",
                      where, key, value);
}

static gboolean
check_virt_type (const char *where, const char *value, GError **error)
{
  return strcmp (value, "kvm") == 0 || strcmp (value, "qemu") == 0
         || lm_throw (error, LM_SETTINGS_ERROR, LM_SETTINGS_ERROR_INVALID, "%s: virt-type \"%s\" is not valid; use kvm or qemu",
                      where, value);
}

/* Checks those values that have a certain form. @where: the file and the line */
static gboolean
check_file_value (const char *where, const char *key, const char *value, GError **error)
{
  if (strcmp (key, "transfers") == 0)
    return check_file_number (where, key, value, MAX_TRANSFERS, error);
  if (strcmp (key, "libvirt-timeout") == 0)
    return check_file_number (where, key, value, MAX_LIBVIRT_TIMEOUT, error);
  if (strcmp (key, "max-size") == 0 || strcmp (key, "min-free") == 0)
    return check_file_size (where, key, value, error);
  if (strcmp (key, "verify-rate") == 0)
    return check_file_rate (where, key, value, error);
  if (strcmp (key, "history") == 0 || strcmp (key, "immutable") == 0 || strcmp (key, "build") == 0)
    return check_file_switch (where, key, value, error);
  if (strcmp (key, "hook-timeout") == 0)
    return check_file_number (where, key, value, MAX_HOOK_TIMEOUT, error);
  if (strcmp (key, "virt-type") == 0)
    return check_virt_type (where, value, error);
  /* A relative path would depend on the current directory. */
  if (strcmp (key, "state-dir") == 0 && *value != '\0' && !g_path_is_absolute (value))
    return lm_throw (error, LM_SETTINGS_ERROR, LM_SETTINGS_ERROR_INVALID,
                     "%s: state-dir \"%s\" is not an absolute path", where, value);
  return TRUE;
}

/* The reading of the files. */
typedef struct
{
  GKeyFile *into;
  GPtrArray *warnings;
  GPtrArray *problems; /* NULL: the first problem is an error */
  GCancellable *cancellable;
} Reading;

/* Notes @failure, which is freed, as a problem, or makes it the @error. */
static gboolean
tolerate (const Reading *reading, GError *failure, GError **error)
{
  if (reading->problems == NULL)
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
  g_ptr_array_add (reading->problems, g_strdup (failure->message));
  g_error_free (failure);
  return TRUE;
}

/* Returns the number of the line in @text that GLib cannot read, counted from 1. */
static guint
find_bad_line (const char *text, gsize size)
{
  g_autoptr (GArray) ends = g_array_new (FALSE, FALSE, sizeof (gsize));
  for (gsize at = 0; at <= size; at++)
    if (at == size || text[at] == '\n')
      g_array_append_val (ends, at);
  guint good = 0, bad = ends->len;
  while (bad - good > 1)
    {
      const guint middle = good + (bad - good) / 2;
      g_autoptr (GKeyFile) file = g_key_file_new ();
      if (g_key_file_load_from_data (file, text, g_array_index (ends, gsize, middle - 1), G_KEY_FILE_NONE, NULL))
        good = middle;
      else
        bad = middle;
    }
  return bad;
}

/* Returns "@path:LINE" for the line that sets @key; newly allocated. As for GLib, the last one counts. */
static char *
find_key (const char *path, GBytes *bytes, const char *key)
{
  gsize size;
  const char *data = g_bytes_get_data (bytes, &size);
  g_autofree char *text = g_strndup (data, size);
  g_auto (GStrv) lines = g_strsplit (text, "\n", -1);
  gboolean ours = FALSE;
  guint found = 0;
  for (guint i = 0; lines[i] != NULL; i++)
    {
      const char *line = g_strstrip (lines[i]);
      const gsize length = strcspn (line, " \t=");
      if (*line == '[')
        ours = strcmp (line, "[" GROUP "]") == 0;
      else if (ours && length == strlen (key) && strncmp (line, key, length) == 0)
        found = i + 1;
    }
  return g_strdup_printf ("%s:%u", path, found);
}

/* Reads the content of @path; NULL without an error if it need not be there and is not. */
static GBytes *
read_file (const Reading *reading, const char *path, gboolean required, GError **error)
{
  g_autoptr (GError) failure = NULL;
  g_autoptr (GBytes) bytes = lm_file_read (path, MAX_SIZE, reading->cancellable, &failure);
  if (bytes == NULL && !required && g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NOT_FOUND))
    return NULL;
  if (g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_CANCELLED))
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return NULL;
    }
  if (bytes == NULL)
    return lm_throw_null (error, LM_SETTINGS_ERROR, LM_SETTINGS_ERROR_INVALID, "configuration: %s", failure->message);
  if (!lm_content_check (bytes, path, "a configuration file", &failure))
    return lm_throw_null (error, LM_SETTINGS_ERROR, LM_SETTINGS_ERROR_INVALID, "%s", failure->message);
  return lm_text_normalize (bytes);
}

static char *
describe_unknown (const char *where, const char *key)
{
  LmSuggestion suggestion;
  lm_suggestion_init (&suggestion, key);
  for (const char *const *known = known_keys; *known != NULL; known++)
    lm_suggestion_consider (&suggestion, *known);
  if (suggestion.best != NULL)
    return g_strdup_printf ("%s: unknown key \"%s\" is ignored; did you mean \"%s\"?", where, key, suggestion.best);
  return g_strdup_printf ("%s: unknown key \"%s\" is ignored", where, key);
}

/* Takes over the valid keys of @file. */
static gboolean
merge_keys (const Reading *reading, GKeyFile *file, const char *path, GBytes *text, GError **error)
{
  g_auto (GStrv) keys = g_key_file_get_keys (file, GROUP, NULL, NULL);
  for (char **key = keys; key && *key; key++)
    {
      g_autofree char *where = find_key (path, text, *key);
      if (!g_strv_contains (known_keys, *key))
        {
          g_ptr_array_add (reading->warnings, describe_unknown (where, *key));
          continue;
        }
      GError *failure = NULL;
      g_autofree char *value = g_key_file_get_string (file, GROUP, *key, &failure);
      if (value == NULL)
        {
          g_autofree char *cause = g_strdup (failure->message);
          g_clear_error (&failure);
          lm_throw (&failure, LM_SETTINGS_ERROR, LM_SETTINGS_ERROR_INVALID, "%s: %s", where, cause);
        }
      if (value != NULL && check_file_value (where, *key, value, &failure))
        g_key_file_set_string (reading->into, GROUP, *key, value);
      else if (!tolerate (reading, failure, error))
        return FALSE;
    }
  return TRUE;
}

/* Reads @path key by key, so that later files take precedence. */
static gboolean
merge_file (const Reading *reading, const char *path, gboolean required, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  GError *failure = NULL;
  g_autoptr (GBytes) text = read_file (reading, path, required, &failure);
  if (text == NULL && failure == NULL)
    return TRUE;
  if (text == NULL && failure->domain == LM_SETTINGS_ERROR)
    return tolerate (reading, failure, error);
  if (text == NULL)
    {
      g_propagate_error (error, failure);
      return FALSE;
    }
  if (!g_key_file_load_from_bytes (file, text, G_KEY_FILE_NONE, &failure))
    {
      gsize size;
      const char *data = g_bytes_get_data (text, &size);
      g_autofree char *cause = g_strdup (failure->message);
      g_clear_error (&failure);
      lm_throw (&failure, LM_SETTINGS_ERROR, LM_SETTINGS_ERROR_INVALID,
                "%s:%u: %s; a file has the line [" GROUP "] and below it lines NAME = VALUE", path, find_bad_line (data, size),
                cause);
      return tolerate (reading, failure, error);
    }
  g_auto (GStrv) groups = g_key_file_get_groups (file, NULL);
  for (char **group = groups; *group; group++)
    if (strcmp (*group, GROUP) != 0)
      g_ptr_array_add (reading->warnings, g_strdup_printf ("%s: unknown group [%s] is ignored; settings belong to [" GROUP "]", path, *group));
  return merge_keys (reading, file, path, text, error);
}

/* Reads the file that was chosen, or those of the system and the user. */
static gboolean
merge_files (const Reading *reading, const char *own, GError **error)
{
  if (own != NULL && *own != '\0')
    return merge_file (reading, own, TRUE, error);
  g_autofree char *system = g_build_filename (LM_SYSCONFDIR, "lamina", "lamina.conf", NULL);
  g_autofree char *user = g_build_filename (g_get_user_config_dir (), "lamina", "lamina.conf", NULL);
  return merge_file (reading, system, FALSE, error) && merge_file (reading, user, FALSE, error);
}

/* An option takes precedence over its environment variable, and that over the files. */
static char *
choose_value (LmArgs *args, GKeyFile *file, const char *option, const char *variable, const char *key)
{
  const char *value = option ? lm_args_get (args, option) : NULL;
  if (value == NULL && variable != NULL)
    value = g_getenv (variable);
  if (value != NULL && *value != '\0')
    return g_strdup (value);
  return g_key_file_get_string (file, GROUP, key, NULL);
}

static guint
choose_number (GKeyFile *file, const char *key, guint otherwise)
{
  g_autofree char *value = g_key_file_get_string (file, GROUP, key, NULL);
  return value != NULL ? (guint) g_ascii_strtoull (value, NULL, 10) : otherwise;
}

static gboolean
choose_switch (GKeyFile *file, const char *key, gboolean otherwise)
{
  g_autofree char *value = g_key_file_get_string (file, GROUP, key, NULL);
  return value != NULL ? strcmp (value, "yes") == 0 : otherwise;
}

static guint64
choose_size (GKeyFile *file, const char *key, guint64 unit, guint64 otherwise)
{
  g_autofree char *value = g_key_file_get_string (file, GROUP, key, NULL);
  guint64 size = 0;
  return value != NULL && lm_size_parse (value, unit, &size, NULL) ? size : otherwise;
}

/* Returns the words of a value. */
static char **
choose_words (GKeyFile *file, const char *key)
{
  g_autofree char *value = g_key_file_get_string (file, GROUP, key, NULL);
  g_auto (GStrv) words = g_strsplit_set (value != NULL ? value : "", " \t", -1);
  g_autoptr (GStrvBuilder) found = g_strv_builder_new ();
  for (char **word = words; *word != NULL; word++)
    if (**word != '\0')
      g_strv_builder_add (found, *word);
  return g_strv_builder_end (found);
}

static char *
default_state_dir (void)
{
  if (geteuid () == 0)
    return g_build_filename (LM_LOCALSTATEDIR, "lib", "lamina", NULL);
  return g_build_filename (g_get_user_data_dir (), "lamina", NULL);
}

static char **
template_dirs (void)
{
  const char *shipped = g_getenv ("LAMINA_TEMPLATE_DIR");
  g_autoptr (GStrvBuilder) dirs = g_strv_builder_new ();
  g_autofree char *user = g_build_filename (g_get_user_config_dir (), "lamina", "xml-templates", NULL);
  g_autofree char *system = g_build_filename (LM_SYSCONFDIR, "lamina", "xml-templates", NULL);
  g_autofree char *data = g_build_filename (LM_PKGDATADIR, "xml-templates", NULL);
  g_strv_builder_add_many (dirs, user, system, shipped ? shipped : data, NULL);
  return g_strv_builder_end (dirs);
}

/* Returns the directories of recipes: those in the configuration, then the user's, the system's and the shipped ones. */
static char **
recipe_dirs (GKeyFile *file)
{
  const char *shipped = g_getenv ("LAMINA_RECIPE_DIR");
  g_autoptr (GStrvBuilder) dirs = g_strv_builder_new ();
  g_auto (GStrv) given = choose_words (file, "recipes");
  g_autofree char *user = g_build_filename (g_get_user_config_dir (), "lamina", "recipes", NULL);
  g_autofree char *system = g_build_filename (LM_SYSCONFDIR, "lamina", "recipes", NULL);
  g_autofree char *data = g_build_filename (LM_PKGDATADIR, "recipes", NULL);
  g_strv_builder_addv (dirs, (const char **) given);
  g_strv_builder_add_many (dirs, user, system, shipped ? shipped : data, NULL);
  return g_strv_builder_end (dirs);
}

/* Returns the directories in which libosinfo looks for its database. */
static char **
osinfo_dirs (void)
{
  g_autoptr (GStrvBuilder) dirs = g_strv_builder_new ();
  const char *system = g_getenv ("OSINFO_SYSTEM_DIR");
  g_autofree char *user = g_build_filename (g_get_user_config_dir (), "osinfo", NULL);
  g_strv_builder_add_many (dirs, user, "/etc/osinfo", system ? system : "/usr/share/osinfo", NULL);
  return g_strv_builder_end (dirs);
}

static gboolean
check_settings (const Reading *reading, LmSettings *settings, GError **error)
{
  GError *failure = NULL;
  /* One from a file has been checked. */
  if (settings->virt_type != NULL && !check_virt_type ("LAMINA_VIRT_TYPE", settings->virt_type, &failure))
    {
      g_clear_pointer (&settings->virt_type, g_free);
      if (!tolerate (reading, failure, error))
        return FALSE;
    }
  /* libvirt and backing files need paths that do not depend on the current directory. */
  if (!g_path_is_absolute (settings->state_dir))
    {
      g_autofree char *given = g_steal_pointer (&settings->state_dir);
      settings->state_dir = g_canonicalize_filename (given, NULL);
    }
  return TRUE;
}

/* Returns the file to which this user would add settings. */
static char *
choose_config_file (const char *own)
{
  if (own != NULL && *own != '\0')
    return g_strdup (own);
  return g_build_filename (geteuid () == 0 ? LM_SYSCONFDIR : g_get_user_config_dir (), "lamina", "lamina.conf", NULL);
}

LmSettings *
lm_settings_load (LmArgs *args, GPtrArray *warnings, GPtrArray *problems, GCancellable *cancellable, GError **error)
{
  g_autoptr (GKeyFile) file = g_key_file_new ();
  const Reading reading = { file, warnings, problems, cancellable };
  const char *own = lm_args_get (args, "config");
  own = own ? own : g_getenv ("LAMINA_CONFIG");
  if (!merge_files (&reading, own, error))
    return NULL;

  /* As from "$UNSET"; the default directory is certainly not intended. */
  if (g_strcmp0 (lm_args_get (args, "state-dir"), "") == 0)
    return lm_throw_null (error, LM_CLI_ERROR, LM_CLI_ERROR_USAGE, "--state-dir: a directory is required");
  g_autoptr (LmSettings) settings = g_new0 (LmSettings, 1);
  settings->state_dir = choose_value (args, file, "state-dir", "LAMINA_STATE_DIR", "state-dir");
  if (settings->state_dir == NULL)
    settings->state_dir = default_state_dir ();
  settings->connect = choose_value (args, file, "connect", "LIBVIRT_DEFAULT_URI", "connect");
  settings->virt_type = choose_value (args, file, NULL, "LAMINA_VIRT_TYPE", "virt-type");
  settings->template = choose_value (args, file, NULL, NULL, "template");
  settings->template_dirs = template_dirs ();
  settings->osinfo_dirs = osinfo_dirs ();
  settings->recipe_dirs = recipe_dirs (file);
  settings->build = choose_switch (file, "build", FALSE);
  settings->config_file = choose_config_file (own);
  const char *hook = g_getenv ("LAMINA_HOOK_PROGRAM");
  settings->hook_program = g_strdup (hook != NULL ? hook : LM_LIBEXECDIR "/lamina/qemu-hook");
  const char *appliance = g_getenv ("LAMINA_APPLIANCE_PROGRAM");
  settings->appliance_program = g_strdup (appliance != NULL ? appliance : LM_LIBEXECDIR "/lamina/lamina-appliance");
  settings->verbose = lm_args_has (args, "verbose");
  settings->transfers = choose_number (file, "transfers", DEFAULT_TRANSFERS);
  settings->without_flag = !choose_switch (file, "immutable", TRUE);
  settings->libvirt_timeout = choose_number (file, "libvirt-timeout", 0);
  settings->max_size = choose_size (file, "max-size", LM_SIZE_GIB, 0);
  settings->min_free = choose_size (file, "min-free", LM_SIZE_GIB, 0);
  settings->verify_rate = choose_size (file, "verify-rate", LM_SIZE_MIB, DEFAULT_VERIFY_RATE);
  settings->connections = choose_words (file, "connections");
  settings->history = choose_switch (file, "history", TRUE);
  settings->hook_timeout = choose_number (file, "hook-timeout", DEFAULT_HOOK_TIMEOUT);
  if (!check_settings (&reading, settings, error))
    return NULL;
  return g_steal_pointer (&settings);
}

void
lm_settings_free (LmSettings *settings)
{
  if (settings == NULL)
    return;
  g_free (settings->state_dir);
  g_free (settings->connect);
  g_free (settings->virt_type);
  g_free (settings->template);
  g_strfreev (settings->template_dirs);
  g_strfreev (settings->osinfo_dirs);
  g_strfreev (settings->recipe_dirs);
  g_free (settings->config_file);
  g_free (settings->hook_program);
  g_free (settings->appliance_program);
  g_strfreev (settings->connections);
  g_free (settings);
}

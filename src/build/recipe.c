/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "build/recipe.h"
#include "base/content.h"
#include "base/error.h"
#include "base/file.h"
#include "base/size.h"
#include "base/suggestion.h"
#include "base/text.h"
#include "base/yaml-node.h"
#include "build/appliance.h"
#include "catalog/relation.h"
#include "catalog/selection.h"
#include "store/store.h"

#include <string.h>

#define FORMAT_VERSION 1
#define FILE_SIZE_MAX LM_SIZE_MIB
#define TEXT_MAX 1024
/* With the longest names, they fit into one script. */
#define SERVICES_MAX 200
#define GROUP_OF_BASE "os"
#define DISK_SIZE (4 * LM_SIZE_GIB)

/* Reads the value of one key into @slot, the member of a struct. */
typedef gboolean (*ReadFunc) (const LmYamlNode *node, gpointer slot, GError **error);

typedef struct
{
  const char *key;
  ReadFunc read;
  gsize offset;
} Member;

static void
file_free (gpointer data)
{
  LmRecipeFile *file = data;
  g_free (file->to);
  g_free (file->from);
  g_clear_pointer (&file->content, g_bytes_unref);
  g_free (file);
}
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmRecipeFile, file_free)

void
lm_recipe_free (LmRecipe *recipe)
{
  if (recipe == NULL)
    return;
  g_free (recipe->path);
  g_free (recipe->name);
  g_free (recipe->version);
  g_free (recipe->group);
  g_free (recipe->summary);
  g_free (recipe->osinfo);
  g_free (recipe->arch);
  g_free (recipe->ready);
  g_free (recipe->cmdline);
  g_strfreev (recipe->provides);
  g_strfreev (recipe->requires);
  g_strfreev (recipe->conflicts);
  g_strfreev (recipe->on);
  g_strfreev (recipe->repositories);
  g_strfreev (recipe->packages);
  g_ptr_array_unref (recipe->files);
  g_strfreev (recipe->commands);
  g_strfreev (recipe->services);
  g_free (recipe);
}

static gboolean
throw_unknown_key (const LmYamlNode *node, const char *key, const char *what, const Member *members, GError **error)
{
  g_autofree char *safe = lm_text_escape (key != NULL ? key : "", 64);
  LmSuggestion suggestion;
  lm_suggestion_init (&suggestion, safe);
  for (; *safe != '\0' && members->key != NULL; members++)
    lm_suggestion_consider (&suggestion, members->key);
  if (suggestion.best != NULL)
    return lm_yaml_node_throw (node, error, "unknown key \"%s\" of %s; did you mean \"%s\"?", safe, what, suggestion.best);
  return lm_yaml_node_throw (node, error, "unknown key \"%s\" of %s", safe, what);
}

/* Reads each member of the mapping @node, which is @what, into @record. */
static gboolean
read_members (const LmYamlNode *node, const char *what, const Member *members, gpointer record, GError **error)
{
  if (lm_yaml_node_get_kind (node) != LM_YAML_MAPPING)
    return lm_yaml_node_throw (node, error, "%s is a mapping", what);
  for (guint i = 0; i < lm_yaml_node_get_length (node); i++)
    {
      const char *key = lm_yaml_node_get_key (node, i);
      const LmYamlNode *value = lm_yaml_node_get_item (node, i);
      const Member *member = members;
      while (member->key != NULL && g_strcmp0 (member->key, key) != 0)
        member++;
      if (member->key == NULL)
        return throw_unknown_key (value, key, what, members, error);
      if (!member->read (value, (char *) record + member->offset, error))
        return FALSE;
    }
  return TRUE;
}

/* ---- values */

static gboolean
read_checked (const LmYamlNode *node, gboolean (*is_valid) (const char *), const char *what, char **slot, GError **error)
{
  const char *text = lm_yaml_node_get_text (node);
  if (text == NULL || !is_valid (text))
    return lm_yaml_node_throw (node, error, "%s is expected", what);
  *slot = g_strdup (text);
  return TRUE;
}

static gboolean
read_name (const LmYamlNode *node, gpointer slot, GError **error)
{
  return read_checked (node, lm_name_is_valid, "a name (lower-case letters, digits and + . _ -)", slot, error);
}

static gboolean
read_version (const LmYamlNode *node, gpointer slot, GError **error)
{
  return read_checked (node, lm_version_is_valid, "a version (letters, digits and . + ~ : -)", slot, error);
}

static gboolean
is_line (const char *text)
{
  return *text != '\0' && strlen (text) <= TEXT_MAX && lm_text_find_unprintable (text) == NULL;
}

static gboolean
read_line (const LmYamlNode *node, gpointer slot, GError **error)
{
  return read_checked (node, is_line, "a text of one line", slot, error);
}

static gboolean
read_amount (const LmYamlNode *node, gpointer slot, GError **error)
{
  const char *text = lm_yaml_node_get_text (node);
  const gboolean has_unit = text != NULL && *text != '\0' && g_ascii_isalpha (text[strlen (text) - 1]);
  if (!has_unit || !lm_size_parse (text, LM_SIZE_BYTE, slot, NULL) || *(guint64 *) slot < LM_SIZE_MIB)
    return lm_yaml_node_throw (node, error, "a size such as \"512MiB\" is expected");
  return TRUE;
}

static gboolean
read_flag (const LmYamlNode *node, gpointer slot, GError **error)
{
  return lm_yaml_node_to_bool (node, slot, error);
}

static gboolean
read_format (const LmYamlNode *node, gpointer slot, GError **error)
{
  gint64 version;
  if (!lm_yaml_node_to_int (node, 1, G_MAXINT, &version, error))
    return FALSE;
  return version == FORMAT_VERSION
         || lm_yaml_node_throw (node, error, "this recipe has format %" G_GINT64_FORMAT ", but this lamina knows only format %d",
                                version, FORMAT_VERSION);
}

static gboolean
read_boot (const LmYamlNode *node, gpointer slot, GError **error)
{
  static const char *const words[] = { [LM_RECIPE_BOOT_KERNEL] = "kernel", [LM_RECIPE_BOOT_BIOS] = "bios", [LM_RECIPE_BOOT_UEFI] = "uefi" };
  for (guint i = 0; i < G_N_ELEMENTS (words); i++)
    if (g_strcmp0 (lm_yaml_node_get_text (node), words[i]) == 0)
      {
        *(LmRecipeBoot *) slot = (LmRecipeBoot) i;
        return TRUE;
      }
  return lm_yaml_node_throw (node, error, "kernel, bios or uefi is expected");
}

/* ---- lists */

/* A list, or a single value as a list of one. */
static gboolean
read_list (const LmYamlNode *node, gboolean (*is_valid) (const char *), const char *what, char ***slot, GError **error)
{
  g_autoptr (GStrvBuilder) list = g_strv_builder_new ();
  const gboolean single = lm_yaml_node_get_kind (node) == LM_YAML_SCALAR;
  const guint n = single ? 1 : lm_yaml_node_get_length (node);
  if (lm_yaml_node_get_kind (node) == LM_YAML_MAPPING)
    return lm_yaml_node_throw (node, error, "a list is expected, each item %s", what);
  for (guint i = 0; i < n; i++)
    {
      const LmYamlNode *item = single ? node : lm_yaml_node_get_item (node, i);
      const char *text = lm_yaml_node_get_text (item);
      if (text == NULL || !is_valid (text))
        return lm_yaml_node_throw (item, error, "%s is expected", what);
      g_strv_builder_add (list, text);
    }
  *slot = g_strv_builder_end (list);
  return TRUE;
}

static gboolean
is_selection (const char *text)
{
  g_autoptr (LmSelection) selection = lm_selection_parse (text, NULL);
  return selection != NULL;
}

static gboolean
read_selections (const LmYamlNode *node, gpointer slot, GError **error)
{
  char ***list = slot;
  return read_list (node, is_selection, "a layer, \"name\" or \"name@version\",", list, error)
         && (**list != NULL || lm_yaml_node_throw (node, error, "a recipe that stands on nothing has no \"on\""));
}

static gboolean
is_relation (const char *text)
{
  LmRelation relation;
  return lm_relation_parse (text, &relation);
}

static gboolean
read_relations (const LmYamlNode *node, gpointer slot, GError **error)
{
  return read_list (node, is_relation, "\"name\" or \"name >= version\"", slot, error);
}

static gboolean
is_provide (const char *text)
{
  LmRelation relation;
  return lm_relation_parse (text, &relation) && (relation.op == LM_RELATION_ANY || relation.op == LM_RELATION_EQUAL);
}

static gboolean
read_provides (const LmYamlNode *node, gpointer slot, GError **error)
{
  return read_list (node, is_provide, "\"name\" or \"name = version\"", slot, error);
}

/* What follows is handed to the package manager as a word. */
static gboolean
is_package (const char *text)
{
  return is_line (text) && g_ascii_isalnum (*text);
}

static gboolean
read_packages (const LmYamlNode *node, gpointer slot, GError **error)
{
  return read_list (node, is_package, "a package, \"name\", \"name=version\" or \"name >= version\",", slot, error);
}

static gboolean
read_repositories (const LmYamlNode *node, gpointer slot, GError **error)
{
  char ***list = slot;
  return read_list (node, is_line, "a package index or repository, by its URL or path,", list, error)
         && (**list != NULL || lm_yaml_node_throw (node, error, "a recipe for which apt's repositories serve has no \"repositories\""));
}

static gboolean
is_script (const char *text)
{
  return *text != '\0' && strlen (text) <= LM_APPLIANCE_SCRIPT_MAX;
}

static gboolean
read_commands (const LmYamlNode *node, gpointer slot, GError **error)
{
  return read_list (node, is_script, "a command of the shell, not longer than 64 KiB,", slot, error);
}

/* As systemd.unit(5) allows. */
static gboolean
is_service (const char *text)
{
  return lm_text_is_word (text, ":-_.\\@", 255);
}

static gboolean
read_services (const LmYamlNode *node, gpointer slot, GError **error)
{
  char ***list = slot;
  return read_list (node, is_service, "the name of a service", list, error)
         && (g_strv_length (*list) <= SERVICES_MAX || lm_yaml_node_throw (node, error, "more than %d services", SERVICES_MAX));
}

/* ---- files */

/* A path in the guest: absolute, of whatever is not "." or "..". */
static gboolean
is_guest_path (const char *text)
{
  if (*text != '/' || text[1] == '\0' || !is_line (text))
    return FALSE;
  g_auto (GStrv) parts = g_strsplit (text + 1, "/", -1);
  for (char **part = parts; *part != NULL; part++)
    if (strcmp (*part, ".") == 0 || strcmp (*part, "..") == 0 || (**part == '\0' && part[1] != NULL))
      return FALSE;
  return TRUE;
}

static gboolean
read_guest_path (const LmYamlNode *node, gpointer slot, GError **error)
{
  return read_checked (node, is_guest_path, "an absolute path in the guest", slot, error);
}

static gboolean
read_content (const LmYamlNode *node, gpointer slot, GError **error)
{
  const char *text = lm_yaml_node_get_text (node);
  if (text == NULL)
    return lm_yaml_node_throw (node, error, "the text of a file is expected");
  /* A block of text loses its last line end on the way. */
  const gboolean block = strchr (text, '\n') != NULL && !g_str_has_suffix (text, "\n");
  char *whole = g_strconcat (text, block ? "\n" : "", NULL);
  *(GBytes **) slot = g_bytes_new_take (whole, strlen (whole));
  return TRUE;
}

static gboolean
read_mode (const LmYamlNode *node, gpointer slot, GError **error)
{
  const char *text = lm_yaml_node_get_text (node);
  const gsize digits = text != NULL ? strspn (text, "01234567") : 0;
  if (digits < 3 || digits > 4 || text[digits] != '\0' || (digits == 4 && *text != '0'))
    return lm_yaml_node_throw (node, error, "permissions such as \"0644\" are expected");
  *(int *) slot = (int) g_ascii_strtoull (text, NULL, 8);
  return TRUE;
}

static gboolean
read_host_path (const LmYamlNode *node, gpointer slot, GError **error)
{
  return read_checked (node, is_line, "the path of a file", slot, error);
}

static const Member file_members[] = {
  { "from", read_host_path, G_STRUCT_OFFSET (LmRecipeFile, from) },
  { "to", read_guest_path, G_STRUCT_OFFSET (LmRecipeFile, to) },
  { "content", read_content, G_STRUCT_OFFSET (LmRecipeFile, content) },
  { "mode", read_mode, G_STRUCT_OFFSET (LmRecipeFile, mode) },
  { NULL },
};

static gboolean
read_files (const LmYamlNode *node, gpointer slot, GError **error)
{
  GPtrArray *files = *(GPtrArray **) slot;
  if (lm_yaml_node_get_kind (node) != LM_YAML_SEQUENCE)
    return lm_yaml_node_throw (node, error, "a list of files is expected");
  for (guint i = 0; i < lm_yaml_node_get_length (node); i++)
    {
      const LmYamlNode *item = lm_yaml_node_get_item (node, i);
      g_autoptr (LmRecipeFile) file = g_new0 (LmRecipeFile, 1);
      file->mode = -1;
      if (!read_members (item, "a file", file_members, file, error))
        return FALSE;
      if (file->to == NULL || (file->from == NULL) == (file->content == NULL))
        return lm_yaml_node_throw (item, error, "a file has \"to\", and either \"from\" or \"content\"");
      g_ptr_array_add (files, g_steal_pointer (&file));
    }
  return TRUE;
}

/* ---- the whole */

static const Member resource_members[] = {
  { "memory", read_amount, G_STRUCT_OFFSET (LmRecipe, memory) },
  { "disk", read_amount, G_STRUCT_OFFSET (LmRecipe, disk) },
  { NULL },
};

/* The slot is the recipe. */
static gboolean
read_resources (const LmYamlNode *node, gpointer slot, GError **error)
{
  return read_members (node, "resources", resource_members, slot, error);
}

static const Member recipe_members[] = {
  { "lamina-recipe", read_format, 0 },
  { "name", read_name, G_STRUCT_OFFSET (LmRecipe, name) },
  { "version", read_version, G_STRUCT_OFFSET (LmRecipe, version) },
  { "group", read_name, G_STRUCT_OFFSET (LmRecipe, group) },
  { "summary", read_line, G_STRUCT_OFFSET (LmRecipe, summary) },
  { "osinfo", read_line, G_STRUCT_OFFSET (LmRecipe, osinfo) },
  { "arch", read_name, G_STRUCT_OFFSET (LmRecipe, arch) },
  { "ready", read_line, G_STRUCT_OFFSET (LmRecipe, ready) },
  { "cmdline", read_line, G_STRUCT_OFFSET (LmRecipe, cmdline) },
  { "provides", read_provides, G_STRUCT_OFFSET (LmRecipe, provides) },
  { "requires", read_relations, G_STRUCT_OFFSET (LmRecipe, requires) },
  { "conflicts", read_relations, G_STRUCT_OFFSET (LmRecipe, conflicts) },
  { "resources", read_resources, 0 },
  { "on", read_selections, G_STRUCT_OFFSET (LmRecipe, on) },
  { "boot", read_boot, G_STRUCT_OFFSET (LmRecipe, boot) },
  { "repositories", read_repositories, G_STRUCT_OFFSET (LmRecipe, repositories) },
  { "packages", read_packages, G_STRUCT_OFFSET (LmRecipe, packages) },
  { "recommended", read_flag, G_STRUCT_OFFSET (LmRecipe, recommended) },
  { "files", read_files, G_STRUCT_OFFSET (LmRecipe, files) },
  { "commands", read_commands, G_STRUCT_OFFSET (LmRecipe, commands) },
  { "services", read_services, G_STRUCT_OFFSET (LmRecipe, services) },
  { NULL },
};

static void
set_default (char ***list)
{
  if (*list == NULL)
    *list = g_new0 (char *, 1);
}

/* What the keys are together. */
static gboolean
check_recipe (const LmYamlNode *root, LmRecipe *recipe, GError **error)
{
  const gboolean is_base = recipe->on == NULL;
  set_default (&recipe->packages);
  set_default (&recipe->commands);
  set_default (&recipe->services);
  if (lm_yaml_node_lookup (root, "lamina-recipe") == NULL)
    return lm_yaml_node_throw (root, error, "the key \"lamina-recipe: %d\" is missing; this is not a recipe", FORMAT_VERSION);
  if (recipe->name == NULL)
    return lm_yaml_node_throw (root, error, "the recipe has no name");
  if (recipe->group == NULL && is_base)
    recipe->group = g_strdup (GROUP_OF_BASE);
  if (recipe->group == NULL)
    return lm_yaml_node_throw (root, error, "the recipe has no group");
  if (*recipe->packages == NULL && recipe->files->len == 0 && *recipe->commands == NULL)
    return lm_yaml_node_throw (root, error, "the recipe has no packages, files or commands");
  if (is_base && *recipe->packages == NULL)
    return lm_yaml_node_throw (root, error, "a recipe without \"on\" makes a base, which has packages");
  if (!is_base && lm_yaml_node_lookup (root, "boot") != NULL)
    return lm_yaml_node_throw (lm_yaml_node_lookup (root, "boot"), error, "only a base has \"boot\"");
  if (recipe->version == NULL && *recipe->packages == NULL)
    return lm_yaml_node_throw (root, error, "a recipe without packages needs a version");
  if (is_base && recipe->disk == 0)
    recipe->disk = DISK_SIZE;
  return TRUE;
}

/* Files are found from the directory of the recipe. */
static void
resolve_paths (LmRecipe *recipe)
{
  g_autofree char *dir = g_path_get_dirname (recipe->path);
  for (guint i = 0; i < recipe->files->len; i++)
    {
      LmRecipeFile *file = g_ptr_array_index (recipe->files, i);
      char *path = file->from != NULL ? g_canonicalize_filename (file->from, dir) : NULL;
      g_free (file->from);
      file->from = path;
    }
  for (char **place = recipe->repositories; place != NULL && *place != NULL; place++)
    if (!lm_store_knows (*place))
      {
        char *path = g_canonicalize_filename (*place, dir);
        g_free (*place);
        *place = path;
      }
}

LmRecipe *
lm_recipe_parse (const char *path, const char *text, gsize size, GError **error)
{
  g_autoptr (LmYamlNode) root = lm_yaml_node_parse (path, text, size, NULL, error);
  if (root == NULL)
    return NULL;
  g_autoptr (LmRecipe) recipe = g_new0 (LmRecipe, 1);
  recipe->path = g_canonicalize_filename (path, NULL);
  recipe->files = g_ptr_array_new_with_free_func (file_free);
  if (!read_members (root, "a recipe", recipe_members, recipe, error) || !check_recipe (root, recipe, error))
    return NULL;
  resolve_paths (recipe);
  return g_steal_pointer (&recipe);
}

LmRecipe *
lm_recipe_load (const char *path, GCancellable *cancellable, GError **error)
{
  g_autoptr (GBytes) bytes = lm_file_read (path, FILE_SIZE_MAX, cancellable, error);
  if (bytes == NULL || !lm_content_check (bytes, path, "a recipe", error))
    return NULL;
  g_autoptr (GBytes) normal = lm_text_normalize (bytes);
  gsize size;
  const char *text = g_bytes_get_data (normal, &size);
  return lm_recipe_parse (path, text, size, error);
}

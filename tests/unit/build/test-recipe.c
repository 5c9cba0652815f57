/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "build/payload.h"
#include "build/recipe-dir.h"
#include "build/recipe-lock.h"
#include "build/recipe.h"
#include "base/file.h"
#include "base/yaml.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char shop[] = "lamina-recipe: 1\n"
                           "name: shop\n"
                           "version: \"1.2\"\n"
                           "group: app\n"
                           "summary: Our shop\n"
                           "on: [debian@12, nginx]\n"
                           "requires: [\"db >= 10\"]\n"
                           "packages: [php-fpm, \"php-mysql=2:8.2\"]\n"
                           "files:\n"
                           "  - {from: site, to: /srv/shop}\n"
                           "  - to: /etc/shop.conf\n"
                           "    mode: \"0640\"\n"
                           "    content: |\n"
                           "      a = 1\n"
                           "      b = 2\n"
                           "commands:\n"
                           "  - adduser --system shop\n"
                           "services: [php8.2-fpm]\n"
                           "resources: {memory: 512MiB}\n";

static LmRecipe *
parse (const char *path, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmRecipe) recipe = lm_recipe_parse (path, text, strlen (text), &error);
  g_assert_no_error (error);
  return g_steal_pointer (&recipe);
}

static void
test_parse (void)
{
  g_autoptr (LmRecipe) recipe = parse ("/recipes/shop.yaml", shop);
  g_assert_cmpstr (recipe->name, ==, "shop");
  g_assert_cmpstr (recipe->version, ==, "1.2");
  g_assert_cmpstr (recipe->on[0], ==, "debian@12");
  g_assert_cmpstr (recipe->on[1], ==, "nginx");
  g_assert_cmpuint (g_strv_length (recipe->packages), ==, 2);
  g_assert_cmpuint (recipe->memory, ==, 512u << 20);
  g_assert_cmpuint (recipe->files->len, ==, 2);
  const LmRecipeFile *site = g_ptr_array_index (recipe->files, 0), *conf = g_ptr_array_index (recipe->files, 1);
  g_assert_cmpstr (site->from, ==, "/recipes/site");
  g_assert_cmpint (site->mode, ==, -1);
  g_assert_cmpint (conf->mode, ==, 0640);
  g_assert_cmpmem (g_bytes_get_data (conf->content, NULL), g_bytes_get_size (conf->content), "a = 1\nb = 2\n", 12);
}

static void
test_base (void)
{
  g_autoptr (LmRecipe) recipe = parse ("debian.yaml", "{lamina-recipe: 1, name: debian, packages: apt, repositories: [pool, \"http://h/x\"], boot: uefi}");
  g_autofree char *pool = g_canonicalize_filename ("pool", NULL);
  g_assert_null (recipe->on);
  g_assert_cmpstr (recipe->group, ==, "os");
  g_assert_cmpint (recipe->boot, ==, LM_RECIPE_BOOT_UEFI);
  g_assert_cmpuint (recipe->disk, >, 0);
  g_assert_cmpstr (recipe->repositories[0], ==, pool);
  g_assert_cmpstr (recipe->repositories[1], ==, "http://h/x");
}

/* What is wrong, and part of the message. */
static const struct
{
  const char *text;
  const char *message;
} wrong[] = {
  { "name: a", "r.yaml:1: the key \"lamina-recipe: 1\" is missing" },
  { "lamina-recipe: 2", "has format 2" },
  { "{lamina-recipe: 1, packages: a}", "has no name" },
  { "{lamina-recipe: 1, name: a, on: b, packages: a}", "has no group" },
  { "{lamina-recipe: 1, name: a, group: g, on: b}", "no packages, files or commands" },
  { "{lamina-recipe: 1, name: a, group: g, on: [], packages: a}", "has no \"on\"" },
  { "{lamina-recipe: 1, name: a, group: g, on: b, commands: a}", "needs a version" },
  { "{lamina-recipe: 1, name: a, group: g, on: b, packages: a, boot: bios}", "only a base" },
  { "{lamina-recipe: 1, name: a, commands: a, version: 1}", "a base, which has packages" },
  { "lamina-recipe: 1\nname: A", "r.yaml:2: a name" },
  { "lamina-recipe: 1\nnmae: a", "r.yaml:2: unknown key \"nmae\"" },
  { "lamina-recipe: 1\npackage: a", "unknown key \"package\" of a recipe; did you mean \"packages\"?" },
  { "{lamina-recipe: 1, packages: [-o=x]}", "a package" },
  { "{lamina-recipe: 1, packages: {a: b}}", "a list is expected" },
  { "{lamina-recipe: 1, files: [{to: etc/x, content: a}]}", "an absolute path" },
  { "{lamina-recipe: 1, files: [{to: /etc/../x, content: a}]}", "an absolute path" },
  { "{lamina-recipe: 1, files: [{to: /x}]}", "either \"from\" or \"content\"" },
  { "{lamina-recipe: 1, files: [{to: /x, from: a, content: b}]}", "either \"from\" or \"content\"" },
  { "{lamina-recipe: 1, files: [{to: /x, from: a, mode: 999}]}", "permissions" },
  { "{lamina-recipe: 1, services: [\"a;b\"]}", "name of a service" },
  { "{lamina-recipe: 1, resources: {disk: 3}}", "a size such as" },
  { "[a]", "a recipe is a mapping" },
};

static void
test_wrong (void)
{
  for (guint i = 0; i < G_N_ELEMENTS (wrong); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (LmRecipe) recipe = lm_recipe_parse ("r.yaml", wrong[i].text, strlen (wrong[i].text), &error);
      g_test_message ("%s: %s", wrong[i].text, error != NULL ? error->message : "accepted");
      g_assert_null (recipe);
      g_assert_error (error, LM_YAML_ERROR, LM_YAML_ERROR_TYPE);
      g_assert_nonnull (strstr (error->message, wrong[i].message));
    }
}

/* What would be too long for the appliance. */
static void
test_long (void)
{
  static const struct
  {
    const char *format; /* with the repeated text */
    const char *repeated;
    guint fits;
    const char *message;
  } cases[] = {
    { "{lamina-recipe: 1, name: a, on: b, group: g, version: 1, commands: [\"%s\"]}", ":", 64 * 1024, "not longer than 64 KiB" },
    { "{lamina-recipe: 1, name: a, on: b, group: g, version: 1, commands: a, services: [%s]}", "a,", 200, "more than 200 services" },
  };
  for (guint i = 0; i < 2 * G_N_ELEMENTS (cases); i++)
    {
      const guint times = cases[i / 2].fits + i % 2;
      g_autoptr (GString) many = g_string_new (NULL);
      for (guint n = 0; n < times; n++)
        g_string_append (many, cases[i / 2].repeated);
      g_auto (GStrv) parts = g_strsplit (cases[i / 2].format, "%s", 2);
      g_autofree char *text = g_strconcat (parts[0], many->str, parts[1], NULL);
      g_autoptr (GError) error = NULL;
      g_autoptr (LmRecipe) recipe = lm_recipe_parse ("r.yaml", text, strlen (text), &error);
      g_assert_true ((recipe != NULL) == (i % 2 == 0));
      if (i % 2 == 1)
        g_assert_nonnull (strstr (error->message, cases[i / 2].message));
    }
}

static void
write_file (const char *dir, const char *name, const char *text)
{
  g_autofree char *path = g_build_filename (dir, name, NULL);
  g_autoptr (GError) error = NULL;
  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
  g_assert_cmpint (g_chmod (path, 0640), ==, 0);
}

static LmDigest
digest_of (const char *path, const char *text)
{
  g_autoptr (LmRecipe) recipe = parse (path, text);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) payload = lm_payload_read (recipe, NULL, &error);
  g_assert_no_error (error);
  return lm_payload_digest (recipe, payload);
}

/* The command line of a base that boots by itself is on its disk; that of another is only in the catalog. */
static void
test_digest_of_cmdline (void)
{
  static const char base[] = "lamina-recipe: 1\nname: base\ngroup: os\nversion: 1\npackages: [init]\n";
  static const struct
  {
    const char *boot;
    gboolean same;
  } cases[] = { { "kernel", TRUE }, { "bios", FALSE }, { "uefi", FALSE } };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *one = g_strdup_printf ("%sboot: %s\ncmdline: quiet\n", base, cases[i].boot);
      g_autofree char *two = g_strdup_printf ("%sboot: %s\ncmdline: console=ttyS0\n", base, cases[i].boot);
      const LmDigest first = digest_of ("/r/base.yaml", one), second = digest_of ("/r/base.yaml", two);
      g_assert_cmpint (lm_digest_equal (&first, &second), ==, cases[i].same);
    }
}

static void
test_payload (void)
{
  g_autofree char *dir = g_dir_make_tmp ("lamina-test-XXXXXX", NULL);
  g_autofree char *path = g_build_filename (dir, "shop.yaml", NULL), *sub = g_build_filename (dir, "site", "sub", NULL);
  g_assert_cmpint (g_mkdir_with_parents (sub, 0755), ==, 0);
  write_file (dir, "site/b", "two");
  write_file (dir, "site/sub/a", "one");
  g_autoptr (LmRecipe) recipe = parse (path, shop);
  g_autoptr (GError) error = NULL;
  g_autoptr (GPtrArray) payload = lm_payload_read (recipe, NULL, &error);
  g_assert_no_error (error);
  static const char *const expected[] = { "/srv/shop", "/srv/shop/b", "/srv/shop/sub", "/srv/shop/sub/a", "/etc/shop.conf" };
  g_assert_cmpuint (payload->len, ==, G_N_ELEMENTS (expected));
  for (guint i = 0; i < payload->len; i++)
    g_assert_cmpstr (((LmPayloadItem *) g_ptr_array_index (payload, i))->to, ==, expected[i]);
  const LmPayloadItem *b = g_ptr_array_index (payload, 1);
  g_assert_cmpint (b->mode, ==, 0640);
  g_assert_cmpuint (b->size, ==, 3);

  /* The digest tells contents apart, but not what only the catalog says. */
  const LmDigest before = digest_of (path, shop);
  g_autofree char *other_summary = g_strdup (shop), *other_command = g_strdup (shop);
  strstr (other_summary, "Our")[0] = 'o';
  strstr (other_command, "--system")[2] = 'S';
  const LmDigest summary = digest_of (path, other_summary), command = digest_of (path, other_command);
  g_assert_true (lm_digest_equal (&before, &summary));
  g_assert_false (lm_digest_equal (&before, &command));
  write_file (dir, "site/sub/a", "ONE");
  const LmDigest content = digest_of (path, shop);
  g_assert_false (lm_digest_equal (&before, &content));

  g_autofree char *link = g_build_filename (dir, "site", "link", NULL);
  g_assert_cmpint (symlink ("b", link), ==, 0);
  g_assert_null (lm_payload_read (recipe, NULL, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NOT_REGULAR_FILE);
  g_assert_true (lm_file_remove_tree (dir, NULL));
}

/* What is done to the files of a recipe between lm_payload_read() and lm_payload_copy(); @dir is that of the recipe. */
typedef void (*ChangeFunc) (const char *dir);

static void
leave_files (const char *dir)
{
}

static void
change_file (const char *dir)
{
  write_file (dir, "site/b", "TWO");
}

static void
lengthen_file (const char *dir)
{
  write_file (dir, "site/b", "two and more");
}

static void
add_file (const char *dir)
{
  write_file (dir, "site/c", "late");
}

/* Another directory with the same files takes the place of @name, a link. */
static void
swap (const char *dir, const char *name)
{
  g_autofree char *old = g_build_filename (dir, name, NULL), *moved = g_build_filename (dir, "moved", NULL);
  g_assert_cmpint (g_rename (old, moved), ==, 0);
  g_assert_cmpint (symlink (moved, old), ==, 0);
}

static void
swap_root (const char *dir)
{
  swap (dir, "site");
}

static void
swap_dir (const char *dir)
{
  swap (dir, "site/sub");
}

static void
swap_file (const char *dir)
{
  swap (dir, "site/sub/a");
}

static void
put_fifo (const char *dir)
{
  g_autofree char *path = g_build_filename (dir, "site", "b", NULL);
  g_assert_cmpint (g_unlink (path), ==, 0);
  g_assert_cmpint (mkfifo (path, 0600), ==, 0);
}

/* What is copied is what was read, or nothing. */
static void
test_copy (void)
{
  static const struct
  {
    const char *name;
    ChangeFunc change;
    int code; /* -1: it is copied */
  } cases[] = {
    { "nothing", leave_files, -1 },
    { "a file has other content", change_file, G_IO_ERROR_BUSY },
    { "a file grows", lengthen_file, G_IO_ERROR_BUSY },
    { "a file is added", add_file, -1 },
    { "what the recipe names becomes a link", swap_root, -1 },
    { "a directory below becomes a link", swap_dir, G_IO_ERROR_NOT_REGULAR_FILE },
    { "a file below becomes a link", swap_file, G_IO_ERROR_NOT_REGULAR_FILE },
    { "a file becomes a pipe", put_fifo, G_IO_ERROR_NOT_REGULAR_FILE },
  };
  for (guint i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autofree char *dir = g_dir_make_tmp ("lamina-test-XXXXXX", NULL), *path = g_build_filename (dir, "shop.yaml", NULL);
      g_autofree char *sub = g_build_filename (dir, "site", "sub", NULL), *to = g_build_filename (dir, "copies", NULL);
      g_test_message ("%s", cases[i].name);
      g_assert_cmpint (g_mkdir_with_parents (sub, 0755), ==, 0);
      write_file (dir, "site/b", "two");
      write_file (dir, "site/sub/a", "one");
      g_autoptr (LmRecipe) recipe = parse (path, shop);
      g_autoptr (GError) error = NULL;
      g_autoptr (GPtrArray) payload = lm_payload_read (recipe, NULL, &error);
      g_assert_no_error (error);
      cases[i].change (dir);
      g_assert_true (lm_payload_copy (payload, to, NULL, &error) == (cases[i].code < 0));
      if (cases[i].code >= 0)
        g_assert_error (error, G_IO_ERROR, cases[i].code);
      for (guint n = 0; cases[i].code < 0 && n < payload->len; n++)
        {
          const LmPayloadItem *item = g_ptr_array_index (payload, n);
          g_autofree char *text = NULL;
          g_assert_true ((item->copy != NULL) == (item->from != NULL));
          if (item->copy == NULL)
            continue;
          g_assert_true (g_file_get_contents (item->copy, &text, NULL, NULL));
          g_assert_cmpstr (text, ==, g_str_has_suffix (item->from, "/b") ? "two" : "one");
        }
      g_assert_true (lm_file_remove_tree (dir, NULL));
    }
}

static LmRecipeLock *
make_lock (const char *recipe, const char *contents, const char *package)
{
  const LmDigest one = lm_digest_of_text (recipe);
  const LmDigest other = lm_recipe_lock_digest_contents ((char *[]){ (char *) contents, NULL });
  LmRecipeLock *lock = lm_recipe_lock_new (&one, &other);
  char *urls[] = { (char *) "http://u:secret@h/p.deb?token", NULL };
  LmBlob blob = { .kind = LM_BLOB_FILE, .digest = lm_digest_of_text (package), .size = 10, .urls = urls };
  lm_recipe_lock_add (lock, package, "1:2", "amd64", &blob);
  return lock;
}

static void
test_lock (void)
{
  g_autofree char *dir = g_dir_make_tmp ("lamina-test-XXXXXX", NULL);
  g_autofree char *recipe = g_build_filename (dir, "a.b.yaml", NULL), *path = lm_recipe_lock_path (recipe);
  g_autoptr (GError) error = NULL;
  g_assert_true (g_str_has_suffix (path, "/a.b.lock.json"));
  g_autoptr (GPtrArray) none = lm_recipe_lock_load (path, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (none->len, ==, 0);
  g_autofree char *pipe = g_build_filename (dir, "pipe.yaml", NULL), *input = lm_recipe_lock_path ("/dev/stdin");
  g_assert_cmpint (mkfifo (pipe, 0600), ==, 0);
  g_autofree char *beside_pipe = lm_recipe_lock_path (pipe);
  g_assert_null (input);
  g_assert_null (beside_pipe);

  g_autoptr (LmRecipeLock) first = make_lock ("r", "libc6=1", "p"), second = make_lock ("r", "libc6=2", "q");
  g_assert_true (lm_recipe_lock_save (path, none, first, &error));
  g_autoptr (GPtrArray) one = lm_recipe_lock_load (path, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (lm_recipe_lock_save (path, one, second, &error));
  g_autoptr (GPtrArray) two = lm_recipe_lock_load (path, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (two->len, ==, 2);
  LmRecipeLock *found = lm_recipe_lock_find (two, &first->recipe, &first->parent_contents);
  g_assert_nonnull (found);
  const LmLockedPackage *package = g_ptr_array_index (found->packages, 0);
  g_assert_cmpstr (package->name, ==, "p");
  g_assert_cmpstr (package->version, ==, "1:2");
  /* The file may be shown. */
  g_assert_cmpstr (package->blob.urls[0], ==, "http://h/p.deb");
  g_assert_cmpuint (package->blob.size, ==, 10);

  const LmDigest parent = lm_digest_of_text ("parent");
  const LmDigest same = lm_recipe_lock_get_identity (found, &parent), before = lm_recipe_lock_get_identity (first, &parent);
  const LmDigest other = lm_recipe_lock_get_identity (second, &parent), base = lm_recipe_lock_get_identity (first, NULL);
  g_assert_true (lm_digest_equal (&same, &before));
  g_assert_false (lm_digest_equal (&other, &before));
  g_assert_false (lm_digest_equal (&base, &before));

  /* Of a changed recipe, the locks of the old one are of no use. */
  g_autoptr (LmRecipeLock) changed = make_lock ("R", "libc6=1", "p");
  g_assert_true (lm_recipe_lock_save (path, two, changed, &error));
  g_autoptr (GPtrArray) last = lm_recipe_lock_load (path, NULL, &error);
  g_assert_cmpuint (last->len, ==, 1);

  /* What is edited by hand is not taken for nothing, which would be overwritten. */
#define DIGESTS "\"recipe\": \"sha256:" ZEROS "\", \"parent_packages\": \"sha256:" ZEROS "\""
#define ZEROS "0000000000000000000000000000000000000000000000000000000000000000"
  static const char *const wrong_locks[] = { "[{\"recipe\": \"x\"}]", "{}", "\"x\"", "[{" DIGESTS ", \"packages\": [], \"removed\": \"x\"}]",
                                             "[{" DIGESTS ", \"packages\": [], \"removed\": [5]}]", "[{" DIGESTS "}]" };
  for (guint i = 0; i < G_N_ELEMENTS (wrong_locks); i++)
    {
      g_autofree char *text = g_strdup_printf ("{\"lamina-lock\": 1, \"locks\": %s}", wrong_locks[i]);
      g_test_message ("%s", text);
      write_file (dir, "a.b.lock.json", text);
      g_assert_null (lm_recipe_lock_load (path, NULL, &error));
      g_assert_error (error, LM_RECIPE_LOCK_ERROR, LM_RECIPE_LOCK_ERROR_INVALID);
      g_clear_error (&error);
    }
  g_assert_true (lm_file_remove_tree (dir, NULL));
}

/* A name goes into a path of this host and a command of the guest. */
static void
test_lock_names (void)
{
  static const char *const bad[] = { "../p", "p'q", "-p", "p q", "", "p:i386", "p,q" };
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (LmRecipeLock) lock = make_lock ("r", "libc6=1", bad[i]);
      g_autoptr (GError) error = NULL;
      g_test_message ("%s", bad[i]);
      g_assert_false (lm_recipe_lock_check (lock, &error));
      g_assert_error (error, LM_RECIPE_LOCK_ERROR, LM_RECIPE_LOCK_ERROR_INVALID);
    }
  g_autoptr (LmRecipeLock) good = make_lock ("r", "libc6=1", "libstdc++6");
  g_autoptr (GError) error = NULL;
  g_assert_true (lm_recipe_lock_check (good, &error));
  const LmLockedPackage *package = g_ptr_array_index (good->packages, 0);
  lm_recipe_lock_add (good, package->name, "9", package->architecture, &package->blob);
  g_assert_false (lm_recipe_lock_check (good, &error));
  g_assert_error (error, LM_RECIPE_LOCK_ERROR, LM_RECIPE_LOCK_ERROR_INVALID);
  g_clear_error (&error);
  g_ptr_array_set_size (good->packages, 1);
  g_strfreev (good->removed);
  good->removed = g_strdupv ((char *[]){ (char *) "x;y", NULL });
  g_assert_false (lm_recipe_lock_check (good, &error));
  g_assert_error (error, LM_RECIPE_LOCK_ERROR, LM_RECIPE_LOCK_ERROR_INVALID);
}

#define RECIPE(name, more) "lamina-recipe: 1\nname: " name "\n" more

static void
test_dir (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *one = g_dir_make_tmp ("lamina-recipes-XXXXXX", NULL), *two = g_dir_make_tmp ("lamina-recipes-XXXXXX", NULL);
  g_autoptr (GPtrArray) warnings = g_ptr_array_new_with_free_func (g_free);
  const char *dirs[] = { one, "/nonexistent", two, NULL };
  write_file (one, "web.yaml", RECIPE ("web", "group: web\non: base\npackages: [x]\nversion: \"2\"\n"));
  write_file (one, "a.yml", RECIPE ("a", "group: web\non: base\npackages: [x]\n"));
  write_file (one, "broken.yaml", "lamina-recipe: 1\n");
  write_file (one, "web.lock.json", "{}");
  write_file (one, "README", "no recipe");
  write_file (two, "base.json", "{\"lamina-recipe\": 1, \"name\": \"base\", \"packages\": [\"x\"]}");
  write_file (two, "web.yaml", RECIPE ("web", "group: web\non: base\npackages: [y]\nversion: \"3\"\n"));
  g_autoptr (GPtrArray) recipes = lm_recipe_dir_load (dirs, warnings, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (recipes->len, ==, 3);
  g_assert_cmpuint (warnings->len, ==, 1);
  g_assert_nonnull (strstr (warnings->pdata[0], "broken.yaml"));
  g_assert_cmpstr (lm_recipe_dir_find (recipes, "web")->version, ==, "2");
  g_assert_null (lm_recipe_dir_find (recipes, "broken"));
  g_autoptr (GPtrArray) groups = g_ptr_array_new ();
  LmGroup web = { .name = (char *) "web", .multiple = TRUE };
  g_ptr_array_add (groups, &web);
  LmCatalog *catalog = lm_recipe_dir_catalog (recipes, groups, &error);
  g_assert_no_error (error);
  g_autoptr (LmLayer) layer = lm_catalog_load_layer (catalog, lm_catalog_find_name (catalog, "a"));
  g_assert_cmpstr (layer->version, ==, LM_RECIPE_VERSION_UNKNOWN);
  g_assert_cmpstr (layer->requires[0], ==, "base");
  g_assert_cmpuint (layer->builds->len, ==, 0);
  for (guint i = 0; i < lm_catalog_get_n_groups (catalog); i++)
    {
      g_autoptr (LmGroup) group = lm_catalog_load_group (catalog, i);
      g_assert_cmpint (group->multiple, ==, strcmp (group->name, "web") == 0);
    }
  lm_catalog_free (catalog);
  g_assert_true (lm_file_remove_tree (one, NULL) && lm_file_remove_tree (two, NULL));
}

/* A large lock takes no time: with a sort for each package it was more than a minute. They are in order in the end. */
static void
test_lock_order (void)
{
  enum { COUNT = 20000 };
  const LmDigest digest = lm_digest_of_text ("r");
  g_autoptr (LmRecipeLock) lock = lm_recipe_lock_new (&digest, &digest);
  LmBlob blob = { .kind = LM_BLOB_FILE, .name = (char *) "p", .urls = (char *[]){ (char *) "http://h/p.deb", NULL } };
  const gint64 start = g_get_monotonic_time ();
  for (guint i = 0; i < COUNT; i++)
    {
      g_autofree char *name = g_strdup_printf ("p%05u", i * 7919 % COUNT);
      lm_recipe_lock_add (lock, name, "1", "all", &blob);
    }
  g_assert_cmpint (g_get_monotonic_time () - start, <, 10 * G_USEC_PER_SEC);
  for (guint i = 1; i < COUNT; i++)
    g_assert_cmpstr (((LmLockedPackage *) g_ptr_array_index (lock->packages, i - 1))->name, <,
                     ((LmLockedPackage *) g_ptr_array_index (lock->packages, i))->name);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/recipe/parse", test_parse);
  g_test_add_func ("/recipe/base", test_base);
  g_test_add_func ("/recipe/wrong", test_wrong);
  g_test_add_func ("/recipe/long", test_long);
  g_test_add_func ("/recipe/payload", test_payload);
  g_test_add_func ("/recipe/copy", test_copy);
  g_test_add_func ("/recipe/digest-of-cmdline", test_digest_of_cmdline);
  g_test_add_func ("/recipe/dir", test_dir);
  g_test_add_func ("/recipe/lock", test_lock);
  g_test_add_func ("/recipe/lock-names", test_lock_names);
  g_test_add_func ("/recipe/lock-order", test_lock_order);
  return g_test_run ();
}

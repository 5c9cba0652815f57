/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/file.h"
#include "fetch/error.h"
#include "ops/obstacle.h"
#include "ops/port.h"
#include "ops/inventory.h"
#include "ops/remove.h"
#include "tests/unit/lib/tools.h"
#include "tests/unit/lib/unlock.h"
#include "tests/unit/ops/fixture.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utime.h>

static LmLaunchResult *
launch (OpsFixture *f, const char *layer, GError **error)
{
  g_autoptr (LmLaunchRequest) request = fixture_request (f, "m", layer);
  return lm_launch (&f->host, f->virt, request, NULL, error);
}

static void
assert_refused (OpsFixture *f, const char *layer, GQuark domain, int code)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (launch (f, layer, &error));
  g_assert_error (error, domain, code);
}

static gboolean
has_lock (const OpsFixture *f)
{
  g_autofree char *path = g_build_filename (f->state_dir, "machines", "m.lock", NULL);
  return g_file_test (path, G_FILE_TEST_EXISTS);
}

static void
stop (OpsFixture *f)
{
  g_autoptr (LmVirtDomain) domain = lm_virt_find_name (f->virt, "m", NULL);
  g_assert_true (lm_virt_domain_destroy (domain, NULL));
}

static void
test_success (OpsFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmLaunchResult) result = launch (f, "c", &error);
  g_assert_no_error (error);
  g_assert_true (result->started && !result->existed);
  g_assert_cmpuint (result->prepared.pulled, ==, 2);
  g_assert_cmpuint (result->machine->layers->len, ==, 2);
  g_assert_cmpint (result->machine->state, ==, LM_MACHINE_STATE_COMPLETE);
  g_autoptr (LmMachine) found = lm_machine_find (f->state_dir, "m", FIXTURE_URI, &error);
  g_assert_no_error (error);
  g_assert_cmpint (found->state, ==, LM_MACHINE_STATE_COMPLETE);
  g_assert_cmpstr (found->uuid, ==, result->machine->uuid);

  /* Again: there is nothing to do, and no catalog is needed. */
  f->host.catalogs = NULL;
  g_autoptr (LmLaunchResult) again = launch (f, "c", &error);
  g_assert_no_error (error);
  g_assert_true (again->existed && !again->started);
  stop (f);
  g_autoptr (LmLaunchResult) started = launch (f, "c", &error);
  g_assert_no_error (error);
  g_assert_true (started->existed && started->started);
  g_assert_cmpuint (fixture_machines (f), ==, 1);

  g_assert_true (lm_remove (&f->host, f->virt, "m", NULL, &error));
  g_assert_no_error (error);
  g_assert_cmpuint (fixture_machines (f), ==, 0);
  g_assert_false (lm_remove (&f->host, f->virt, "m", NULL, &error));
  g_assert_error (error, LM_MACHINE_ERROR, LM_MACHINE_ERROR_NOT_FOUND);
  g_assert_false (has_lock (f));
}

/* Files that killed runs were writing for the machine are removed when it is launched again. */
static void
test_leftovers (OpsFixture *f, gconstpointer data)
{
  static const struct
  {
    const char *name;
    gboolean stays;
  } files[] = { { "ready.lamina-tmp.Abc123", FALSE }, { "record.json.lamina-tmp.Abc123", FALSE },
                { "overlay.qcow2.lamina-tmp.Abc123", FALSE }, { "notes.lamina-tmp.Abc123", TRUE },
                { "record.json.backup", TRUE }, { "ready.before", TRUE }, { "overlay.qcow2", TRUE }, { "record.json", TRUE } };
  g_autoptr (GError) error = NULL;
  g_autoptr (LmMachine) machine = fixture_launch (f, "m", "c");
  g_strfreev (machine->files);
  machine->files = g_strsplit ("seed.iso", " ", -1);
  g_assert_true (lm_machine_save (machine, NULL));
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *path = g_build_filename (machine->dir, files[i].name, NULL);
      g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS) || g_file_set_contents (path, "x", 1, NULL));
    }
  g_autofree char *seed = g_build_filename (machine->dir, "seed.iso.lamina-tmp.Abc123", NULL);
  g_assert_true (lm_file_make_dir (seed, 0700, NULL));
  G_GNUC_UNUSED g_autoptr (LmLaunchResult) again = launch (f, "c", &error);
  g_assert_no_error (error);
  g_assert_false (g_file_test (seed, G_FILE_TEST_EXISTS));
  for (gsize i = 0; i < G_N_ELEMENTS (files); i++)
    {
      g_autofree char *path = g_build_filename (machine->dir, files[i].name, NULL);
      g_assert_true (g_file_test (path, G_FILE_TEST_EXISTS) == files[i].stays);
    }
}

/* Changes the version of the layers in the catalog. */
static void
make_newer (const OpsFixture *f)
{
  g_autofree char *text = NULL;
  g_assert_true (g_file_get_contents (f->catalog, &text, NULL, NULL));
  for (char *at = text; (at = strstr (at, "\"1.0\"")) != NULL;)
    at[1] = '2';
  g_assert_true (lm_file_write (f->catalog, text, strlen (text), 0644, NULL));
}

/* Selections in another order or form are the same machine, whatever versions exist
 * by now, and with --replace too; other layers are not. */
static void
test_same_name (OpsFixture *f, gconstpointer data)
{
  static const char *const ways[] = { "c@1.0 os=a", "a c", "app=c os=a", "os=a@1.0 app=c@1.0" };
  g_autoptr (GError) error = NULL;
  g_autoptr (LmMachine) machine = fixture_launch (f, "m", "c");
  for (guint i = 0; i < 2 * G_N_ELEMENTS (ways); i++)
    {
      if (i == G_N_ELEMENTS (ways))
        make_newer (f);
      g_autoptr (LmLaunchRequest) request = fixture_request (f, "m", "c");
      g_strfreev (request->selections);
      request->selections = g_strsplit (ways[i % G_N_ELEMENTS (ways)], " ", -1);
      request->replace = TRUE;
      g_autoptr (LmLaunchResult) result = lm_launch (&f->host, f->virt, request, NULL, &error);
      g_assert_no_error (error);
      g_assert_true (result->existed);
      g_assert_cmpstr (result->machine->uuid, ==, machine->uuid);
    }
  assert_refused (f, "e", LM_LAUNCH_ERROR, LM_LAUNCH_ERROR_DIFFERENT);
  g_assert_true (fixture_is_running (f, machine->uuid));
}

static void
test_foreign_domain (OpsFixture *f, gconstpointer data)
{
  fixture_define (f->virt, "m", "cccccccc-cccc-4ccc-8ccc-cccccccccccc", "");
  assert_refused (f, "c", LM_LAUNCH_ERROR, LM_LAUNCH_ERROR_EXISTS);
  g_autoptr (LmVirtDomain) domain = lm_virt_find_name (f->virt, "m", NULL);
  g_assert_nonnull (domain);
  g_assert_cmpuint (fixture_machines (f), ==, 0);
  g_assert_false (has_lock (f));
}

/* A launch that is refused leaves nothing. */
static void
test_refusals (OpsFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmLaunchRequest) request = fixture_request (f, "m", "c");
  request->wait = TRUE;
  g_assert_null (lm_launch (&f->host, f->virt, request, NULL, &error));
  g_assert_error (error, LM_LAUNCH_ERROR, LM_LAUNCH_ERROR_REQUEST);
  g_clear_error (&error);
  request->wait = FALSE;
  g_assert_true (lm_file_write (f->template, "<domain/>", 9, 0644, NULL));
  g_assert_null (lm_launch (&f->host, f->virt, request, NULL, &error));
  g_assert_nonnull (error);
  g_clear_error (&error);
  g_autoptr (GCancellable) cancelled = g_cancellable_new ();
  g_cancellable_cancel (cancelled);
  g_assert_null (lm_launch (&f->host, f->virt, request, cancelled, &error));
  g_assert_nonnull (error);
  g_assert_cmpuint (fixture_machines (f), ==, 0);
  g_assert_false (has_lock (f));
}

static const char *const points[] = {
  "record-before-write",  "record-after-write",  "overlay-before-publish", "launch-before-define",
  "launch-after-define",  "launch-before-start", "launch-after-start",     "launch-before-commit",
};

static void
test_failures (OpsFixture *f, gconstpointer data)
{
  for (gsize i = 0; i < G_N_ELEMENTS (points); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *fault = g_strconcat (points[i], "=enospc", NULL);
      g_setenv ("LAMINA_TEST_FAULT", fault, TRUE);
      g_assert_null (launch (f, "c", &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_NO_SPACE);
      g_unsetenv ("LAMINA_TEST_FAULT");
      g_assert_null (lm_virt_find_name (f->virt, "m", NULL));
      g_assert_cmpuint (fixture_machines (f), ==, 0);
      g_assert_false (has_lock (f));
    }
}

/* Killed at each fault point, as the next run finds it, also if that fails. */
static void
test_killed (OpsFixture *f, gconstpointer data)
{
  for (gsize i = 0; i < G_N_ELEMENTS (points); i++)
    for (guint way = 0; way < 3; way++)
      {
        g_autoptr (GError) error = NULL;
        g_autofree char *fault = g_strconcat (points[i], "=eio,roll-back=eio", NULL);
        g_setenv ("LAMINA_TEST_FAULT", fault, TRUE);
        g_assert_null (launch (f, "c", &error));
        g_unsetenv ("LAMINA_TEST_FAULT");
        g_clear_error (&error);
        if (way == 1)
          assert_refused (f, "nonsense", LM_RESOLVE_ERROR, LM_RESOLVE_ERROR_UNKNOWN);
        if (way == 2)
          (void) !lm_remove (&f->host, f->virt, "m", NULL, NULL);
        g_autoptr (LmMachine) machine G_GNUC_UNUSED = fixture_launch (f, "m", "c");
        g_assert_cmpuint (fixture_machines (f), ==, 1);
        g_assert_true (lm_remove (&f->host, f->virt, "m", NULL, &error));
        g_assert_no_error (error);
        g_assert_cmpuint (fixture_machines (f), ==, 0);
        g_assert_null (lm_virt_find_name (f->virt, "m", NULL));
      }
}

/* If it cannot be determined who uses the files, they are kept, but the domain is
 * removed; the rest is removed later, although the guest has run. */
static void
test_rolled_back_in_part (OpsFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmMachine) other = lm_machine_new (f->state_dir, "other", NULL);
  other->state = LM_MACHINE_STATE_COMPLETE;
  other->uri = g_strdup ("test:///nowhere/node.xml");
  g_assert_true (lm_machine_save (other, NULL));
  g_setenv ("LAMINA_TEST_FAULT", "launch-before-commit=eio", TRUE);
  g_assert_null (launch (f, "c", &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_unsetenv ("LAMINA_TEST_FAULT");
  g_assert_cmpuint (f->warnings->len, ==, 1);
  g_assert_null (lm_virt_find_name (f->virt, "m", NULL));
  g_autoptr (LmMachine) left = lm_machine_find (f->state_dir, "m", FIXTURE_URI, NULL);
  g_assert_nonnull (left);
  g_assert_cmpint (utime (left->overlay, NULL), ==, 0);
  g_assert_true (lm_machine_erase (other, NULL));
  g_autoptr (LmMachine) machine = fixture_launch (f, "m", "c");
  g_assert_cmpstr (machine->uuid, !=, left->uuid);
  g_assert_cmpuint (fixture_machines (f), ==, 1);
}

/* A removal that was killed is completed by the next launch, which then creates the machine. */
static void
test_removal_killed (OpsFixture *f, gconstpointer data)
{
  static const char *const steps[] = { "remove-before-undefine", "remove-after-undefine", "erase-before-record" };
  for (gsize i = 0; i < G_N_ELEMENTS (steps); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (LmMachine) machine = fixture_launch (f, "m", "c");
      g_autofree char *fault = g_strconcat (steps[i], "=eio", NULL);
      g_setenv ("LAMINA_TEST_FAULT", fault, TRUE);
      g_assert_false (lm_remove (&f->host, f->virt, "m", NULL, &error));
      g_unsetenv ("LAMINA_TEST_FAULT");
      g_autoptr (LmMachine) next = fixture_launch (f, "m", "e");
      g_assert_cmpstr (next->uuid, !=, machine->uuid);
      g_assert_cmpuint (fixture_machines (f), ==, 1);
      g_assert_true (lm_remove (&f->host, f->virt, "m", NULL, NULL));
    }
}

/* A missing layer of an existing machine is fetched again by its digest, without a
 * catalog; if all layers are cached, nothing is fetched or requested. */
static void
test_missing_layer (OpsFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmMachine) machine = fixture_launch (f, "m", "c");
  f->host.catalogs = NULL;
  for (guint i = 0; i < machine->layers->len; i++)
    {
      const LmDomainLayer *layer = g_ptr_array_index (machine->layers, i);
      stop (f);
      g_assert_cmpint (unlink (unlock_file (layer->path)), ==, 0);
      g_autoptr (LmLaunchResult) result = launch (f, "c", &error);
      g_assert_no_error (error);
      g_assert_true (result->existed && result->started);
      g_assert_cmpuint (result->prepared.pulled, ==, 1);
      g_assert_true (g_file_test (layer->path, G_FILE_TEST_EXISTS));
    }
  const LmDomainLayer *top = g_ptr_array_index (machine->layers, 1);
  g_autofree char *source = g_build_filename (f->top, "c", NULL);
  g_assert_cmpint (unlink (source), ==, 0);
  stop (f);
  g_autoptr (LmLaunchResult) offline = launch (f, "c", &error);
  g_assert_no_error (error);
  g_assert_true (offline->started);
  stop (f);
  g_assert_cmpint (unlink (unlock_file (top->path)), ==, 0);
  assert_refused (f, "c", LM_FETCH_ERROR, LM_FETCH_ERROR_SOURCE);
  g_assert_false (fixture_is_running (f, machine->uuid));
}

/* Renames the file @from to @to, in the catalog too. */
static void
move_file (OpsFixture *f, const char *from, const char *to)
{
  g_autofree char *old_path = g_build_filename (f->top, from, NULL);
  g_autofree char *new_path = g_build_filename (f->top, to, NULL);
  g_autofree char *text = NULL;
  g_assert_cmpint (rename (old_path, new_path), ==, 0);
  g_assert_true (g_file_get_contents (f->catalog, &text, NULL, NULL));
  g_auto (GStrv) parts = g_strsplit (text, old_path, -1);
  g_autofree char *changed = g_strjoinv (new_path, parts);
  g_assert_cmpstr (text, !=, changed);
  g_assert_true (g_file_set_contents (f->catalog, changed, -1, NULL));
}

/* If the recorded URLs fail, those in the catalogs are used. */
static void
test_moved_layer (OpsFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmMachine) machine = fixture_launch (f, "m", "c");
  stop (f);
  move_file (f, "c", "c-moved");
  for (guint i = 0; i < machine->layers->len; i++)
    g_assert_cmpint (unlink (unlock_file (((LmDomainLayer *) g_ptr_array_index (machine->layers, i))->path)), ==, 0);
  const char *const *catalogs = f->host.catalogs;
  f->host.catalogs = NULL;
  g_assert_null (launch (f, "c", &error));
  g_assert_error (error, LM_FETCH_ERROR, LM_FETCH_ERROR_SOURCE);
  g_assert_nonnull (strstr (error->message, "the catalogs have no other URL"));
  g_clear_error (&error);
  f->host.catalogs = catalogs;
  g_autoptr (LmLaunchResult) result = launch (f, "c", &error);
  g_assert_no_error (error);
  g_assert_true (result->existed && result->started);
  g_assert_cmpuint (result->prepared.pulled + result->prepared.cached, ==, 2);
}

/* Adds a kernel and an initrd to the layer c. */
static void
add_boot_files (OpsFixture *f)
{
  g_autoptr (GString) boot = g_string_new ("  - name: c\n    boot:\n");
  for (guint i = 0; i < 2; i++)
    {
      const char *name = i == 0 ? "kernel" : "initrd";
      const LmDigest digest = lm_digest_of_text (name);
      char text[LM_DIGEST_STRING_SIZE];
      g_autofree char *path = g_build_filename (f->top, name, NULL);
      g_assert_true (g_file_set_contents (path, name, -1, NULL));
      g_string_append_printf (boot, "      %s: {digest: \"%s\", size: 6, urls: [\"file://%s\"]}\n", name,
                              lm_digest_format (&digest, text), path);
    }
  g_autofree char *catalog = NULL;
  g_assert_true (g_file_get_contents (f->catalog, &catalog, NULL, NULL));
  g_auto (GStrv) parts = g_strsplit (catalog, "  - name: c\n", -1);
  g_autofree char *changed = g_strjoinv (boot->str, parts);
  g_assert_true (g_file_set_contents (f->catalog, changed, -1, NULL));
  fixture_write_template (f, "<?lamina kernel?>");
}

static void
assert_content (const char *path, const char *text)
{
  g_autofree char *found = NULL;
  g_assert_true (g_file_get_contents (path, &found, NULL, NULL));
  g_assert_cmpstr (found, ==, text);
}

/* Missing or damaged copies of kernel and initrd are created again before a start,
 * from the cache or, if necessary, from the URLs of the blobs. */
static void
test_boot_files (OpsFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  add_boot_files (f);
  g_autoptr (LmMachine) machine = fixture_launch (f, "m", "c");
  g_autofree char *source = g_build_filename (f->top, "kernel", NULL);
  g_autofree char *blobs = g_build_filename (f->state_dir, "blobs", NULL);
  f->host.catalogs = NULL;
  const char *const copies[] = { machine->kernel, machine->initrd };
  for (guint i = 0; i < 8; i++)
    {
      const char *copy = copies[i % 2];
      gboolean damaged = i % 4 >= 2;
      stop (f);
      g_ptr_array_set_size (f->warnings, 0);
      g_assert_cmpint (unlink (copy), ==, 0);
      g_assert_true (!damaged || g_file_set_contents (copy, "kernes", -1, NULL));
      if (i >= 4)
        g_assert_true (lm_file_remove_tree (unlock_tree (blobs), NULL));
      g_autoptr (LmLaunchResult) result = launch (f, "c", &error);
      g_assert_no_error (error);
      g_assert_true (result->existed && result->started);
      g_assert_cmpuint (result->prepared.pulled, ==, i >= 4);
      assert_content (machine->kernel, "kernel");
      assert_content (machine->initrd, "initrd");
      g_assert_cmpuint (f->warnings->len, ==, 1);
      g_assert_nonnull (strstr (g_ptr_array_index (f->warnings, 0), copy));
    }
  /* An intact copy needs no blob; if a missing one cannot be created, the launch
   * fails before the start. */
  g_assert_true (lm_file_remove_tree (unlock_tree (blobs), NULL));
  g_assert_cmpint (unlink (source), ==, 0);
  stop (f);
  g_autoptr (LmLaunchResult) offline = launch (f, "c", &error);
  g_assert_no_error (error);
  g_assert_true (offline->started);
  stop (f);
  g_assert_cmpint (unlink (machine->kernel), ==, 0);
  assert_refused (f, "c", LM_FETCH_ERROR, LM_FETCH_ERROR_SOURCE);
  g_assert_false (fixture_is_running (f, machine->uuid));
  /* The URL of a kernel can also come from the catalogs. */
  g_assert_true (g_file_set_contents (source, "kernel", -1, NULL));
  move_file (f, "kernel", "kernel-moved");
  f->host.catalogs = f->catalogs;
  g_autoptr (LmLaunchResult) last = launch (f, "c", &error);
  g_assert_no_error (error);
  g_assert_true (last->started);
  assert_content (machine->kernel, "kernel");
}

static void
test_transient (OpsFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmLaunchRequest) request = fixture_request (f, "m", "c");
  request->transient = TRUE;
  g_autoptr (LmLaunchResult) result = lm_launch (&f->host, f->virt, request, NULL, &error);
  g_assert_no_error (error);
  g_assert_true (result->started);
  stop (f);
  g_assert_null (lm_virt_find_name (f->virt, "m", NULL));
  g_autoptr (LmMachine) next G_GNUC_UNUSED = fixture_launch (f, "m", "e");
  g_assert_cmpuint (fixture_machines (f), ==, 1);
}

/* The disk of a machine whose domain was undefined is kept. */
static void
test_without_domain (OpsFixture *f, gconstpointer data)
{
  g_autoptr (LmMachine) machine = fixture_launch (f, "m", "c");
  stop (f);
  g_autoptr (LmVirtDomain) domain = lm_virt_find_name (f->virt, "m", NULL);
  g_assert_true (lm_virt_domain_undefine (domain, FALSE, NULL));
  assert_refused (f, "c", LM_LAUNCH_ERROR, LM_LAUNCH_ERROR_EXISTS);
  g_assert_true (g_file_test (machine->overlay, G_FILE_TEST_EXISTS));
}

/* If something that a start needs does not exist, define warns and launch fails. */
static void
test_obstacles (OpsFixture *f, gconstpointer data)
{
  static const struct
  {
    const char *network;
    const char *cpu;
    const char *publish;
    const char *warning; /* expected in it; NULL if there is none */
  } cases[] = {
    { "network=default", NULL, NULL, NULL },  { "network=nowhere", NULL, NULL, "network nowhere" },
    { "bridge=lo", NULL, NULL, NULL },        { "bridge=nowhere", NULL, NULL, "bridge nowhere" },
    { NULL, "Nehalem", NULL, NULL },          { NULL, "max", NULL, NULL },
    { NULL, "host-model", NULL, NULL },       { NULL, "Nowhere", NULL, "CPU model Nowhere" },
    { NULL, NULL, "127.0.0.1:8080:80", NULL }, { NULL, NULL, "192.0.2.1:8080:80", "192.0.2.1 is not an address" },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (LmLaunchRequest) request = fixture_request (f, "m", "c");
      if (cases[i].network != NULL)
        {
          request->networks = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_domain_network_free);
          g_ptr_array_add (request->networks, lm_domain_network_parse (cases[i].network, NULL));
        }
      if (cases[i].publish != NULL)
        g_ptr_array_add (request->publish, lm_domain_publish_parse (cases[i].publish, NULL));
      request->cpu = g_strdup (cases[i].cpu);
      request->start = FALSE;
      g_ptr_array_set_size (f->warnings, 0);
      g_autoptr (LmLaunchResult) result G_GNUC_UNUSED = lm_launch (&f->host, f->virt, request, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (f->warnings->len, ==, cases[i].warning != NULL ? 1 : 0);
      if (cases[i].warning != NULL)
        g_assert_nonnull (strstr (g_ptr_array_index (f->warnings, 0), cases[i].warning));
      g_assert_true (lm_remove (&f->host, f->virt, "m", NULL, NULL));
      if (cases[i].warning == NULL)
        continue;
      request->start = TRUE;
      g_assert_null (lm_launch (&f->host, f->virt, request, NULL, &error));
      g_assert_true (g_error_matches (error, LM_OBSTACLE_ERROR, LM_OBSTACLE_ERROR_MISSING)
                     || g_error_matches (error, LM_PORT_ERROR, LM_PORT_ERROR_ADDRESS));
      g_assert_cmpuint (fixture_machines (f), ==, 0);
    }
}

/* If another process has the lock of the name, that is reported, and the wait can be cancelled. */
static void
test_busy_name (OpsFixture *f, gconstpointer data)
{
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_autoptr (LmLock) lock G_GNUC_UNUSED = lm_machine_lock (f->state_dir, "m", 0, NULL, &error);
      g_assert_no_error (error);
      g_autoptr (LmLaunchRequest) request = fixture_request (f, "m", "c");
      f->cancel_on_status = cancellable;
      if (i == 0)
        g_assert_null (lm_launch (&f->host, f->virt, request, cancellable, &error));
      else
        g_assert_false (lm_remove (&f->host, f->virt, "m", cancellable, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
      f->cancel_on_status = NULL;
    }
}

/* If something that is not a file has the name of a layer, that is reported before anything is pulled. */
static void
test_no_file (OpsFixture *f, gconstpointer data)
{
  g_autoptr (LmMachine) machine = fixture_launch (f, "m", "c");
  const LmDomainLayer *top = g_ptr_array_index (machine->layers, 1);
  g_assert_true (lm_remove (&f->host, f->virt, "m", NULL, NULL));
  g_assert_cmpint (unlink (unlock_file (top->path)), ==, 0);
  g_assert_cmpint (mkdir (top->path, 0755), ==, 0);
  assert_refused (f, "c", LM_CACHE_ERROR, LM_CACHE_ERROR_CONFLICT);
  g_assert_cmpint (rmdir (top->path), ==, 0);
  g_assert_cmpint (symlink ("/dev/null", top->path), ==, 0);
  assert_refused (f, "c", LM_CACHE_ERROR, LM_CACHE_ERROR_CONFLICT);
  g_assert_cmpuint (f->warnings->len, ==, 0);
}

/* A deleted disk is reported, and the console only if there is a domain. */
static void
test_inventory (OpsFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmMachine) machine = fixture_launch (f, "m", "c");
  g_autoptr (LmInventoryEntry) good = lm_inventory_find (&f->host, f->virt, "m", &error);
  g_assert_no_error (error);
  g_assert_false (good->overlay_missing);
  g_assert_cmpstr (good->domain_name, ==, "m");
  stop (f);
  g_assert_cmpint (unlink (machine->overlay), ==, 0);
  g_autoptr (LmInventoryEntry) gone = lm_inventory_find (&f->host, f->virt, "m", &error);
  g_assert_no_error (error);
  g_assert_true (gone->overlay_missing);
  g_setenv ("LAMINA_TEST_FAULT", "launch-before-start=eio", TRUE);
  g_assert_null (launch (f, "c", &error));
  g_unsetenv ("LAMINA_TEST_FAULT");
  g_assert_nonnull (strstr (error->message, "is missing"));
  g_autoptr (LmVirtDomain) domain = lm_virt_find_name (f->virt, "m", NULL);
  g_assert_true (lm_virt_domain_undefine (domain, FALSE, NULL));
  g_autoptr (LmInventoryEntry) none = lm_inventory_find (&f->host, f->virt, "m", NULL);
  g_assert_null (none->domain_name);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (!tools_have ("qemu-img"))
    return 0;
#define ADD(name) g_test_add ("/launch/" #name, OpsFixture, NULL, fixture_setup, test_##name, fixture_teardown)
  ADD (success);
  ADD (leftovers);
  ADD (same_name);
  ADD (foreign_domain);
  ADD (refusals);
  ADD (failures);
  ADD (killed);
  ADD (rolled_back_in_part);
  ADD (removal_killed);
  ADD (missing_layer);
  ADD (moved_layer);
  ADD (boot_files);
  ADD (transient);
  ADD (without_domain);
  ADD (obstacles);
  ADD (busy_name);
  ADD (no_file);
  ADD (inventory);
#undef ADD
  return g_test_run ();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "tests/unit/ops/fixture.h"
#include "base/digest.h"
#include "base/file.h"
#include "base/hasher.h"
#include "tests/unit/lib/tools.h"
#include "tests/unit/lib/unlock.h"

#include <string.h>

/* %s is replaced by more elements of <os>. */
#define TEMPLATE                                                                                                       \
  "<domain type='test'><name>@NAME@</name><uuid>@UUID@</uuid><memory unit='b'>@MEMORY@</memory>"                       \
  "<os><type arch='i686'>hvm</type>%s</os><?lamina cpu?><devices><?lamina disks?><?lamina interfaces?></devices></domain>"

static void
on_warning (gpointer user_data, const char *text)
{
  OpsFixture *f = user_data;
  g_ptr_array_add (f->warnings, g_strdup (text));
}

static void
on_status (gpointer user_data, const char *text)
{
  const OpsFixture *f = user_data;
  g_cancellable_cancel (f->cancel_on_status);
}

static void
on_progress (const LmFetchProgress *progress, gpointer user_data)
{
}

static void
write_text (const char *path, const char *text)
{
  g_autoptr (GError) error = NULL;
  g_assert_true (lm_file_write (path, text, strlen (text), 0644, &error));
  g_assert_no_error (error);
}

void
fixture_write_template (const OpsFixture *f, const char *os)
{
  g_autofree char *text = g_strdup_printf (TEMPLATE, os);
  write_text (f->template, text);
}

void
fixture_mkqcow2 (const char *kind, const char *path, const char *parent, const char *size)
{
  if (parent != NULL)
    g_free (tools_mkqcow2 (kind, path, "--parent", parent, "--size", size, NULL));
  else
    g_free (tools_mkqcow2 (kind, path, "--size", size, NULL));
}

static char *
digest_of (const char *path, gsize *out_size)
{
  g_autofree char *data = NULL;
  g_assert_true (g_file_get_contents (path, &data, out_size, NULL));
  g_autoptr (LmHasher) hasher = lm_hasher_new ();
  lm_hasher_update (hasher, data, *out_size);
  LmDigest digest;
  lm_hasher_peek (hasher, &digest);
  return lm_digest_to_string (&digest);
}

/* Creates the layer and its entry in the catalog. Returns its digest, newly allocated. */
static char *
add_layer (OpsFixture *f, GString *catalog, const char *name, const char *parent, const char *size)
{
  g_autofree char *path = g_build_filename (f->top, name, NULL);
  gsize bytes;
  fixture_mkqcow2 (parent != NULL ? "good-v3-child" : "good-v3", path,
                   parent != NULL ? parent + strlen ("sha256:") : NULL, size);
  g_autofree char *digest = digest_of (path, &bytes);
  g_string_append_printf (catalog, "  - name: %s\n    version: \"1.0\"\n    group: %s\n    builds:\n      - {", name,
                          parent != NULL ? "app" : "os");
  if (parent != NULL)
    g_string_append_printf (catalog, "parent: \"%s\", ", parent);
  g_string_append_printf (catalog, "digest: \"%s\", size: %" G_GSIZE_FORMAT ", urls: [\"file://%s\"]}\n", digest, bytes,
                          path);
  return g_steal_pointer (&digest);
}

static void
make_catalog (OpsFixture *f)
{
  g_autoptr (GString) text = g_string_new (
    "lamina-catalog: 1\nname: lab\ngroups:\n  - {name: os, required: true}\n  - {name: app}\nlayers:\n");
  g_autofree char *base = add_layer (f, text, "a", NULL, "1048576");
  g_autofree char *c G_GNUC_UNUSED = add_layer (f, text, "c", base, "1048576");
  g_autofree char *e G_GNUC_UNUSED = add_layer (f, text, "e", base, "2097152");
  f->catalog = g_build_filename (f->top, "catalog.yaml", NULL);
  write_text (f->catalog, text->str);
}

void
fixture_setup (OpsFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  f->top = g_dir_make_tmp ("lm-ops-XXXXXX", &error);
  g_assert_no_error (error);
  f->state_dir = g_build_filename (f->top, "state", NULL);
  f->template = g_build_filename (f->top, "template.xml", NULL);
  f->warnings = g_ptr_array_new_with_free_func (g_free);
  fixture_write_template (f, "");
  make_catalog (f);
  f->catalogs[0] = f->catalog;
  f->virt = lm_virt_connect (FIXTURE_URI, NULL, &error);
  g_assert_no_error (error);
  f->host = (LmHost){
    .state_dir = f->state_dir,
    .uri = FIXTURE_URI,
    .catalogs = f->catalogs,
    .warning = on_warning,
    .status = on_status,
    .progress = on_progress,
    .user_data = f,
  };
}

void
fixture_teardown (OpsFixture *f, gconstpointer data)
{
  g_unsetenv ("LAMINA_TEST_FAULT");
  lm_virt_free (f->virt);
  g_assert_true (lm_file_remove_tree (unlock_tree (f->top), NULL));
  g_ptr_array_unref (f->warnings);
  g_free (f->top);
  g_free (f->state_dir);
  g_free (f->catalog);
  g_free (f->template);
}

LmLaunchRequest *
fixture_request (const OpsFixture *f, const char *name, const char *layer)
{
  const char *const selections[] = { "a", layer, NULL };
  LmLaunchRequest *request = lm_launch_request_new ();
  request->name = g_strdup (name);
  request->selections = g_strdupv ((char **) selections);
  request->virt_type = g_strdup ("qemu");
  request->template = g_strdup (f->template);
  request->start = TRUE;
  return request;
}

LmMachine *
fixture_launch (OpsFixture *f, const char *name, const char *layer)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmLaunchRequest) request = fixture_request (f, name, layer);
  g_autoptr (LmLaunchResult) result = lm_launch (&f->host, f->virt, request, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (result);
  g_assert_true (fixture_is_running (f, result->machine->uuid));
  return g_steal_pointer (&result->machine);
}

void
fixture_define (LmVirt *virt, const char *name, const char *uuid, const char *devices)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *xml
    = g_strdup_printf ("<domain type='test'><name>%s</name><uuid>%s</uuid><memory>8192</memory>"
                       "<os><type arch='i686'>hvm</type></os><devices>%s</devices></domain>", name, uuid, devices);
  g_autoptr (LmVirtDomain) domain = lm_virt_define (virt, xml, name, uuid, &error);
  g_assert_no_error (error);
  g_assert_nonnull (domain);
}

gboolean
fixture_is_running (const OpsFixture *f, const char *uuid)
{
  g_autoptr (LmVirtDomain) domain = lm_virt_find_uuid (f->virt, uuid, NULL);
  return domain != NULL && lm_virt_domain_is_active (domain);
}

guint
fixture_machines (const OpsFixture *f)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *dir = g_build_filename (f->state_dir, "machines", NULL);
  g_autoptr (GPtrArray) names = lm_file_list_dir (dir, &error);
  g_assert_no_error (error);
  guint count = 0;
  for (guint i = 0; i < names->len; i++)
    count += g_uuid_string_is_valid (names->pdata[i]) ? 1 : 0;
  return count;
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "tests/unit/ops/fixture.h"
#include "base/file.h"
#include "cache/database.h"
#include "users/file-users.h"
#include "users/layer-users.h"
#include "ops/remove.h"
#include "tests/unit/lib/tools.h"

#include <libvirt/libvirt.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define OTHER_UUID "5a1f9c1e-6d0f-4f5c-9f43-0e2f4f1a9b77"
#define DISK "<disk type='file'><source file='%s'/><target dev='vda' bus='virtio'/></disk>"

static LmLayerUsers *
collect (OpsFixture *f)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmCache) cache = lm_cache_open (f->state_dir, NULL, &error);
  const LmUsersScope scope = lm_host_scope (&f->host);
  LmLayerUsers *users = lm_layer_users_collect (&scope, f->virt, cache, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (users);
  return users;
}

static LmLayerUse *
find (const LmLayerUsers *users, const char *path)
{
  for (guint i = 0; i < users->files->len; i++)
    {
      LmLayerUse *use = g_ptr_array_index (users->files, i);
      if (strcmp (use->entry->path, path) == 0)
        return use;
    }
  g_assert_not_reached ();
}

/* Asserts that exactly the users in @expected, separated by commas, use the layer with the path @path. */
static void
assert_users (OpsFixture *f, const char *path, const char *expected)
{
  g_autoptr (LmLayerUsers) users = collect (f);
  const LmLayerUse *use = find (users, path);
  g_autoptr (GString) text = g_string_new (NULL);
  for (guint i = 0; i < use->users->len; i++)
    {
      g_autofree char *user = lm_layer_user_to_text (g_ptr_array_index (use->users, i));
      g_string_append_printf (text, "%s%s", i > 0 ? "; " : "", user);
    }
  g_assert_cmpstr (text->str, ==, expected);
  g_assert_cmpuint (users->unknown->len, ==, 0);
}

static const char *
layer_path (const LmMachine *machine, guint number)
{
  return ((LmDomainLayer *) g_ptr_array_index (machine->layers, number))->path;
}

static void
undefine (OpsFixture *f, const char *uuid)
{
  g_autoptr (LmVirtDomain) domain = lm_virt_find_uuid (f->virt, uuid, NULL);
  (void) !lm_virt_domain_destroy (domain, NULL);
  g_assert_true (lm_virt_domain_undefine (domain, FALSE, NULL));
}

/* A machine in all states of its domain, and without one. */
static void
test_machine (OpsFixture *f, gconstpointer data)
{
  g_autoptr (LmMachine) machine = fixture_launch (f, "m", "c");
  virConnectPtr connection = virConnectOpen (FIXTURE_URI);
  virDomainPtr domain = virDomainLookupByName (connection, "m");
  for (guint i = 0; i < 2; i++)
    assert_users (f, layer_path (machine, i), "machine m (running)");
  g_assert_cmpint (virDomainSuspend (domain), ==, 0);
  assert_users (f, layer_path (machine, 0), "machine m (paused)");
  g_assert_cmpint (virDomainResume (domain), ==, 0);
  g_assert_cmpint (virDomainManagedSave (domain, 0), ==, 0);
  assert_users (f, layer_path (machine, 0), "machine m (saved)");
  g_assert_cmpint (virDomainManagedSaveRemove (domain, 0), ==, 0);
  virDomainSnapshotPtr snapshot = virDomainSnapshotCreateXML (domain, "<domainsnapshot><name>s</name></domainsnapshot>", 0);
  g_assert_nonnull (snapshot);
  assert_users (f, layer_path (machine, 0), "machine m (shut off, 1 snapshot)");
  g_assert_cmpint (virDomainSnapshotDelete (snapshot, 0), ==, 0);
  virDomainSnapshotFree (snapshot);
  g_assert_cmpint (virDomainRename (domain, "renamed", 0), ==, 0);
  assert_users (f, layer_path (machine, 0), "machine renamed (shut off)");
  virDomainFree (domain);
  virConnectClose (connection);
  undefine (f, machine->uuid);
  assert_users (f, layer_path (machine, 0), "machine m (no domain)");
  g_autoptr (GError) error = NULL;
  g_assert_true (lm_remove (&f->host, f->virt, "m", NULL, &error));
  assert_users (f, layer_path (machine, 1), "");
}

/* Asserts that a domain with @devices, in which %s is @path, is found as a user of @layer, shut off and running. */
static void
check_domain (OpsFixture *f, const char *layer, const char *devices, const char *path)
{
  g_auto (GStrv) parts = g_strsplit (devices, "%s", -1);
  g_autofree char *filled = g_strjoinv (path, parts);
  fixture_define (f->virt, "other", OTHER_UUID, filled);
  assert_users (f, layer, "domain other (shut off, on test:///default)");
  g_autoptr (LmVirtDomain) domain = lm_virt_find_uuid (f->virt, OTHER_UUID, NULL);
  g_assert_true (lm_virt_domain_start (domain, NULL));
  assert_users (f, layer, "domain other (running, on test:///default)");
  undefine (f, OTHER_UUID);
}

static void
make_overlay (const char *path, const char *backing)
{
  const char *argv[] = { "qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2", "-u", "-b", backing, path, "1M", NULL };
  g_free (tools_run (argv));
}

/* Launches a machine and removes it, so that its layers stay without a user. Returns its former record. */
static LmMachine *
pull_layers (OpsFixture *f, const char *layer)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmMachine) machine = fixture_launch (f, "m", layer);
  g_assert_true (lm_remove (&f->host, f->virt, "m", NULL, &error));
  g_assert_no_error (error);
  return g_steal_pointer (&machine);
}

/* Domains that lamina did not make, which refer to a layer by its path, by another path, or through other images. */
static void
test_domains (OpsFixture *f, gconstpointer data)
{
  g_autoptr (LmMachine) machine = pull_layers (f, "c");
  const char *base = layer_path (machine, 0), *top = layer_path (machine, 1);
  g_autofree char *soft = g_build_filename (f->top, "soft", NULL);
  g_autofree char *hard = g_build_filename (f->top, "hard", NULL);
  g_autofree char *one = g_build_filename (f->top, "one.qcow2", NULL);
  g_autofree char *two = g_build_filename (f->top, "two.qcow2", NULL);
  g_assert_cmpint (symlink (base, soft), ==, 0);
  g_assert_cmpint (link (base, hard), ==, 0);
  check_domain (f, base, DISK, base);
  check_domain (f, base, DISK, soft);
  check_domain (f, base, DISK, hard);
  check_domain (f, base, DISK, top); /* the parent is needed as well */
  check_domain (f, base, "<serial type='file'><source path='%s'/></serial>", base);
  make_overlay (one, top);
  make_overlay (two, "one.qcow2");
  check_domain (f, top, DISK, two);
  check_domain (f, base, DISK, two);
  g_autofree char *json = g_strdup_printf ("json:{\"driver\":\"qcow2\",\"file\":{\"driver\":\"file\",\"filename\":\"%s\"}}", top);
  make_overlay (one, json);
  check_domain (f, base, DISK, two);
  /* QEMU accepts these quotes as well. */
  make_overlay (one, g_strdelimit (json, "\"", '\''));
  check_domain (f, base, DISK, two);
  /* QEMU takes relative names from the directory of a symbolic link, others from that of the file. */
  g_autofree char *sub = g_build_filename (f->top, "sub", NULL);
  g_autofree char *moved = g_build_filename (sub, "linked", NULL);
  g_assert_cmpint (mkdir (sub, 0700), ==, 0);
  g_assert_cmpint (symlink (two, moved), ==, 0);
  g_autofree char *beside = g_build_filename (sub, "beside", NULL);
  g_assert_cmpint (symlink (top, beside), ==, 0);
  make_overlay (two, "beside");
  check_domain (f, top, DISK, moved);
  make_overlay (two, "one.qcow2");
  check_domain (f, top, DISK, moved);
  /* A circle is no problem, and what a guest wrote to a raw disk is not an image. */
  make_overlay (one, two);
  g_autofree char *circle = g_strdup_printf (DISK, two);
  fixture_define (f->virt, "other", OTHER_UUID, circle);
  assert_users (f, top, "");
  make_overlay (one, top);
  g_autofree char *raw = g_strdup_printf ("<disk type='file'><driver name='qemu' type='raw'/><source file='%s'/>"
                                          "<target dev='vda' bus='virtio'/></disk>", one);
  fixture_define (f->virt, "other", OTHER_UUID, raw);
  assert_users (f, top, "");
}

static void
test_transient (OpsFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmMachine) machine = pull_layers (f, "c");
  g_autofree char *xml
    = g_strdup_printf ("<domain type='test'><name>other</name><uuid>" OTHER_UUID "</uuid><memory>8192</memory>"
                       "<os><type arch='i686'>hvm</type></os><devices>" DISK "</devices></domain>", layer_path (machine, 1));
  g_autoptr (LmVirtDomain) domain = lm_virt_create (f->virt, xml, "other", OTHER_UUID, &error);
  g_assert_no_error (error);
  assert_users (f, layer_path (machine, 0), "domain other (running, transient, on test:///default)");
  g_assert_true (lm_virt_domain_destroy (domain, NULL));
  assert_users (f, layer_path (machine, 0), "");
}

/* Only a snapshot refers to the layer. */
static void
test_snapshot (OpsFixture *f, gconstpointer data)
{
  g_autoptr (LmMachine) machine = pull_layers (f, "c");
  g_autofree char *devices = g_strdup_printf (DISK, layer_path (machine, 1));
  fixture_define (f->virt, "other", OTHER_UUID, devices);
  virConnectPtr connection = virConnectOpen (FIXTURE_URI);
  virDomainPtr domain = virDomainLookupByName (connection, "other");
  virDomainSnapshotPtr snapshot = virDomainSnapshotCreateXML (domain, "<domainsnapshot><name>s</name></domainsnapshot>", 0);
  g_assert_nonnull (snapshot);
  fixture_define (f->virt, "other", OTHER_UUID, "");
  assert_users (f, layer_path (machine, 0), "domain other (shut off, 1 snapshot, on test:///default)");
  g_assert_cmpint (virDomainSnapshotDelete (snapshot, 0), ==, 0);
  assert_users (f, layer_path (machine, 0), "");
  virDomainSnapshotFree (snapshot);
  virDomainFree (domain);
  virConnectClose (connection);
}

/* Disks below the state directory, of a machine and of one whose record is lost. */
static void
test_disks (OpsFixture *f, gconstpointer data)
{
  g_autoptr (LmMachine) machine = pull_layers (f, "e");
  g_autoptr (LmMachine) other = fixture_launch (f, "other", "c");
  g_autofree char *clone = g_build_filename (other->dir, "clone.qcow2", NULL);
  g_autofree char *lost = g_build_filename (f->state_dir, "machines", OTHER_UUID, NULL);
  g_autofree char *disk = g_build_filename (lost, "overlay.qcow2", NULL);
  make_overlay (clone, layer_path (machine, 1));
  assert_users (f, layer_path (machine, 1), "machine other (running)");
  g_assert_cmpint (mkdir (lost, 0755), ==, 0);
  make_overlay (disk, layer_path (machine, 1));
  g_autoptr (LmLayerUsers) users = collect (f);
  g_assert_cmpuint (find (users, layer_path (machine, 1))->users->len, ==, 2);
  g_assert_cmpuint (find (users, layer_path (other, 1))->users->len, ==, 1);
  g_assert_cmpuint (find (users, layer_path (other, 0))->users->len, ==, 2);
  g_autofree char *text = lm_layer_user_to_text (g_ptr_array_index (users->users, 1));
  g_autofree char *expected = g_strdup_printf ("disk %s, whose record is lost", lost);
  g_assert_cmpstr (text, ==, expected);
}

/* Parents, leases, pins and times. */
static void
test_notes (OpsFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmMachine) machine = pull_layers (f, "c");
  g_autoptr (LmCache) cache = lm_cache_open (f->state_dir, NULL, &error);
  g_autoptr (LmDatabase) database = lm_database_open (f->state_dir, NULL, &error);
  g_autoptr (GPtrArray) leased = g_ptr_array_new ();
  LmBlob *base = &((LmDomainLayer *) g_ptr_array_index (machine->layers, 0))->blob;
  gboolean changed;
  g_ptr_array_add (leased, base);
  g_autoptr (LmLock) lease G_GNUC_UNUSED = lm_cache_lease (cache, leased, NULL, &error);
  g_assert_true (lm_database_set_pinned (database, &base->digest, TRUE, &changed, &error) && changed);
  g_assert_true (lm_database_set_pinned (database, &base->digest, TRUE, &changed, &error) && !changed);
  g_autoptr (LmLayerUsers) users = collect (f);
  const LmLayerUse *below = find (users, layer_path (machine, 0)), *above = find (users, layer_path (machine, 1));
  g_assert_true (above->parent == below && above->has_parent && !below->has_parent);
  g_assert_true (below->children->len == 1 && g_ptr_array_index (below->children, 0) == above);
  g_assert_true (below->leased && below->pinned && !above->leased && !above->pinned);
  g_assert_cmpint (above->used, >, 1000000000);
  g_assert_cmpint (lm_layer_use_get_time (above), >=, above->entry->mtime);
  g_assert_true (lm_database_set_pinned (database, &base->digest, FALSE, &changed, &error) && changed);
  g_autoptr (LmLayerUsers) again = collect (f);
  g_assert_false (find (again, layer_path (machine, 0))->pinned);
}

/* Another connection, which the settings name; one that cannot be opened may have any user. */
static void
test_connections (OpsFixture *f, gconstpointer data)
{
  g_autoptr (LmMachine) machine = pull_layers (f, "c");
  g_autofree char *file = g_build_filename (f->top, "node.xml", NULL);
  g_autofree char *uri = g_strconcat ("test://", file, NULL);
  g_autofree char *text = g_strdup_printf (
    "<node><domain type='test'><name>far</name><uuid>" OTHER_UUID "</uuid><memory>8192</memory>"
    "<os><type arch='i686'>hvm</type></os><devices>" DISK "</devices></domain></node>", layer_path (machine, 1));
  g_autofree char *expected = g_strdup_printf ("domain far (running, on %s)", uri);
  const char *connections[] = { uri, NULL };
  g_assert_true (lm_file_write (file, text, strlen (text), 0644, NULL));
  assert_users (f, layer_path (machine, 0), "");
  f->host.connections = connections;
  assert_users (f, layer_path (machine, 0), expected);
  g_assert_cmpint (unlink (file), ==, 0);
  g_autoptr (LmLayerUsers) users = collect (f);
  g_assert_cmpuint (users->unknown->len, ==, 1);
  /* Its name is not said twice. */
  g_assert_true (g_str_has_prefix (g_ptr_array_index (users->unknown, 0), "cannot connect to libvirt at test://"));
  g_assert_nonnull (strstr (g_ptr_array_index (users->unknown, 0), "node.xml"));
}

/* An image that cannot be understood may have any layer below it. */
static void
test_unreadable (OpsFixture *f, gconstpointer data)
{
  g_autoptr (LmMachine) machine G_GNUC_UNUSED = pull_layers (f, "c");
  g_autofree char *disk = g_build_filename (f->top, "disk", NULL);
  g_autofree char *devices = g_strdup_printf (DISK, disk);
  g_assert_true (lm_file_write (disk, "QED\0\1\2\3", 8, 0600, NULL));
  fixture_define (f->virt, "other", OTHER_UUID, devices);
  g_autoptr (LmLayerUsers) users = collect (f);
  g_assert_cmpuint (users->unknown->len, ==, 1);
  g_assert_nonnull (strstr (g_ptr_array_index (users->unknown, 0), "the domain other"));
}

/* So may one in a directory that this user cannot enter; a file that does not exist has none. */
static void
test_unreachable (OpsFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *dir = g_build_filename (f->top, "closed", NULL);
  g_autofree char *disk = g_build_filename (dir, "disk", NULL);
  const gboolean root = geteuid () == 0;
  g_assert_cmpint (mkdir (dir, 0700), ==, 0);
  g_autoptr (GPtrArray) none = lm_file_users_list_references (disk, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (none->len, ==, 0);
  g_assert_true (lm_file_write (disk, "", 0, 0644, NULL));
  /* Root may enter any directory. */
  g_assert_cmpint (root ? seteuid (65534) : chmod (dir, 0), ==, 0);
  g_autoptr (GPtrArray) names = lm_file_users_list_references (disk, NULL, &error);
  g_assert_cmpint (root ? seteuid (0) : chmod (dir, 0700), ==, 0);
  g_assert_null (names);
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_PERMISSION_DENIED);
}

/* Without the immutable flag, so that times and links of cached files can be changed. */
static void
set_up (OpsFixture *f, gconstpointer data)
{
  fixture_setup (f, data);
  f->host.cache.without_flag = TRUE;
}

#define ADD(name) g_test_add ("/layer-users/" #name, OpsFixture, NULL, set_up, test_##name, fixture_teardown)

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  ADD (machine);
  ADD (domains);
  ADD (transient);
  ADD (snapshot);
  ADD (disks);
  ADD (notes);
  ADD (connections);
  ADD (unreadable);
  ADD (unreachable);
  return g_test_run ();
}

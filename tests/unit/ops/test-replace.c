/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/obstacle.h"
#include "ops/remove.h"
#include "ops/replace.h"
#include "tests/unit/lib/tools.h"
#include "tests/unit/ops/fixture.h"

#include <dlfcn.h>
#include <libvirt/libvirt.h>
#include <string.h>
#include <sys/stat.h>
#include <utime.h>

/* The fault points of --replace, in order. From the first one with "yes" on the new
 * machine runs. */
static const struct
{
  const char *name;
  gboolean runs;
} points[] = {
  { "record-before-write", FALSE },    { "record-after-write", FALSE },     { "overlay-before-publish", FALSE },
  { "replace-before-undefine", FALSE }, { "replace-after-undefine", FALSE }, { "launch-before-define", FALSE },
  { "launch-after-define", FALSE },     { "launch-before-start", FALSE },    { "launch-after-start", TRUE },
  { "launch-before-commit", TRUE },
};

static LmLaunchResult *
launch (OpsFixture *f, const char *layer, gboolean replace, GError **error)
{
  g_autoptr (LmLaunchRequest) request = fixture_request (f, "m", layer);
  request->replace = replace;
  return lm_launch (&f->host, f->virt, request, NULL, error);
}

/* Launches the old machine: from a and c, running, with autostart. */
static LmMachine *
make_old (OpsFixture *f)
{
  g_autoptr (LmMachine) machine = fixture_launch (f, "m", "c");
  g_autoptr (LmVirtDomain) domain = lm_virt_find_uuid (f->virt, machine->uuid, NULL);
  g_assert_true (lm_virt_domain_set_autostart (domain, TRUE, NULL));
  return g_steal_pointer (&machine);
}

static guint64
inode_of (const char *path)
{
  struct stat st;
  return stat (path, &st) == 0 ? (guint64) st.st_ino : 0;
}

static void
assert_as_before (OpsFixture *f, const LmMachine *old, guint64 inode)
{
  gboolean autostart = FALSE;
  g_assert_true (fixture_is_running (f, old->uuid));
  g_autoptr (LmVirtDomain) domain = lm_virt_find_uuid (f->virt, old->uuid, NULL);
  g_assert_true (lm_virt_domain_get_autostart (domain, &autostart, NULL));
  g_assert_true (autostart);
  g_assert_cmpuint (inode_of (old->overlay), ==, inode);
  g_assert_cmpuint (fixture_machines (f), ==, 1);
}

static void
set_fault (const char *point, gboolean killed)
{
  g_autofree char *fault = g_strconcat (point, "=eio", killed ? ",roll-back=eio" : "", NULL);
  g_setenv ("LAMINA_TEST_FAULT", fault, TRUE);
}

/* Leaves what a --replace that is killed at @point leaves: it fails there and does
 * not roll back. */
static void
replace_killed (OpsFixture *f, const char *point)
{
  g_autoptr (GError) error = NULL;
  set_fault (point, TRUE);
  g_assert_null (launch (f, "e", TRUE, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_unsetenv ("LAMINA_TEST_FAULT");
}

static void
test_success (OpsFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmMachine) old = make_old (f);
  g_autoptr (LmLaunchResult) result = launch (f, "e", TRUE, &error);
  g_assert_no_error (error);
  g_assert_false (result->existed);
  g_assert_cmpstr (result->machine->uuid, !=, old->uuid);
  g_assert_true (fixture_is_running (f, result->machine->uuid));
  g_assert_null (lm_virt_find_uuid (f->virt, old->uuid, NULL));
  g_assert_cmpuint (fixture_machines (f), ==, 1);
  g_assert_cmpuint (f->warnings->len, ==, 0);
}

static void
test_failures (OpsFixture *f, gconstpointer data)
{
  g_autoptr (LmMachine) old = make_old (f);
  guint64 inode = inode_of (old->overlay);
  for (gsize i = 0; i < G_N_ELEMENTS (points); i++)
    {
      g_autoptr (GError) error = NULL;
      set_fault (points[i].name, FALSE);
      g_assert_null (launch (f, "e", TRUE, &error));
      g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
      g_assert_nonnull (strstr (error->message, points[i].name));
      g_unsetenv ("LAMINA_TEST_FAULT");
      assert_as_before (f, old, inode);
    }
}

/* A launch of the old machine, of one that is refused, and of a layer that does not exist. */
static void
test_killed (OpsFixture *f, gconstpointer data)
{
  static const char *const next[] = { "c", "e", "nonsense" };
  g_autoptr (LmMachine) old = make_old (f);
  guint64 inode = inode_of (old->overlay);
  for (gsize i = 0; i < G_N_ELEMENTS (points) && !points[i].runs; i++)
    for (gsize j = 0; j < G_N_ELEMENTS (next); j++)
      {
        g_autoptr (GError) error = NULL;
        replace_killed (f, points[i].name);
        g_autoptr (LmLaunchResult) result = launch (f, next[j], FALSE, &error);
        g_assert_true (j == 0 ? result != NULL && result->existed : result == NULL);
        assert_as_before (f, old, inode);
      }
  replace_killed (f, "launch-before-start");
  g_assert_true (lm_remove (&f->host, f->virt, "m", NULL, NULL));
  g_assert_cmpuint (fixture_machines (f), ==, 0);
  g_assert_null (lm_virt_find_name (f->virt, "m", NULL));
}

/* A new machine that runs is kept; the old disk is removed by the next launch that
 * succeeds, not by one that is refused. */
static void
test_killed_while_new_one_runs (OpsFixture *f, gconstpointer data)
{
  for (gsize i = 0; i < G_N_ELEMENTS (points); i++)
    {
      if (!points[i].runs)
        continue;
      g_autoptr (GError) error = NULL;
      g_autoptr (LmMachine) old = make_old (f);
      replace_killed (f, points[i].name);
      g_assert_null (launch (f, "c", FALSE, &error));
      g_assert_error (error, LM_LAUNCH_ERROR, LM_LAUNCH_ERROR_DIFFERENT);
      g_clear_error (&error);
      g_assert_cmpuint (inode_of (old->overlay), !=, 0);
      g_assert_cmpuint (fixture_machines (f), ==, 2);
      g_autoptr (LmLaunchResult) result = launch (f, "e", FALSE, &error);
      g_assert_no_error (error);
      g_assert_true (result->existed && !result->started);
      g_assert_cmpuint (fixture_machines (f), ==, 1);
      g_assert_cmpuint (inode_of (old->overlay), ==, 0);
      g_assert_true (lm_remove (&f->host, f->virt, "m", NULL, NULL));
    }
}

static void
stop_new (OpsFixture *f)
{
  g_autoptr (LmVirtDomain) domain = lm_virt_find_name (f->virt, "m", NULL);
  g_assert_true (lm_virt_domain_destroy (domain, NULL));
}

/* A new machine that ran and was shut off before the recovery is recognized by its disk. */
static void
test_killed_after_new_one_stopped (OpsFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmMachine) old = make_old (f);
  guint64 inode = inode_of (old->overlay);
  replace_killed (f, "launch-after-start");
  stop_new (f);
  g_assert_null (launch (f, "nonsense", FALSE, &error));
  g_clear_error (&error);
  assert_as_before (f, old, inode); /* nothing was written to the disk */

  replace_killed (f, "launch-after-start");
  stop_new (f);
  g_autoptr (LmMachine) new = lm_machine_find (f->state_dir, "m", FIXTURE_URI, NULL);
  g_assert_cmpstr (new->uuid, !=, old->uuid);
  g_assert_cmpint (utime (new->overlay, NULL), ==, 0);
  g_assert_null (launch (f, "nonsense", FALSE, &error));
  g_clear_error (&error);
  g_assert_cmpuint (inode_of (old->overlay), ==, inode);
  g_assert_cmpuint (inode_of (new->overlay), !=, 0);
  g_autoptr (LmLaunchResult) result = launch (f, "e", FALSE, &error);
  g_assert_no_error (error);
  g_assert_true (result->existed && result->started);
  g_assert_cmpuint (inode_of (old->overlay), ==, 0);
}

/* The same selections are the same machine; other options are ignored, with a warning. */
static void
test_same (OpsFixture *f, gconstpointer data)
{
  g_autoptr (LmMachine) old = make_old (f);
  for (guint bits = 0; bits < 4; bits++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (LmLaunchRequest) request = fixture_request (f, "m", "c");
      request->replace = (bits & 1) != 0;
      request->customized = (bits & 2) != 0;
      g_ptr_array_set_size (f->warnings, 0);
      g_autoptr (LmLaunchResult) result = lm_launch (&f->host, f->virt, request, NULL, &error);
      g_assert_no_error (error);
      g_assert_true (result->existed);
      g_assert_cmpstr (result->machine->uuid, ==, old->uuid);
      g_assert_cmpuint (f->warnings->len, ==, bits == 3);
    }
}

/* If removing the old machine fails, it is removed later. */
static void
test_removal_fails (OpsFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmMachine) old G_GNUC_UNUSED = make_old (f);
  g_setenv ("LAMINA_TEST_FAULT", "replace-before-remove=eio", TRUE);
  g_autoptr (LmLaunchResult) result G_GNUC_UNUSED = launch (f, "e", TRUE, &error);
  g_assert_no_error (error);
  g_unsetenv ("LAMINA_TEST_FAULT");
  g_assert_cmpuint (f->warnings->len, ==, 1);
  g_assert_cmpuint (fixture_machines (f), ==, 2);
  g_autoptr (LmLaunchResult) again = launch (f, "e", FALSE, &error);
  g_assert_no_error (error);
  g_assert_true (again->existed);
  g_assert_cmpuint (fixture_machines (f), ==, 1);
}

/* A machine that has something that undefining would lose is not replaced: a saved
 * state, a snapshot, UEFI variables that are stored under the domain's name. */
static void
test_lossy (OpsFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmMachine) old G_GNUC_UNUSED = make_old (f);
  virConnectPtr connection = virConnectOpen (FIXTURE_URI);
  virDomainPtr domain = virDomainLookupByName (connection, "m");
  virDomainSnapshotPtr snapshot = virDomainSnapshotCreateXML (domain, "<domainsnapshot/>", 0);
  g_assert_nonnull (snapshot);
  g_assert_null (launch (f, "e", TRUE, &error));
  g_assert_error (error, LM_REPLACE_ERROR, LM_REPLACE_ERROR_LOSSY);
  g_clear_error (&error);
  g_assert_cmpint (virDomainSnapshotDelete (snapshot, 0), ==, 0);
  g_assert_cmpint (virDomainManagedSave (domain, 0), ==, 0);
  g_assert_null (launch (f, "e", TRUE, &error));
  g_assert_error (error, LM_REPLACE_ERROR, LM_REPLACE_ERROR_LOSSY);
  g_clear_error (&error);
  g_assert_cmpint (virDomainManagedSaveRemove (domain, 0), ==, 0);
  g_autoptr (LmLaunchResult) result G_GNUC_UNUSED = launch (f, "e", TRUE, &error);
  g_assert_no_error (error);
  virDomainSnapshotFree (snapshot);
  virDomainFree (domain);
  virConnectClose (connection);
}

static int
id_of (virConnectPtr connection)
{
  virDomainPtr domain = virDomainLookupByName (connection, "m");
  int id = (int) virDomainGetID (domain);
  virDomainFree (domain);
  return id;
}

/* The old machine is not stopped if the new one could not start. */
static void
test_networks (OpsFixture *f, gconstpointer data)
{
  static const struct
  {
    LmDomainNetworkKind kind;
    const char *source;
    const char *message;
  } cases[] = {
    { LM_DOMAIN_NETWORK_NETWORK, "nowhere", "there is no network nowhere" },
    { LM_DOMAIN_NETWORK_BRIDGE, "nowhere", "there is no bridge nowhere" },
    { LM_DOMAIN_NETWORK_NETWORK, "default", "the network default is not active" },
  };
  g_autoptr (LmMachine) old = make_old (f);
  virConnectPtr connection = virConnectOpen (FIXTURE_URI);
  virNetworkPtr lab = virNetworkLookupByName (connection, "default");
  int id = id_of (connection);
  g_assert_cmpint (virNetworkDestroy (lab), ==, 0);
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (LmLaunchRequest) request = fixture_request (f, "m", "e");
      LmDomainNetwork *network = lm_domain_network_new ();
      network->kind = cases[i].kind;
      network->source = g_strdup (cases[i].source);
      request->networks = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_domain_network_free);
      g_ptr_array_add (request->networks, network);
      request->replace = TRUE;
      g_assert_null (lm_launch (&f->host, f->virt, request, NULL, &error));
      g_assert_error (error, LM_OBSTACLE_ERROR, LM_OBSTACLE_ERROR_MISSING);
      g_assert_nonnull (strstr (error->message, cases[i].message));
      g_assert_true (fixture_is_running (f, old->uuid));
      g_assert_cmpint (id_of (connection), ==, id);
      g_assert_cmpuint (fixture_machines (f), ==, 1);
    }
  g_assert_cmpint (virNetworkCreate (lab), ==, 0);
  virNetworkFree (lab);
  virConnectClose (connection);
}

static void
test_variables (OpsFixture *f, gconstpointer data)
{
  static const struct
  {
    const char *os;
    gboolean lossy;
  } cases[] = {
    { "<loader readonly='yes' type='pflash'>/code.fd</loader><nvram>/var/m_VARS.fd</nvram>", TRUE },
    { "<loader readonly='yes' type='pflash'>/code.fd</loader>", TRUE },
    { "<loader readonly='yes' type='pflash'>/code.fd</loader><nvram>@NVRAM@</nvram>", FALSE },
    { "<loader readonly='yes' type='rom'>/bios.bin</loader>", FALSE },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      fixture_write_template (f, cases[i].os);
      g_autoptr (LmMachine) old = make_old (f);
      g_autoptr (LmLaunchResult) result G_GNUC_UNUSED = launch (f, "e", TRUE, &error);
      if (cases[i].lossy)
        g_assert_error (error, LM_REPLACE_ERROR, LM_REPLACE_ERROR_LOSSY);
      else
        g_assert_no_error (error);
      g_assert_true (fixture_is_running (f, old->uuid) == cases[i].lossy);
      g_assert_true (lm_remove (&f->host, f->virt, "m", NULL, NULL));
    }
}

/* The flags with which lamina undefines domains. libvirt's test driver does not
 * support TPMs; if @is_qemu, it claims to be QEMU's driver. */
static gboolean is_qemu;
static GHashTable *undefined; /* UUID -> flags of the last call */

const char *
virConnectGetType (virConnectPtr connection)
{
  const char *(*real) (virConnectPtr) = (const char *(*) (virConnectPtr)) dlsym (RTLD_NEXT, "virConnectGetType");
  return is_qemu ? "QEMU" : real (connection);
}

int
virDomainUndefineFlags (virDomainPtr domain, unsigned int flags)
{
  int (*real) (virDomainPtr, unsigned int)
    = (int (*) (virDomainPtr, unsigned int)) dlsym (RTLD_NEXT, "virDomainUndefineFlags");
  char uuid[VIR_UUID_STRING_BUFLEN];
  g_assert_cmpint (virDomainGetUUIDString (domain, uuid), ==, 0);
  if (undefined != NULL && is_qemu)
    g_hash_table_insert (undefined, g_strdup (uuid), GUINT_TO_POINTER (flags));
  return real (domain, is_qemu ? flags & VIR_DOMAIN_UNDEFINE_MANAGED_SAVE : flags);
}

static unsigned int
flags_for (const LmMachine *machine)
{
  return GPOINTER_TO_UINT (g_hash_table_lookup (undefined, machine->uuid));
}

#define TPM "<tpm><backend type='%s' version='2.0'/></tpm>"

/* The state of an emulated TPM is kept with the domain, otherwise the machine is not replaced. */
static void
test_tpm_refused (OpsFixture *f, gconstpointer data)
{
  static const char *const backends[] = { "emulator", "passthrough" };
  for (gsize i = 0; i < 2 * G_N_ELEMENTS (backends); i++)
    {
      /* This libvirt cannot keep the state, or the state would be removed when the domain stops. */
      gboolean lossy = i % 2 == 0;
      g_autoptr (GError) error = NULL;
      g_autofree char *tpm = g_strdup_printf ("</os><devices>" TPM "</devices><os>", backends[i % 2]);
      fixture_write_template (f, tpm);
      g_autoptr (LmLaunchRequest) request = fixture_request (f, "m", "c");
      request->transient = is_qemu = i >= G_N_ELEMENTS (backends);
      g_autoptr (LmLaunchResult) old = lm_launch (&f->host, f->virt, request, NULL, &error);
      g_assert_no_error (error);
      g_autoptr (LmLaunchResult) result G_GNUC_UNUSED = launch (f, "e", TRUE, &error);
      g_assert_true (lossy ? g_error_matches (error, LM_REPLACE_ERROR, LM_REPLACE_ERROR_LOSSY) : error == NULL);
      g_assert_true (fixture_is_running (f, old->machine->uuid) == lossy);
      is_qemu = FALSE;
      g_assert_true (lm_remove (&f->host, f->virt, "m", NULL, NULL));
    }
}

static void
test_tpm_kept (OpsFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  undefined = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autofree char *tpm = g_strdup_printf ("</os><devices>" TPM "</devices><os>", "emulator");
  fixture_write_template (f, tpm);
  g_autoptr (LmMachine) old = make_old (f);
  guint64 inode = inode_of (old->overlay);
  is_qemu = TRUE;
  set_fault ("launch-after-define", FALSE);
  g_assert_null (launch (f, "e", TRUE, NULL));
  g_unsetenv ("LAMINA_TEST_FAULT");
  assert_as_before (f, old, inode);
  g_assert_cmpuint (flags_for (old) & VIR_DOMAIN_UNDEFINE_KEEP_TPM, !=, 0);
  g_assert_cmpuint (flags_for (old) & VIR_DOMAIN_UNDEFINE_TPM, ==, 0);

  /* Finally it is removed together with the machine. */
  g_autoptr (LmLaunchResult) result = launch (f, "e", TRUE, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (flags_for (old) & VIR_DOMAIN_UNDEFINE_TPM, !=, 0);
  g_assert_null (lm_virt_find_uuid (f->virt, old->uuid, NULL));
  g_assert_true (fixture_is_running (f, result->machine->uuid));
  g_assert_true (lm_remove (&f->host, f->virt, "m", NULL, NULL));
  g_assert_cmpuint (flags_for (result->machine) & VIR_DOMAIN_UNDEFINE_TPM, !=, 0);
  g_assert_cmpuint (f->warnings->len, ==, 0);
  is_qemu = FALSE;
  g_clear_pointer (&undefined, g_hash_table_unref);
}

/* If the record cannot say "removing", the domain is not defined for a moment. */
static void
test_tpm_unmarked (OpsFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *tpm = g_strdup_printf ("</os><devices>" TPM "</devices><os>", "emulator");
  undefined = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  fixture_write_template (f, tpm);
  g_autoptr (LmMachine) old = make_old (f);
  is_qemu = TRUE;
  g_assert_true (lm_replace_begin (f->virt, old, "successor", NULL));
  g_hash_table_remove_all (undefined);
  g_assert_false (lm_replace_remove_tpm_state (f->virt, old, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_FAILED);
  g_assert_false (g_hash_table_contains (undefined, old->uuid));
  g_assert_true (lm_machine_change_state (old, LM_MACHINE_STATE_REMOVING, NULL));
  g_assert_true (lm_replace_remove_tpm_state (f->virt, old, NULL));
  g_assert_true (g_hash_table_contains (undefined, old->uuid));
  is_qemu = FALSE;
  g_clear_pointer (&undefined, g_hash_table_unref);
}

/* define --replace does not start anything. */
static void
test_define (OpsFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmMachine) old G_GNUC_UNUSED = make_old (f);
  g_autoptr (LmLaunchRequest) request = fixture_request (f, "m", "e");
  request->replace = TRUE;
  request->start = FALSE;
  g_autoptr (LmLaunchResult) result = lm_launch (&f->host, f->virt, request, NULL, &error);
  g_assert_no_error (error);
  g_assert_false (fixture_is_running (f, result->machine->uuid));
  g_assert_cmpuint (fixture_machines (f), ==, 1);
  g_autoptr (LmLaunchResult) started = launch (f, "e", FALSE, &error);
  g_assert_no_error (error);
  g_assert_true (started->existed && started->started);
}

/* A machine whose domain was undefined, and a transient one. */
static void
test_without_domain (OpsFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmMachine) old = make_old (f);
  guint64 inode = inode_of (old->overlay);
  stop_new (f);
  g_autoptr (LmVirtDomain) domain = lm_virt_find_uuid (f->virt, old->uuid, NULL);
  g_assert_true (lm_virt_domain_undefine (domain, FALSE, NULL));
  g_assert_null (launch (f, "c", FALSE, &error));
  g_assert_error (error, LM_LAUNCH_ERROR, LM_LAUNCH_ERROR_EXISTS);
  g_clear_error (&error);
  for (gsize i = 0; i < G_N_ELEMENTS (points) && !points[i].runs; i++)
    {
      if (g_str_has_prefix (points[i].name, "replace-"))
        continue; /* there is no domain to undefine */
      replace_killed (f, points[i].name);
      g_assert_null (launch (f, "c", FALSE, &error));
      g_clear_error (&error);
      g_assert_cmpuint (inode_of (old->overlay), ==, inode);
      g_assert_cmpuint (fixture_machines (f), ==, 1);
    }
  g_autoptr (LmLaunchRequest) request = fixture_request (f, "m", "c");
  request->replace = request->transient = TRUE;
  g_autoptr (LmLaunchResult) result = lm_launch (&f->host, f->virt, request, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (fixture_machines (f), ==, 1);
  replace_killed (f, "replace-after-undefine");
  g_assert_null (launch (f, "nonsense", FALSE, NULL));
  g_assert_true (fixture_is_running (f, result->machine->uuid));
  g_autoptr (LmLaunchResult) last G_GNUC_UNUSED = launch (f, "e", TRUE, &error);
  g_assert_no_error (error);
  g_assert_cmpuint (fixture_machines (f), ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (!tools_have ("qemu-img"))
    return 0;
#define ADD(name) g_test_add ("/replace/" #name, OpsFixture, NULL, fixture_setup, test_##name, fixture_teardown)
  ADD (success);
  ADD (failures);
  ADD (killed);
  ADD (killed_while_new_one_runs);
  ADD (killed_after_new_one_stopped);
  ADD (same);
  ADD (removal_fails);
  ADD (lossy);
  ADD (networks);
  ADD (variables);
  ADD (tpm_refused);
  ADD (tpm_kept);
  ADD (tpm_unmarked);
  ADD (define);
  ADD (without_domain);
#undef ADD
  return g_test_run ();
}

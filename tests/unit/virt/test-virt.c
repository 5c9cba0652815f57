/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "virt/call.h"

#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <string.h>

/* libvirt's test driver simulates a host in memory, without a daemon. */
#define TEST_URI "test:///default"
#define URI "urn:lamina:domain:1"
#define UUID_A "aaaaaaaa-aaaa-4aaa-8aaa-aaaaaaaaaaaa"
#define UUID_B "bbbbbbbb-bbbb-4bbb-8bbb-bbbbbbbbbbbb"

#define XML(name, uuid, extra)                                                                                         \
  "<domain type='test'><name>" name "</name><uuid>" uuid "</uuid><memory>8192</memory>"                                \
  "<os><type>hvm</type></os>" extra "</domain>"
#define METADATA                                                                                                       \
  "<metadata><x:other xmlns:x='urn:other'/>"                                                                           \
  "<lamina:machine xmlns:lamina='" URI "'><lamina:ready>a &amp; b</lamina:ready></lamina:machine></metadata>"

static LmVirt *
connect_test (void)
{
  g_autoptr (GError) error = NULL;
  LmVirt *virt = lm_virt_connect (TEST_URI, NULL, &error);
  g_assert_no_error (error);
  return virt;
}

static void
test_connect (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmVirt) virt = connect_test ();
  g_assert_cmpstr (lm_virt_uri (virt), ==, TEST_URI);
  g_assert_true (lm_virt_is_local (virt));
  g_assert_null (lm_virt_connect ("nonsense:///system", NULL, &error));
  g_assert_error (error, LM_VIRT_ERROR, LM_VIRT_ERROR_CONNECT);
  g_assert_nonnull (strstr (error->message, "nonsense:///system"));
}

/* Errors of libvirt are returned and never printed. */
static void
test_silent (void)
{
  if (g_test_subprocess ())
    {
      g_autoptr (GError) error = NULL;
      g_assert_null (lm_virt_connect ("nonsense:///system", NULL, &error));
      g_autoptr (LmVirt) virt = connect_test ();
      g_assert_null (lm_virt_find_name (virt, "nope", NULL));
      return;
    }
  g_test_trap_subprocess (NULL, 0, G_TEST_SUBPROCESS_DEFAULT);
  g_test_trap_assert_passed ();
  g_test_trap_assert_stderr ("");
}

static void
assert_state (LmVirtDomain *domain, LmVirtState expected)
{
  g_autoptr (GError) error = NULL;
  LmVirtState state;
  g_assert_true (lm_virt_domain_state (domain, &state, &error));
  g_assert_no_error (error);
  g_assert_cmpint (state, ==, expected);
}

static void
test_life (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmVirt) virt = connect_test ();
  g_autoptr (LmVirtDomain) domain = lm_virt_define (virt, XML ("web1", UUID_A, METADATA), "web1", UUID_A, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (lm_virt_domain_name (domain), ==, "web1");
  g_assert_cmpstr (lm_virt_domain_uuid (domain), ==, UUID_A);
  assert_state (domain, LM_VIRT_STATE_SHUT_OFF);
  g_assert_false (lm_virt_domain_is_active (domain));
  g_assert_false (lm_virt_domain_destroy (domain, &error));
  g_assert_error (error, LM_VIRT_ERROR, LM_VIRT_ERROR_STATE);
  g_clear_error (&error);

  g_assert_true (lm_virt_domain_start (domain, &error));
  g_assert_no_error (error);
  assert_state (domain, LM_VIRT_STATE_RUNNING);
  g_assert_true (lm_virt_domain_is_active (domain));
  g_assert_false (lm_virt_domain_start (domain, &error));
  g_assert_cmpint (error->domain, ==, LM_VIRT_ERROR); /* the test driver uses another code here */
  g_assert_nonnull (strstr (error->message, "web1"));
  g_clear_error (&error);
  g_autofree char *xml = lm_virt_domain_xml (domain, &error);
  g_assert_nonnull (strstr (xml, "<name>web1</name>"));

  gboolean on = FALSE;
  g_assert_true (lm_virt_domain_set_autostart (domain, TRUE, &error));
  g_assert_true (lm_virt_domain_get_autostart (domain, &on, &error));
  g_assert_true (on);
  g_assert_true (lm_virt_domain_is_persistent (domain, &on, &error));
  g_assert_true (on);
  g_assert_true (lm_virt_domain_destroy (domain, &error));
  assert_state (domain, LM_VIRT_STATE_SHUT_OFF);
  g_assert_true (lm_virt_domain_undefine (domain, TRUE, &error));
  g_assert_no_error (error);
  g_assert_false (lm_virt_domain_start (domain, &error));
  g_assert_error (error, LM_VIRT_ERROR, LM_VIRT_ERROR_NOT_FOUND);
  g_assert_false (lm_virt_domain_is_active (domain));
}

/* With @keep, a domain is not undefined if it has something that would be lost. */
static void
test_keep (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmVirt) virt = connect_test ();
  g_autoptr (LmVirtDomain) domain = lm_virt_define (virt, XML ("web1", UUID_A, ""), "web1", UUID_A, &error);
  g_assert_no_error (error);
  virDomainPtr handle = virDomainLookupByName (virt->connection, "web1");
  g_assert_true (lm_virt_domain_start (domain, NULL));
  g_assert_cmpint (virDomainManagedSave (handle, 0), ==, 0);
  g_assert_false (lm_virt_domain_undefine (domain, TRUE, &error));
  g_assert_nonnull (error);
  g_clear_error (&error);
  g_assert_cmpint (virDomainHasManagedSaveImage (handle, 0), ==, 1);
  g_assert_cmpint (virDomainManagedSaveRemove (handle, 0), ==, 0);
  virDomainSnapshotPtr snapshot = virDomainSnapshotCreateXML (handle, "<domainsnapshot/>", 0);
  g_assert_nonnull (snapshot);
  g_assert_false (lm_virt_domain_undefine (domain, TRUE, &error));
  g_assert_nonnull (error);
  g_clear_error (&error);
  g_assert_cmpint (virDomainSnapshotNum (handle, 0), ==, 1);
  g_assert_true (lm_virt_domain_undefine (domain, FALSE, &error));
  g_assert_no_error (error);
  virDomainSnapshotFree (snapshot);
  virDomainFree (handle);
}

static void
test_find (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmVirt) virt = connect_test ();
  g_autoptr (LmVirtDomain) made = lm_virt_create (virt, XML ("web1", UUID_A, ""), "web1", UUID_A, &error);
  g_assert_no_error (error);
  g_autoptr (LmVirtDomain) by_name = lm_virt_find_name (virt, "web1", &error);
  g_autoptr (LmVirtDomain) by_uuid = lm_virt_find_uuid (virt, UUID_A, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (lm_virt_domain_uuid (by_name), ==, UUID_A);
  g_assert_cmpstr (lm_virt_domain_name (by_uuid), ==, "web1");
  g_assert_null (lm_virt_find_name (virt, "nope", &error));
  g_assert_error (error, LM_VIRT_ERROR, LM_VIRT_ERROR_NOT_FOUND);
  g_clear_error (&error);
  g_assert_null (lm_virt_find_uuid (virt, UUID_B, &error));
  g_assert_error (error, LM_VIRT_ERROR, LM_VIRT_ERROR_NOT_FOUND);
  g_clear_error (&error);
  gboolean persistent = TRUE;
  g_assert_true (lm_virt_domain_is_persistent (made, &persistent, &error));
  g_assert_false (persistent);
  g_assert_true (lm_virt_domain_destroy (made, &error));
  g_assert_no_error (error);
}

static void
test_exists (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmVirt) virt = connect_test ();
  g_autoptr (LmVirtDomain) domain = lm_virt_define (virt, XML ("web1", UUID_A, ""), "web1", UUID_A, &error);
  g_assert_no_error (error);
  g_autoptr (LmVirtDomain) again = lm_virt_define (virt, XML ("web1", UUID_A, ""), "web1", UUID_A, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (lm_virt_domain_uuid (again), ==, UUID_A);
  g_assert_null (lm_virt_define (virt, XML ("web1", UUID_B, ""), "web1", UUID_B, &error));
  g_assert_error (error, LM_VIRT_ERROR, LM_VIRT_ERROR_EXISTS);
  g_clear_error (&error);
  g_assert_null (lm_virt_create (virt, XML ("web1", UUID_B, ""), "web1", UUID_B, &error));
  g_assert_error (error, LM_VIRT_ERROR, LM_VIRT_ERROR_EXISTS);
  g_clear_error (&error);
  g_assert_null (lm_virt_define (virt, "<domain", "x", UUID_B, &error));
  g_assert_error (error, LM_VIRT_ERROR, LM_VIRT_ERROR_FAILED);
  g_assert_true (lm_virt_domain_undefine (domain, FALSE, NULL));
}

static void
test_addresses (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmVirt) virt = connect_test ();
  g_autoptr (LmVirtDomain) domain = lm_virt_create (
      virt,
      XML ("web1", UUID_A, "<devices><interface type='network'><source network='default'/></interface></devices>"),
      "web1", UUID_A, &error);
  g_assert_no_error (error);
  g_auto (GStrv) addresses = lm_virt_domain_addresses (domain);
  g_assert_cmpuint (g_strv_length (addresses), >=, 1);
  for (guint i = 0; addresses[i] != NULL; i++)
    g_assert_true (g_str_has_prefix (addresses[i], "192.168.122."));
  g_assert_true (lm_virt_domain_destroy (domain, NULL));
}

/* A daemon that accepts connections and sends nothing. */
static GSocket *
listen_silently (char **out_uri)
{
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "silent.sock", NULL);
  g_unlink (path);
  g_autoptr (GSocketAddress) address = g_unix_socket_address_new (path);
  GSocket *socket = g_socket_new (G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, G_SOCKET_PROTOCOL_DEFAULT, NULL);
  g_assert_true (g_socket_bind (socket, address, FALSE, NULL) && g_socket_listen (socket, NULL));
  *out_uri = g_strdup_printf ("qemu+unix:///session?socket=%s", path);
  return socket;
}

static void
test_connect_limits (void)
{
  g_autofree char *uri = NULL;
  g_autoptr (GSocket) socket G_GNUC_UNUSED = listen_silently (&uri);
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  g_autoptr (GError) error = NULL;
  const LmVirtLimits short_time = { 1, cancellable };
  gint64 begin = g_get_monotonic_time ();
  g_assert_null (lm_virt_connect (uri, &short_time, &error));
  g_assert_error (error, LM_VIRT_ERROR, LM_VIRT_ERROR_TIMED_OUT);
  g_assert_nonnull (strstr (error->message, "within 1 s"));
  g_assert_cmpint (g_get_monotonic_time () - begin, >=, G_USEC_PER_SEC);
}

/* A simulated libvirt call that hangs until the test lets it end. */
static GMutex gate;

static void
call_hang (LmVirtCall *call)
{
  g_mutex_lock (&gate);
  g_mutex_unlock (&gate);
  call->status = 7;
}

static gpointer
cancel (gpointer cancellable)
{
  g_cancellable_cancel (cancellable);
  return NULL;
}

static void
test_timed_out (void)
{
  g_autoptr (GError) error = NULL;
  const LmVirtLimits limits = { 1, NULL };
  LmVirt *virt = lm_virt_connect (TEST_URI, &limits, &error);
  g_assert_no_error (error);
  g_mutex_lock (&gate);
  g_autoptr (LmVirtCall) query = lm_virt_call_new (virt, NULL, call_hang);
  g_assert_false (lm_virt_call_run (query, LM_VIRT_CALL_QUERY, "ask", &error));
  g_assert_error (error, LM_VIRT_ERROR, LM_VIRT_ERROR_TIMED_OUT);
  g_assert_null (strstr (error->message, "may still"));
  g_clear_error (&error);
  g_autoptr (LmVirtCall) change = lm_virt_call_new (virt, NULL, call_hang);
  g_assert_false (lm_virt_call_run (change, LM_VIRT_CALL_CHANGE, "turn the host", &error));
  g_assert_error (error, LM_VIRT_ERROR, LM_VIRT_ERROR_TIMED_OUT);
  g_assert_nonnull (strstr (error->message, "cannot turn the host: "));
  g_assert_nonnull (strstr (error->message, "may still do so"));
  g_assert_cmpint (g_atomic_int_get (&virt->unanswered), ==, 2);
  /* Other calls are answered meanwhile, and the late end of the call has no effect. */
  g_assert_null (lm_virt_find_name (virt, "nope", NULL));
  g_mutex_unlock (&gate);
  while (g_atomic_int_get (&virt->unanswered) > 0)
    g_thread_yield ();
  lm_virt_free (virt);
}

static void
test_cancelled (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  const LmVirtLimits limits = { 2, cancellable };
  LmVirt *virt = lm_virt_connect (TEST_URI, &limits, &error);
  g_mutex_lock (&gate);
  g_autoptr (LmVirtCall) query = lm_virt_call_new (virt, NULL, call_hang);
  GThread *thread = g_thread_new ("cancel", cancel, cancellable);
  /* Cancelled before the call, it is only limited in time; cancelled during the
   * call, it ends immediately. */
  g_assert_false (lm_virt_call_run (query, LM_VIRT_CALL_QUERY, "ask", &error));
  g_assert_true (g_error_matches (error, G_IO_ERROR, G_IO_ERROR_CANCELLED)
                 || g_error_matches (error, LM_VIRT_ERROR, LM_VIRT_ERROR_TIMED_OUT));
  g_clear_error (&error);
  g_thread_join (thread);
  /* Calls that begin after the cancellation undo earlier work. */
  g_autoptr (LmVirtDomain) domain = lm_virt_define (virt, XML ("web1", UUID_A, ""), "web1", UUID_A, &error);
  g_assert_no_error (error);
  g_assert_true (lm_virt_domain_undefine (domain, FALSE, &error));
  g_cancellable_reset (cancellable);
  g_autoptr (LmVirtCall) change = lm_virt_call_new (virt, NULL, call_hang);
  thread = g_thread_new ("cancel", cancel, cancellable);
  g_assert_false (lm_virt_call_run (change, LM_VIRT_CALL_CHANGE, "turn the host", &error));
  g_assert_nonnull (strstr (error->message, "may still do so"));
  g_thread_join (thread);
  g_mutex_unlock (&gate);
  lm_virt_free (virt);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/virt/connect", test_connect);
  g_test_add_func ("/virt/silent", test_silent);
  g_test_add_func ("/virt/life", test_life);
  g_test_add_func ("/virt/keep", test_keep);
  g_test_add_func ("/virt/find", test_find);
  g_test_add_func ("/virt/exists", test_exists);
  g_test_add_func ("/virt/addresses", test_addresses);
  g_test_add_func ("/virt/connect-limits", test_connect_limits);
  g_test_add_func ("/virt/timed-out", test_timed_out);
  g_test_add_func ("/virt/cancelled", test_cancelled);
  return g_test_run ();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "virt/domain.h"

#include <string.h>

/* libvirt's test driver: a host in memory, without a daemon. */
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
  LmVirt *virt = lm_virt_connect (TEST_URI, &error);
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
  g_assert_null (lm_virt_connect ("nonsense:///system", &error));
  g_assert_error (error, LM_VIRT_ERROR, LM_VIRT_ERROR_CONNECT);
  g_assert_nonnull (strstr (error->message, "nonsense:///system"));
}

/* An error of libvirt is thrown, never printed. */
static void
test_silent (void)
{
  if (g_test_subprocess ())
    {
      g_autoptr (GError) error = NULL;
      g_assert_null (lm_virt_connect ("nonsense:///system", &error));
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
  g_assert_cmpint (error->domain, ==, LM_VIRT_ERROR); /* the test driver has a code of its own here */
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

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/virt/connect", test_connect);
  g_test_add_func ("/virt/silent", test_silent);
  g_test_add_func ("/virt/life", test_life);
  g_test_add_func ("/virt/find", test_find);
  g_test_add_func ("/virt/exists", test_exists);
  g_test_add_func ("/virt/addresses", test_addresses);
  return g_test_run ();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What libvirt says about all domains, read by several threads. */
#include "config.h"
#include "virt/definition.h"

#include <dlfcn.h>
#include <libvirt/libvirt.h>
#include <string.h>

#define DOMAINS 130

/* libvirt refuses these, whatever the driver. */
#define BAD_FLAGS 0xfffffff0u

/* Which calls of this program's own virDomainGetXMLDesc() fail. */
static struct
{
  GMutex mutex;
  GCond changed;
  GThread *first, *second; /* the threads that called it, as far as they are known */
  gboolean fails_first, fails_second;
} calls;

/* Returns whether the call of this thread shall fail; waits until another thread calls as well. */
static gboolean
note_call (void)
{
  g_mutex_lock (&calls.mutex);
  if (calls.first == NULL)
    calls.first = g_thread_self ();
  else if (calls.second == NULL && calls.first != g_thread_self ())
    calls.second = g_thread_self ();
  g_cond_broadcast (&calls.changed);
  const gint64 end = g_get_monotonic_time () + 10 * G_USEC_PER_SEC;
  while (calls.second == NULL)
    if (!g_cond_wait_until (&calls.changed, &calls.mutex, end))
      g_error ("only one thread reads");
  const gboolean fails = (calls.fails_first && calls.first == g_thread_self ())
                         || (calls.fails_second && calls.second == g_thread_self ());
  g_mutex_unlock (&calls.mutex);
  return fails;
}

char *
virDomainGetXMLDesc (virDomainPtr domain, unsigned int flags)
{
  char *(*real) (virDomainPtr, unsigned int) = (char *(*) (virDomainPtr, unsigned int)) dlsym (RTLD_NEXT, "virDomainGetXMLDesc");
  return real (domain, note_call () ? BAD_FLAGS : flags);
}

static void
set_calls (gboolean fails_first, gboolean fails_second)
{
  calls.first = calls.second = NULL;
  calls.fails_first = fails_first;
  calls.fails_second = fails_second;
}

/* The driver has one state for all connections, and a reader may close its own a little later. */
static void
remove_domain (virConnectPtr connection, const char *name)
{
  virDomainPtr domain = virDomainLookupByName (connection, name);
  if (domain == NULL)
    return;
  if (virDomainIsActive (domain) == 1)
    g_assert_cmpint (virDomainDestroy (domain), ==, 0);
  g_assert_cmpint (virDomainUndefine (domain), ==, 0);
  virDomainFree (domain);
}

static virConnectPtr
define_domains (void)
{
  virConnectPtr connection = virConnectOpen ("test:///default");
  g_assert_nonnull (connection);
  for (guint i = 0; i < DOMAINS; i++)
    {
      g_autofree char *name = g_strdup_printf ("d%u", i);
      remove_domain (connection, name);
      g_autofree char *xml = g_strdup_printf ("<domain type='test'><name>d%u</name><memory>8192</memory><os><type>hvm</type></os></domain>", i);
      virDomainPtr domain = virDomainDefineXML (connection, xml);
      g_assert_nonnull (domain);
      if (i % 10 == 1 || i % 10 == 2)
        g_assert_cmpint (virDomainCreate (domain), ==, 0);
      if (i % 10 == 2)
        g_assert_cmpint (virDomainSuspend (domain), ==, 0);
      virDomainFree (domain);
    }
  return connection;
}

/* @data: names of the domains that have been visited */
static gboolean
visit (gpointer data, const LmVirtDefinition *definition, GError **error)
{
  g_assert_true (g_hash_table_add (data, g_strdup (definition->name)));
  const char *expected = "running";
  const guint number = definition->name[0] == 'd' ? (guint) g_ascii_strtoull (definition->name + 1, NULL, 10) % 10 : 1;
  if (number != 1)
    expected = number == 2 ? "paused" : "shut off";
  g_assert_cmpstr (definition->state, ==, expected);
  /* As it is and, if it runs, as defined. */
  g_assert_cmpuint (definition->xml->len, ==, number == 1 || number == 2 ? 2 : 1);
  g_assert_false (definition->transient);
  g_autofree char *name = g_strdup_printf ("<name>%s</name>", definition->name);
  g_assert_nonnull (strstr (g_ptr_array_index (definition->xml, 0), name));
  return TRUE;
}

static void
test_all (void)
{
  g_autoptr (GError) error = NULL;
  virConnectPtr connection = define_domains ();
  set_calls (FALSE, FALSE);
  g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
  g_autoptr (LmVirtReader) reader = lm_virt_reader_new (NULL, "test:///default", NULL);
  const gboolean ok = lm_virt_reader_visit (reader, visit, seen, &error);
  g_assert_no_error (error);
  g_assert_true (ok);
  g_assert_cmpuint (g_hash_table_size (seen), ==, (guint) virConnectListAllDomains (connection, NULL, 0));
  g_assert_cmpuint (g_hash_table_size (seen), >=, DOMAINS);
  virConnectClose (connection);
}

/* A failure in either thread is one of the reading, with libvirt's message. */
static void
test_failure (void)
{
  virConnectPtr connection = define_domains ();
  for (guint i = 0; i < 60; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GHashTable) seen = g_hash_table_new_full (g_str_hash, g_str_equal, g_free, NULL);
      set_calls (i % 3 != 1, i % 3 != 0);
      g_autoptr (LmVirtReader) reader = lm_virt_reader_new (NULL, "test:///default", NULL);
      g_assert_false (lm_virt_reader_visit (reader, visit, seen, &error));
      g_assert_nonnull (error);
      g_assert_true (error->domain == LM_VIRT_ERROR);
      g_assert_nonnull (strstr (error->message, "unsupported flags"));
    }
  virConnectClose (connection);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/definition/all", test_all);
  g_test_add_func ("/definition/failure", test_failure);
  return g_test_run ();
}

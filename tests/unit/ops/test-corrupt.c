/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/file.h"
#include "ops/machine-domain.h"
#include "ops/remove.h"
#include "tests/unit/lib/tools.h"
#include "tests/unit/ops/fixture.h"

#include <string.h>

static void
assert_refused (OpsFixture *f, const char *layer)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmLaunchRequest) request = fixture_request (f, "m", layer);
  g_assert_null (lm_launch (&f->host, f->virt, request, NULL, &error));
  g_assert_error (error, LM_MACHINE_ERROR, LM_MACHINE_ERROR_CORRUPT);
}

/* A record that cannot be read does not count as missing: neither if its domain has
 * the name, nor if it has no domain, so that it may be that of any name. */
static void
test_record (OpsFixture *f, gconstpointer data)
{
  static const char *const texts[] = { "", "{", "{\"lamina-record\": 1}" };
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (LmMachine) machine = fixture_launch (f, "m", "c");
      g_autofree char *record = g_build_filename (machine->dir, "record.json", NULL);
      g_assert_true (lm_file_write (record, texts[i], strlen (texts[i]), 0600, NULL));
      for (guint gone = 0; gone < 2; gone++)
        {
          g_autoptr (LmVirtDomain) domain = gone ? lm_virt_find_name (f->virt, "m", NULL) : NULL;
          g_assert_true (domain == NULL || lm_machine_domain_remove (domain, FALSE, NULL));
          assert_refused (f, "c");
          assert_refused (f, "e");
          g_assert_false (lm_remove (&f->host, f->virt, "m", NULL, &error));
          g_assert_error (error, LM_MACHINE_ERROR, LM_MACHINE_ERROR_CORRUPT);
          g_assert_nonnull (strstr (error->message, record));
          g_clear_error (&error);
          g_assert_cmpuint (fixture_machines (f), ==, 1);
          /* Another name is free, because the domain shows its own name. */
          g_autoptr (LmLaunchRequest) request = fixture_request (f, "other", "c");
          g_autoptr (LmLaunchResult) result = lm_launch (&f->host, f->virt, request, NULL, &error);
          g_assert_true ((result == NULL) == gone);
          g_assert_true (result != NULL || strstr (error->message, record) != NULL);
          g_clear_error (&error);
          g_assert_true (result == NULL || lm_remove (&f->host, f->virt, "other", NULL, NULL));
        }
      g_assert_true (lm_machine_erase (machine, NULL));
    }
}

/* Of two such records, the message names the one whose machine has no domain; the
 * record of a running machine must not be moved away. */
static void
test_two_records (OpsFixture *f, gconstpointer data)
{
  for (guint first_runs = 0; first_runs < 2; first_runs++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (LmMachine) one = fixture_launch (f, "m", "c");
      g_autoptr (LmMachine) other = fixture_launch (f, "other", "c");
      gboolean one_runs = (strcmp (one->uuid, other->uuid) < 0) == (first_runs != 0);
      LmMachine *runs = one_runs ? one : other, *lost = one_runs ? other : one;
      g_autoptr (LmVirtDomain) domain = lm_virt_find_uuid (f->virt, lost->uuid, NULL);
      g_assert_true (lm_machine_domain_remove (domain, FALSE, NULL));
      for (guint i = 0; i < 2; i++)
        {
          g_autofree char *record = g_build_filename (i == 0 ? runs->dir : lost->dir, "record.json", NULL);
          g_assert_true (lm_file_write (record, "", 0, 0600, NULL));
        }
      g_autoptr (LmLaunchRequest) request = fixture_request (f, "new", "c");
      g_autoptr (LmLaunchResult) result = lm_launch (&f->host, f->virt, request, NULL, &error);
      g_assert_null (result);
      g_assert_error (error, LM_MACHINE_ERROR, LM_MACHINE_ERROR_CORRUPT);
      g_assert_nonnull (strstr (error->message, lost->dir));
      g_assert_null (strstr (error->message, runs->dir));
      g_autoptr (LmVirtDomain) running = lm_virt_find_uuid (f->virt, runs->uuid, NULL);
      g_assert_true (lm_machine_domain_remove (running, FALSE, NULL));
      g_assert_true (lm_machine_erase (one, NULL) && lm_machine_erase (other, NULL));
    }
}

/* Two machines with the name, and the record of the running one cannot be read. */
static void
test_successor (OpsFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmMachine) old = fixture_launch (f, "m", "c");
  g_autoptr (LmLaunchRequest) request = fixture_request (f, "m", "e");
  request->replace = TRUE;
  g_setenv ("LAMINA_TEST_FAULT", "replace-before-remove=eio", TRUE);
  g_autoptr (LmLaunchResult) result = lm_launch (&f->host, f->virt, request, NULL, &error);
  g_unsetenv ("LAMINA_TEST_FAULT");
  g_assert_no_error (error);
  g_autofree char *record = g_build_filename (result->machine->dir, "record.json", NULL);
  g_assert_true (lm_file_write (record, "", 0, 0600, NULL));
  for (guint gone = 0; gone < 2; gone++)
    {
      if (gone)
        g_assert_true (lm_machine_domain_remove (result->domain, FALSE, NULL));
      assert_refused (f, "c");
      g_assert_true (fixture_is_running (f, result->machine->uuid) == !gone);
      g_assert_true (g_file_test (old->overlay, G_FILE_TEST_EXISTS));
      g_assert_true (gone || !lm_remove (&f->host, f->virt, "m", NULL, NULL));
      g_assert_true (g_file_test (old->overlay, G_FILE_TEST_EXISTS));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (!tools_have ("qemu-img"))
    return 0;
#define ADD(name) g_test_add ("/corrupt/" #name, OpsFixture, NULL, fixture_setup, test_##name, fixture_teardown)
  ADD (record);
  ADD (two_records);
  ADD (successor);
#undef ADD
  return g_test_run ();
}

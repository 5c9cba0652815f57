/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The table of ops/recover.h: what the next run does with each pair of records, an
 * old machine and the one that was to replace it, in each state of their domains. */
#include "config.h"
#include "base/file.h"
#include "ops/machine-domain.h"
#include "ops/recover.h"
#include "ops/remove.h"
#include "tests/unit/lib/tools.h"
#include "tests/unit/ops/fixture.h"

#include <string.h>
#include <sys/stat.h>
#include <utime.h>

#define PRISTINE_TIME 315532800 /* as in image/overlay.c */

typedef enum
{
  NO_DOMAIN,
  OFF,
  RUNS,
} Domain;

typedef struct
{
  gboolean there;
  LmMachineState state;
  Domain domain;
  gboolean written;
} Facts;

/* The result. SUPERSEDED: kept, but only as a superseded machine. */
typedef enum
{
  GONE,
  CREATING,
  COMPLETE,
  RUNNING, /* complete and restored: it runs, whatever it did before */
  SUPERSEDED,
} Outcome;

static gboolean
has_run (const Facts *facts)
{
  return facts->domain == RUNS || facts->written;
}

/* The lines of the table for the machine that was to replace the old one. */
static Outcome
expect_new (const Facts *old, const Facts *new)
{
  if (!new->there || new->state == LM_MACHINE_STATE_REMOVING)
    return GONE;
  if (new->state == LM_MACHINE_STATE_COMPLETE)
    return COMPLETE;
  if (!has_run (new))
    return GONE;
  return new->domain != NO_DOMAIN || !old->there ? COMPLETE : CREATING;
}

static Outcome
expect_old (const Facts *old, const Facts *new)
{
  if (!old->there)
    return GONE;
  if (old->state == LM_MACHINE_STATE_COMPLETE)
    return COMPLETE;
  if (expect_new (old, new) != COMPLETE)
    return RUNNING;
  return old->domain == NO_DOMAIN ? SUPERSEDED : COMPLETE;
}

static char *
domain_xml (const LmMachine *machine, const char *name)
{
  return g_strdup_printf ("<domain type='test'><name>%s</name><uuid>%s</uuid>"
                          "<metadata><lamina:machine xmlns:lamina='urn:lamina:domain:1'><lamina:overlay path='%s'/>"
                          "</lamina:machine></metadata>"
                          "<memory>8192</memory><os><type arch='i686'>hvm</type></os></domain>",
                          name, machine->uuid, machine->overlay);
}

/* Creates a machine called m as @facts says, from the layers a and @layer (copied
 * from a machine called @layer). Returns NULL if there is to be none. */
static LmMachine *
make (OpsFixture *f, const Facts *facts, const char *layer, const char *domain_name, const char *by)
{
  if (!facts->there)
    return NULL;
  g_autoptr (GError) error = NULL;
  g_autoptr (LmMachine) machine = lm_machine_new (f->state_dir, "m", NULL);
  g_autofree char *xml = domain_xml (machine, "m");
  g_autoptr (LmMachine) model = lm_machine_find (f->state_dir, layer, FIXTURE_URI, NULL);
  if (model == NULL)
    model = fixture_launch (f, layer, layer);
  machine->uri = g_strdup (FIXTURE_URI);
  machine->requested = g_strdupv (model->requested);
  machine->resolved = g_strdupv (model->resolved);
  g_ptr_array_unref (machine->layers);
  machine->layers = g_ptr_array_ref (model->layers);
  machine->state = facts->state;
  machine->replaced_by = g_strdup (by);
  machine->replaced_xml = by != NULL ? g_strdup (xml) : NULL;
  machine->replaced_active = by != NULL;
  g_assert_true (lm_machine_save (machine, &error));
  g_assert_true (lm_file_write (machine->overlay, "x", 1, 0600, &error));
  const struct utimbuf pristine = { PRISTINE_TIME, PRISTINE_TIME };
  g_assert_true (facts->written || utime (machine->overlay, &pristine) == 0);
  if (facts->domain == NO_DOMAIN)
    return g_steal_pointer (&machine);
  g_autofree char *named = domain_xml (machine, domain_name);
  g_autoptr (LmVirtDomain) domain = lm_virt_define (f->virt, named, domain_name, machine->uuid, &error);
  g_assert_no_error (error);
  g_assert_true (facts->domain != RUNS || lm_virt_domain_start (domain, NULL));
  return g_steal_pointer (&machine);
}

static gboolean
has_disk (const LmMachine *machine)
{
  return g_file_test (machine->overlay, G_FILE_TEST_EXISTS);
}

static gboolean
has_domain (const OpsFixture *f, const LmMachine *machine)
{
  g_autoptr (LmVirtDomain) domain = lm_virt_find_uuid (f->virt, machine->uuid, NULL);
  return domain != NULL;
}

static void
assert_outcome (OpsFixture *f, const LmMachine *machine, const Facts *facts, Outcome outcome)
{
  static const LmMachineState states[] = { [CREATING] = LM_MACHINE_STATE_CREATING,
                                           [COMPLETE] = LM_MACHINE_STATE_COMPLETE,
                                           [RUNNING] = LM_MACHINE_STATE_COMPLETE,
                                           [SUPERSEDED] = LM_MACHINE_STATE_REPLACED };
  if (machine == NULL)
    return;
  g_autoptr (LmMachine) now = lm_machine_load (f->state_dir, machine->uuid, NULL);
  g_assert_true ((now == NULL) == (outcome == GONE));
  g_assert_true (has_disk (machine) == (outcome != GONE));
  g_assert_true (has_domain (f, machine) == (outcome == RUNNING || (outcome != GONE && facts->domain != NO_DOMAIN)));
  g_assert_true (fixture_is_running (f, machine->uuid) == (outcome == RUNNING || (outcome != GONE && facts->domain == RUNS)));
  if (now != NULL)
    g_assert_cmpint (now->state, ==, states[outcome]);
}

static void
clear (OpsFixture *f, LmMachine *machine)
{
  if (machine == NULL)
    return;
  g_autoptr (LmVirtDomain) domain = lm_virt_find_uuid (f->virt, machine->uuid, NULL);
  g_assert_true (domain == NULL || lm_machine_domain_remove (domain, FALSE, NULL));
  g_assert_true (lm_machine_erase (machine, NULL));
}

/* Twice, because there is nothing left to do the second time. */
static void
check_recovery (OpsFixture *f, const Facts *old, const Facts *new)
{
  g_autoptr (LmMachine) second = make (f, new, "e", "m", NULL);
  gboolean replaced = old->state == LM_MACHINE_STATE_REPLACED;
  g_autofree char *by = !replaced ? NULL : second != NULL ? g_strdup (second->uuid) : g_uuid_string_random ();
  g_autoptr (LmMachine) first = make (f, old, "c", new->domain == NO_DOMAIN ? "m" : "m-old", by);
  for (guint i = 0; i < 2; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GPtrArray) superseded = lm_recover (&f->host, f->virt, "m", &error);
      g_assert_no_error (error);
      g_assert_cmpuint (superseded->len, ==, expect_old (old, new) == SUPERSEDED);
      g_assert_true (superseded->len == 0 || g_str_equal (((LmMachine *) superseded->pdata[0])->uuid, first->uuid));
      assert_outcome (f, first, old, expect_old (old, new));
      assert_outcome (f, second, new, expect_new (old, new));
    }
  clear (f, first);
  clear (f, second);
}

/* A launch of either machine, or of a layer that does not exist, with any result:
 * machines that ran and existed still do, and only a superseded disk is removed, by
 * a launch of the other machine. */
static void
check_launch (OpsFixture *f, const Facts *old, const Facts *new, const char *layer)
{
  g_autoptr (LmMachine) second = make (f, new, "e", "m", NULL);
  gboolean replaced = old->state == LM_MACHINE_STATE_REPLACED;
  g_autofree char *by = !replaced ? NULL : second != NULL ? g_strdup (second->uuid) : g_uuid_string_random ();
  g_autoptr (LmMachine) first = make (f, old, "c", new->domain == NO_DOMAIN ? "m" : "m-old", by);
  g_autoptr (LmLaunchRequest) request = fixture_request (f, "m", layer);
  g_autoptr (LmLaunchResult) result = lm_launch (&f->host, f->virt, request, NULL, NULL);
  gboolean is_new = result != NULL && second != NULL && g_str_equal (result->machine->uuid, second->uuid);
  if (result != NULL)
    g_assert_true (has_disk (result->machine) && fixture_is_running (f, result->machine->uuid));
  if (first != NULL)
    {
      g_assert_true (has_disk (first) == !(is_new && expect_old (old, new) == SUPERSEDED));
      g_assert_true (old->domain != RUNS || fixture_is_running (f, first->uuid));
      g_assert_true (old->domain == NO_DOMAIN || has_domain (f, first));
    }
  if (second != NULL && expect_new (old, new) != GONE)
    {
      g_assert_true (has_disk (second));
      g_assert_true (new->domain != RUNS || fixture_is_running (f, second->uuid));
    }
  if (result != NULL && !result->existed)
    clear (f, result->machine);
  clear (f, first);
  clear (f, second);
}

static void
test_pairs (OpsFixture *f, gconstpointer data)
{
  static const Facts olds[] = {
    { FALSE, 0, NO_DOMAIN, FALSE },
    { TRUE, LM_MACHINE_STATE_COMPLETE, NO_DOMAIN, TRUE },
    { TRUE, LM_MACHINE_STATE_COMPLETE, OFF, TRUE },
    { TRUE, LM_MACHINE_STATE_COMPLETE, RUNS, TRUE },
    { TRUE, LM_MACHINE_STATE_REPLACED, NO_DOMAIN, TRUE },
    { TRUE, LM_MACHINE_STATE_REPLACED, OFF, TRUE },
    { TRUE, LM_MACHINE_STATE_REPLACED, RUNS, TRUE },
  };
  static const LmMachineState states[]
    = { LM_MACHINE_STATE_CREATING, LM_MACHINE_STATE_COMPLETE, LM_MACHINE_STATE_REMOVING };
  const Facts none = { 0 };
  for (gsize i = 0; i < G_N_ELEMENTS (olds); i++)
    {
      check_recovery (f, &olds[i], &none);
      check_launch (f, &olds[i], &none, "c");
      for (gsize j = 0; j < G_N_ELEMENTS (states); j++)
        for (Domain domain = NO_DOMAIN; domain <= RUNS; domain++)
          for (int written = 0; written < 2; written++)
            {
              const Facts new = { TRUE, states[j], domain, written };
              g_test_message ("old %d %d, new %d %d %d", olds[i].state, olds[i].domain, new.state, domain, written);
              check_recovery (f, &olds[i], &new);
              check_launch (f, &olds[i], &new, "c");
              check_launch (f, &olds[i], &new, "e");
              check_launch (f, &olds[i], &new, "nonsense");
            }
    }
}

/* A replaced machine whose successor was replaced too: by one that became complete,
 * did not, or no longer exists. */
static void
test_chain (OpsFixture *f, gconstpointer data)
{
  const Facts replaced = { TRUE, LM_MACHINE_STATE_REPLACED, NO_DOMAIN, TRUE };
  static const Facts lasts[] = {
    { TRUE, LM_MACHINE_STATE_COMPLETE, OFF, FALSE },
    { TRUE, LM_MACHINE_STATE_CREATING, OFF, FALSE },
    { FALSE, 0, NO_DOMAIN, FALSE },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (lasts); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *gone = g_uuid_string_random ();
      g_autoptr (LmMachine) third = make (f, &lasts[i], "c", "m", NULL);
      g_autoptr (LmMachine) second = make (f, &replaced, "e", "m", third != NULL ? third->uuid : gone);
      g_autoptr (LmMachine) first = make (f, &replaced, "c", "m", second->uuid);
      g_autoptr (GPtrArray) superseded = lm_recover (&f->host, f->virt, "m", &error);
      g_assert_no_error (error);
      g_assert_cmpuint (superseded->len, ==, i == 0 ? 2 : 1);
      assert_outcome (f, first, &replaced, SUPERSEDED);
      assert_outcome (f, second, &replaced, i == 0 ? SUPERSEDED : RUNNING);
      assert_outcome (f, third, &lasts[i], i == 0 ? COMPLETE : GONE);

      /* If one cannot be removed, those after it are kept, because their handling depends on it. */
      g_ptr_array_set_size (f->warnings, 0);
      g_setenv ("LAMINA_TEST_FAULT", "erase-before-record=eio", TRUE);
      lm_recover_remove_superseded (&f->host, f->virt, superseded);
      g_unsetenv ("LAMINA_TEST_FAULT");
      g_assert_cmpuint (f->warnings->len, ==, 1);
      g_assert_false (has_disk (first));
      g_assert_true (has_disk (second));
      clear (f, first);
      clear (f, second);
      clear (f, third);
    }
}

/* A third machine has the name, and the successor of the old one no longer exists. */
static void
test_orphan (OpsFixture *f, gconstpointer data)
{
  const Facts replaced = { TRUE, LM_MACHINE_STATE_REPLACED, NO_DOMAIN, TRUE };
  const Facts complete = { TRUE, LM_MACHINE_STATE_COMPLETE, RUNS, TRUE };
  g_autoptr (GError) error = NULL;
  g_autofree char *gone = g_uuid_string_random ();
  g_autoptr (LmMachine) first = make (f, &replaced, "c", "m", gone);
  g_autoptr (LmMachine) other = make (f, &complete, "e", "m", NULL);
  g_autoptr (LmLaunchRequest) request = fixture_request (f, "m", "e");
  g_autoptr (LmLaunchResult) result = lm_launch (&f->host, f->virt, request, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (result->machine->uuid, ==, other->uuid);
  assert_outcome (f, first, &replaced, SUPERSEDED);
  g_assert_cmpuint (f->warnings->len, ==, 1);
  g_assert_nonnull (strstr (f->warnings->pdata[0], first->dir));
}

/* Its domain was restored while the new machine was being created. */
static void
test_back_meanwhile (OpsFixture *f, gconstpointer data)
{
  const Facts replaced = { TRUE, LM_MACHINE_STATE_REPLACED, NO_DOMAIN, TRUE };
  const Facts complete = { TRUE, LM_MACHINE_STATE_COMPLETE, RUNS, TRUE };
  g_autoptr (LmMachine) new = make (f, &complete, "e", "m", NULL);
  g_autoptr (LmMachine) old = make (f, &replaced, "c", "m", new->uuid);
  g_autoptr (GPtrArray) superseded = lm_recover (&f->host, f->virt, "m", NULL);
  g_assert_cmpuint (superseded->len, ==, 1);
  g_autofree char *xml = domain_xml (old, "m-old");
  g_autoptr (LmVirtDomain) domain = lm_virt_define (f->virt, xml, "m-old", old->uuid, NULL);
  g_assert_true (lm_virt_domain_start (domain, NULL));
  lm_recover_remove_superseded (&f->host, f->virt, superseded);
  assert_outcome (f, old, &complete, COMPLETE);

  /* Both are called m, so rm refuses. */
  g_autoptr (GError) error = NULL;
  g_assert_false (lm_remove (&f->host, f->virt, "m", NULL, &error));
  g_assert_error (error, LM_MACHINE_DOMAIN_ERROR, LM_MACHINE_DOMAIN_ERROR_SEVERAL);
  assert_outcome (f, old, &complete, COMPLETE);
  assert_outcome (f, new, &complete, COMPLETE);
}

/* A machine that has run is not rolled back if that cannot be recorded; one that
 * has not is removed the next time. */
static void
test_without_mark (OpsFixture *f, gconstpointer data)
{
  static const Facts facts[] = {
    { TRUE, LM_MACHINE_STATE_CREATING, OFF, FALSE },
    { TRUE, LM_MACHINE_STATE_CREATING, OFF, TRUE },
    { TRUE, LM_MACHINE_STATE_CREATING, RUNS, FALSE },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (facts); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (LmMachine) machine = make (f, &facts[i], "c", "m", NULL);
      g_setenv ("LAMINA_TEST_FAULT", "record-before-write=eio", TRUE);
      g_assert_true (lm_remove_domain (f->virt, machine, &error) == (i == 0));
      g_unsetenv ("LAMINA_TEST_FAULT");
      g_assert_true (has_domain (f, machine) == (i != 0));
      g_assert_true (fixture_is_running (f, machine->uuid) == (facts[i].domain == RUNS));
      clear (f, machine);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  if (!tools_have ("qemu-img"))
    return 0;
#define ADD(name) g_test_add ("/recover/" #name, OpsFixture, NULL, fixture_setup, test_##name, fixture_teardown)
  ADD (pairs);
  ADD (chain);
  ADD (orphan);
  ADD (back_meanwhile);
  ADD (without_mark);
#undef ADD
  return g_test_run ();
}

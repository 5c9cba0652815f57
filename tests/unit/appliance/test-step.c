/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "appliance/step.h"
#include "base/json-value.h"
#include "tests/unit/appliance/fake.h"

#include <errno.h>
#include <string.h>

/* What step.c needs of guest.c. */
guestfs_h *
lm_guest_get_handle (LmGuest *guest)
{
  return NULL;
}

gboolean
lm_guest_trim (LmGuest *guest, GError **error)
{
  return TRUE;
}

static LmJson *
parse (const char *text)
{
  g_autoptr (GError) error = NULL;
  LmJson *json = lm_json_parse (text, strlen (text), &error);
  g_assert_no_error (error);
  return json;
}

static gboolean
check (const char *steps, GError **error)
{
  g_autofree char *text = g_strdup_printf ("{\"steps\": [{\"do\": \"trim\"}, %s]}", steps);
  g_autoptr (LmJson) json = parse (text);
  return lm_step_check (lm_json_get_array (lm_json_get_root (json), "steps"), error);
}

static void
test_check (void)
{
  static const char *const bad[] = {
    "{\"do\": \"fly\"}", "{}", "{\"do\": \"read\"}", "{\"do\": \"read\", \"path\": \"etc\"}", "{\"do\": \"run\"}",
    "{\"do\": \"unpack\", \"path\": \"/\"}", "{\"do\": \"unpack\", \"from\": \"/tree.tar\"}", "{\"do\": \"list\", \"path\": \"/\"}",
  };
  g_autoptr (GError) error = NULL;
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_test_message ("%s", bad[i]);
      g_assert_false (check (bad[i], &error));
      g_assert_error (error, LM_GUEST_ERROR, LM_GUEST_ERROR_FAILED);
      g_assert_nonnull (strstr (error->message, "step 2 "));
      g_clear_error (&error);
    }
  g_assert_true (check ("{\"do\": \"unpack\", \"from\": \"/tree.tar\", \"path\": \"/\"}, {\"do\": \"run\", \"script\": \"\"}", &error));
  g_assert_no_error (error);
}

/* Does the one step @text; returns whether it was left out. */
static gboolean
do_step (const char *text, GError **error)
{
  g_autoptr (LmJson) json = parse (text);
  gboolean skipped = FALSE;
  const gboolean done = lm_step_do (NULL, lm_json_get_root (json), 1, &skipped, error);
  g_assert_true (done == (*error == NULL));
  return skipped;
}

static void
test_unpack (void)
{
  static const char step[] = "{\"do\": \"unpack\", \"from\": \"/tree.tar\", \"path\": \"/\"}";
  g_autoptr (GError) error = NULL;
  fake_reset (NULL, 0, NULL);
  g_assert_false (do_step (step, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (fake_get_calls (), ==, "tar-in /tree.tar /\n");
  fake_reset ("tar-in", ENOSPC, NULL);
  g_assert_false (do_step (step, &error));
  g_assert_error (error, LM_GUEST_ERROR, LM_GUEST_ERROR_NO_SPACE);
  g_assert_cmpstr (error->message, ==, "cannot unpack /tree.tar: the reason");
}

/* A step is left out if a path is not there, or one of others is. */
static void
test_conditions (void)
{
  static const struct
  {
    const char *members;
    gboolean skipped;
  } cases[] = {
    { "\"if\": \"/etc/a\"", FALSE },
    { "\"if\": \"/usr\"", TRUE },
    { "\"unless\": [\"/usr\", \"/etc/a\"]", TRUE },
    { "\"unless\": [\"/usr\"]", FALSE },
    { "\"if\": \"/etc/a\", \"unless\": [\"/etc/b\"]", TRUE },
    { "\"unless\": [\"etc\"]", FALSE },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *text = g_strdup_printf ("{\"do\": \"unpack\", \"from\": \"/t\", \"path\": \"/\", %s}", cases[i].members);
      g_test_message ("%s", cases[i].members);
      fake_reset (NULL, 0, "/etc");
      g_assert_true (do_step (text, &error) == cases[i].skipped);
      g_assert_no_error (error);
      g_assert_cmpstr (fake_get_calls (), ==, cases[i].skipped ? "" : "tar-in /t /\n");
    }
}

/* A directory and its parent, which a glob with a dot matches, are not removed. */
static void
test_remove (void)
{
  g_autoptr (GError) error = NULL;
  fake_reset (NULL, 0, NULL);
  g_assert_false (do_step ("{\"do\": \"remove\", \"path\": \"/d/.*\", \"also\": [\"/e/.*\"]}", &error));
  g_assert_no_error (error);
  g_assert_cmpstr (fake_get_calls (), ==, "glob /d/.*\nrm-rf /d/.x\nglob /e/.*\nrm-rf /e/.x\n");
}

/* A link of the guest leads to where the guest sees it, not to where the appliance would. */
static void
test_links (void)
{
  g_autoptr (GError) error = NULL;
  fake_reset (NULL, 0, NULL);
  g_assert_false (do_step ("{\"do\": \"remove\", \"path\": \"/link/sub/*\"}", &error));
  g_assert_no_error (error);
  g_assert_cmpstr (fake_get_calls (), ==, "glob /link/sub/*\nrm-rf /target/.x\n");
}

/* A guest that cannot run a command, and an appliance that is no more, are told apart. */
static void
test_run (void)
{
  static const char step[] = "{\"do\": \"run\", \"script\": \"true\"}";
  g_autoptr (GError) error = NULL;
  fake_reset (NULL, 0, NULL);
  g_assert_false (do_step (step, &error));
  g_assert_no_error (error);
  fake_reset ("command", ENOENT, NULL);
  g_assert_false (do_step (step, &error));
  g_assert_error (error, LM_GUEST_ERROR, LM_GUEST_ERROR_COMMAND);
  g_clear_error (&error);
  fake_reset ("command", EPIPE, NULL);
  g_assert_false (do_step (step, &error));
  g_assert_error (error, LM_GUEST_ERROR, LM_GUEST_ERROR_FAILED);
  g_assert_cmpstr (error->message, ==, "the appliance has ended: the reason");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/step/check", test_check);
  g_test_add_func ("/step/unpack", test_unpack);
  g_test_add_func ("/step/conditions", test_conditions);
  g_test_add_func ("/step/remove", test_remove);
  g_test_add_func ("/step/links", test_links);
  g_test_add_func ("/step/run", test_run);
  return g_test_run ();
}

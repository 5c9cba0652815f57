/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "build/appliance.h"
#include "base/file.h"
#include "base/json-value.h"
#include "build/scrub.h"
#include "io/run.h"
#include "tests/unit/lib/cancel.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

typedef struct
{
  char *dir;
  char *program;
  char *job; /* what the program was given */
  LmApplianceSettings settings;
} Fixture;

static void
setup (Fixture *f, gconstpointer data)
{
  f->dir = g_dir_make_tmp ("lm-appliance-XXXXXX", NULL);
  f->program = g_build_filename (f->dir, "program", NULL);
  f->job = g_build_filename (f->dir, "job", NULL);
  f->settings = (LmApplianceSettings){ .program = f->program, .disk = "/disk", .scratch = f->dir, .virt_type = "qemu" };
}

static void
teardown (Fixture *f, gconstpointer data)
{
  g_assert_true (lm_file_remove_tree (f->dir, NULL));
  g_free (f->dir);
  g_free (f->program);
  g_free (f->job);
}

/* Runs @job by a program that copies its job and then does @script. */
static gboolean
run_script (Fixture *f, LmAppliance *job, const char *script, LmApplianceProgressFunc func, gpointer user_data, GError **error)
{
  g_autofree char *text = g_strdup_printf ("#!/bin/sh\ncp \"$1\" '%s'\n%s\n", f->job, script);
  g_assert_true (lm_file_write (f->program, text, strlen (text), 0700, NULL));
  gboolean ok = lm_appliance_run (job, &f->settings, func, user_data, NULL, error);
  g_assert_true (ok == (error == NULL || *error == NULL));
  return ok;
}

static LmJson *
read_job (Fixture *f)
{
  g_autoptr (GBytes) bytes = lm_file_read (f->job, 1024 * 1024, NULL, NULL);
  LmJson *json = lm_json_parse (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), NULL);
  g_assert_nonnull (json);
  return json;
}

#define DONE "echo '{\"event\":\"done\"}'"

static void
test_job (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmAppliance) job = lm_appliance_new ();
  lm_appliance_add_upload (job, "copy", "/from", "/to", 0644);
  lm_appliance_add_write (job, "write", "/w", "a\0b", 3, 0600);
  lm_appliance_only_if (job, "/there");
  lm_appliance_unless (job, "/x");
  lm_appliance_unless (job, "/y");
  lm_appliance_add_run (job, "run", "echo \"$1\" 'é'\n");
  g_assert_cmpuint (lm_appliance_add_read (job, "read", "/r", G_MAXUINT64, NULL), ==, 4);
  g_assert_cmpuint (lm_appliance_add_read (job, "read", "/r", 5000000000, "/host"), ==, 5);
  lm_appliance_add_remove (job, "remove", "/a");
  lm_appliance_also (job, "/b*");
  f->settings.read_only = TRUE;
  run_script (f, job, DONE, NULL, NULL, &error);
  g_assert_no_error (error);

  g_autoptr (LmJson) json = read_job (f);
  const LmJsonValue *root = lm_json_get_root (json);
  g_assert_cmpstr (lm_json_get_string (root, "disk"), ==, "/disk");
  g_assert_cmpstr (lm_json_get_string (root, "format"), ==, "qcow2");
  g_assert_cmpstr (lm_json_get_string (root, "virt_type"), ==, "qemu");
  g_assert_cmpstr (lm_json_get_string (root, "scratch"), ==, f->dir);
  g_assert_true (lm_json_get_bool (root, "read_only"));
  g_assert_false (lm_json_get_bool (root, "network"));
  const LmJsonValue *step = lm_json_get_first (lm_json_get_array (root, "steps"));
  g_assert_cmpstr (lm_json_get_string (step, "do"), ==, "upload");
  g_assert_cmpstr (lm_json_get_string (step, "path"), ==, "/to");
  g_assert_cmpint (lm_json_get_int (step, "mode", 0), ==, 0644);
  step = lm_json_get_next (step);
  g_assert_cmpstr (lm_json_get_string (step, "content"), ==, "YQBi");
  g_assert_cmpstr (lm_json_get_string (step, "if"), ==, "/there");
  g_auto (GStrv) unless = lm_json_get_strv (step, "unless");
  g_assert_cmpuint (g_strv_length (unless), ==, 2);
  step = lm_json_get_next (step);
  g_assert_cmpstr (lm_json_get_string (step, "script"), ==, "echo \"$1\" 'é'\n");
  step = lm_json_get_next (step);
  g_assert_cmpint (lm_json_get_int (step, "max", 0), ==, LM_APPLIANCE_READ_MAX);
  step = lm_json_get_next (step);
  g_assert_cmpint (lm_json_get_int (step, "max", 0), ==, 5000000000);
  step = lm_json_get_next (step);
  g_auto (GStrv) also = lm_json_get_strv (step, "also");
  g_assert_cmpstr (also[0], ==, "/b*");
  g_assert_null (lm_json_get_next (step));
  /* Only what this test itself wrote is left. */
  g_autoptr (GPtrArray) names = lm_file_list_dir (f->dir, NULL);
  g_assert_cmpuint (names->len, ==, 2);
}

static void
note_progress (const LmApplianceProgress *progress, gpointer user_data)
{
  g_string_append_printf (user_data, "%u/%u %s %s%s|", progress->step, progress->of, progress->label,
                          progress->ended ? "ended" : "begins", progress->skipped ? ", skipped" : "");
}

static void
test_lines (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (GString) seen = g_string_new (NULL);
  g_autoptr (LmAppliance) job = lm_appliance_new ();
  guint there = lm_appliance_add_read (job, "r", "/r", 10, NULL);
  guint missing = lm_appliance_add_read (job, "r", "/s", 10, NULL);
  run_script (f, job,
              "echo '{\"event\":\"begin\",\"step\":1,\"of\":4,\"label\":\"start\"}'\n"
              "echo '{\"event\":\"result\",\"step\":2,\"content\":\"aGkA\"}'\n"
              "echo '{\"event\":\"result\",\"step\":3,\"content\":null}'\n"
              "echo '{\"event\":\"end\",\"step\":3,\"of\":4,\"label\":\"r\",\"ms\":12,\"skipped\":true}'\n" DONE,
              note_progress, seen, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (seen->str, ==, "1/4 start begins|3/4 r ended, skipped|");
  GBytes *result = lm_appliance_get_result (job, there);
  g_assert_cmpmem (g_bytes_get_data (result, NULL), g_bytes_get_size (result), "hi\0", 3);
  g_assert_null (lm_appliance_get_result (job, missing));
  g_assert_null (lm_appliance_get_result (job, 77));
}

static const struct
{
  const char *script;
  int code;
  const char *text;
} failures[] = {
  { "exit 0", LM_APPLIANCE_ERROR_FAILED, "without saying that it is done" },
  { "echo nonsense; exec sleep 100", LM_APPLIANCE_ERROR_FAILED, "does not understand" },
  { "echo '{\"event\":\"other\"}'", LM_APPLIANCE_ERROR_FAILED, "does not understand" },
  { "echo '[1]'", LM_APPLIANCE_ERROR_FAILED, "does not understand" },
  { DONE "; " DONE, LM_APPLIANCE_ERROR_FAILED, "does not understand" },
  { DONE "; exit 3", LM_APPLIANCE_ERROR_FAILED, "status 3" },
  { "echo '{\"event\":\"result\",\"step\":9,\"content\":\"aGk=\"}'", LM_APPLIANCE_ERROR_FAILED, "does not understand" },
  { "echo '{\"event\":\"result\",\"step\":-4000000000,\"content\":\"aGk=\"}'", LM_APPLIANCE_ERROR_FAILED, "does not understand" },
  { "echo '{\"event\":\"failure\",\"kind\":\"strange\",\"message\":\"m\"}'", LM_APPLIANCE_ERROR_FAILED, "does not understand" },
  { "echo '{\"event\":\"failure\",\"kind\":\"failed\",\"label\":\"l\",\"message\":\"m\"}'; exit 1", LM_APPLIANCE_ERROR_FAILED, "/disk: l: m" },
  /* A failure is one, whatever is said later. */
  { "echo '{\"event\":\"failure\",\"kind\":\"failed\",\"label\":null,\"message\":\"m\"}'; " DONE, LM_APPLIANCE_ERROR_FAILED, "the job: m" },
  { "printf '%s\\n' '{\"event\":\"failure\",\"kind\":\"failed\",\"label\":\"l\",\"message\":\"one\\ntwo\\n\"}'; exit 1",
    LM_APPLIANCE_ERROR_FAILED, "l: one; two" },
  { "echo '{\"event\":\"failure\",\"kind\":\"missing\",\"label\":\"l\",\"message\":\"m\"}'; exit 1", LM_APPLIANCE_ERROR_MISSING, "m" },
  { "echo '{\"event\":\"failure\",\"kind\":\"image\",\"label\":\"l\",\"message\":\"m\"}'; exit 1", LM_APPLIANCE_ERROR_IMAGE, "m" },
  { "printf '%s\\n' '{\"event\":\"output\",\"status\":7,\"output\":\"first\\nE: \\u001b[1mlast\\n\\n\"}'\n"
    "echo '{\"event\":\"failure\",\"kind\":\"command\",\"label\":\"install\",\"message\":\"it failed\"}'; exit 1",
    LM_APPLIANCE_ERROR_COMMAND, "install: it failed, with status 7: first; E: ?[1mlast" },
  { "echo '{\"event\":\"output\",\"status\":100,\"output\":\"x\"}'\n"
    "echo '{\"event\":\"failure\",\"kind\":\"no-space\",\"label\":\"install\",\"message\":\"it is full\"}'; exit 1",
    LM_APPLIANCE_ERROR_NO_SPACE, "it is full" },
  { "echo 'lamina-appliance: error while loading shared libraries: libguestfs.so.0: cannot open' >&2; exit 127",
    LM_APPLIANCE_ERROR_MISSING, "libguestfs0" },
};

static void
test_failures (Fixture *f, gconstpointer data)
{
  for (gsize i = 0; i < G_N_ELEMENTS (failures); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (LmAppliance) job = lm_appliance_new ();
      (void) lm_appliance_add_read (job, "r", "/r", 10, NULL);
      g_assert_false (run_script (f, job, failures[i].script, NULL, NULL, &error));
      g_assert_error (error, LM_APPLIANCE_ERROR, failures[i].code);
      if (strstr (error->message, failures[i].text) == NULL)
        g_error ("case %zu: \"%s\" is not in \"%s\"", i, failures[i].text, error->message);
    }
}

static void
test_missing (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmAppliance) job = lm_appliance_new ();
  g_assert_false (lm_appliance_run (job, &f->settings, NULL, NULL, NULL, &error));
  g_assert_error (error, LM_APPLIANCE_ERROR, LM_APPLIANCE_ERROR_MISSING);
  g_assert_nonnull (strstr (error->message, f->program));
}

static void
test_time (Fixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmAppliance) job = lm_appliance_new (), other = lm_appliance_new ();
  f->settings.time_seconds = 1;
  g_assert_false (run_script (f, job, "exec sleep 100", NULL, NULL, &error));
  g_assert_error (error, LM_RUN_ERROR, LM_RUN_ERROR_TIMED_OUT);
  g_clear_error (&error);
  f->settings.time_seconds = 0;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  GThread *thread = cancel_after (cancellable, 100);
  g_assert_false (lm_appliance_run (other, &f->settings, NULL, NULL, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
  g_thread_join (thread);
}

/* Whether a step of @json removes or empties (@what) something that matches @pattern. */
static gboolean
has_pattern (LmJson *json, const char *what, const char *pattern)
{
  const LmJsonValue *steps = lm_json_get_array (lm_json_get_root (json), "steps");
  for (const LmJsonValue *step = lm_json_get_first (steps); step != NULL; step = lm_json_get_next (step))
    {
      g_auto (GStrv) also = lm_json_get_strv (step, "also");
      if (g_strcmp0 (lm_json_get_string (step, "do"), what) == 0
          && (g_strcmp0 (lm_json_get_string (step, "path"), pattern) == 0
              || g_strv_contains ((const char *const *) also, pattern)))
        return TRUE;
    }
  return FALSE;
}

static void
test_scrub (Fixture *f, gconstpointer data)
{
  static const char *const removed[] = { "/etc/ssh/ssh_host_*_key", "/var/lib/dbus/machine-id", "/var/lib/systemd/random-seed",
                                         "/var/lib/apt/lists/*",    "/tmp/.[!.]*",              "/root/.*_history",
                                         "/var/lib/cloud/instance", "/var/lib/dhcp/*.leases*",  "/var/lib/dpkg/*-old" };
  g_autoptr (LmAppliance) job = lm_appliance_new ();
  lm_scrub_append (job);
  g_assert_true (run_script (f, job, DONE, NULL, NULL, NULL));
  g_autoptr (LmJson) json = read_job (f);
  for (gsize i = 0; i < G_N_ELEMENTS (removed); i++)
    g_assert_true (has_pattern (json, "remove", removed[i]));
  g_assert_true (has_pattern (json, "truncate", "/etc/machine-id"));
  g_assert_true (has_pattern (json, "truncate", "/var/log"));
  guint conditional = 0;
  for (const LmJsonValue *step = lm_json_get_first (lm_json_get_array (lm_json_get_root (json), "steps")); step != NULL;
       step = lm_json_get_next (step))
    {
      g_auto (GStrv) also = lm_json_get_strv (step, "also");
      g_auto (GStrv) unless = lm_json_get_strv (step, "unless");
      const char *what = lm_json_get_string (step, "do"), *path = lm_json_get_string (step, "path");
      /* Nothing but what is in a directory that is named in full is ever removed. */
      if (strcmp (what, "remove") == 0)
        for (char **pattern = also; *pattern != NULL; pattern++)
          g_assert_true (**pattern == '/' && strpbrk (*pattern, "*[?") != *pattern + 1);
      if (g_str_has_prefix (path, "/etc/systemd/"))
        {
          conditional++;
          g_assert_nonnull (lm_json_get_string (step, "if"));
          /* cloud-init makes keys only if it finds a seed. */
          g_assert_false (g_strv_contains ((const char *const *) unless, "/usr/bin/cloud-init"));
          g_assert_cmpstr (unless[0], ==, "/usr/lib/systemd/system/sshd-keygen@.service");
        }
    }
  g_assert_cmpuint (conditional, ==, 5);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
#define ADD(name, function) g_test_add ("/appliance/" name, Fixture, NULL, setup, function, teardown)
  ADD ("job", test_job);
  ADD ("lines", test_lines);
  ADD ("failures", test_failures);
  ADD ("missing", test_missing);
  ADD ("time", test_time);
  ADD ("scrub", test_scrub);
  return g_test_run ();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "tests/unit/ops/fixture.h"

#include <sqlite3.h>
#include <string.h>

/* Returns the first column of the only row that @sql selects from lamina.db. */
static char *
query (const OpsFixture *f, const char *sql)
{
  g_autofree char *path = g_build_filename (f->state_dir, "lamina.db", NULL);
  sqlite3 *handle = NULL;
  sqlite3_stmt *statement = NULL;
  g_assert_cmpint (sqlite3_open_v2 (path, &handle, SQLITE_OPEN_READWRITE, NULL), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_prepare_v2 (handle, sql, -1, &statement, NULL), ==, SQLITE_OK);
  g_assert_cmpint (sqlite3_step (statement), ==, SQLITE_ROW);
  char *text = g_strdup ((const char *) sqlite3_column_text (statement, 0));
  sqlite3_finalize (statement);
  sqlite3_close (handle);
  return text;
}

static void
launch (OpsFixture *f, const char *name, gboolean start)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmLaunchRequest) request = fixture_request (f, name, "c");
  request->start = start;
  g_autoptr (LmLaunchResult) result = lm_launch (&f->host, f->virt, request, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (result);
}

/* A launch, a definition and the start of an existing machine; a launch of one that runs is none of these. */
static void
test_history (OpsFixture *f, gconstpointer data)
{
  f->host.history = TRUE;
  launch (f, "one", TRUE);
  launch (f, "one", TRUE);
  launch (f, "two", FALSE);
  launch (f, "two", TRUE);
  g_autofree char *how = query (f, "SELECT group_concat(name || ' ' || how) FROM history");
  g_assert_cmpstr (how, ==, "one launch,two define,two start");
  g_autofree char *selections = query (f, "SELECT DISTINCT selections FROM history");
  g_assert_cmpstr (selections, ==, "os=a@1.0 app=c@1.0");
  g_autofree char *chain = query (f, "SELECT DISTINCT length(chain) FROM history");
  g_assert_cmpstr (chain, ==, "143");
  g_autofree char *uses = query (f, "SELECT count(*) FROM use WHERE time > unixepoch() - 600 AND time <= unixepoch()");
  g_assert_cmpstr (uses, ==, "2");
}

/* Without a history, the last uses are noted all the same. */
static void
test_off (OpsFixture *f, gconstpointer data)
{
  launch (f, "one", TRUE);
  g_autofree char *counts = query (f, "SELECT (SELECT count(*) FROM use) || ' ' || (SELECT count(*) FROM history)");
  g_assert_cmpstr (counts, ==, "2 0");
}

/* A launch that fails is not in it, and a database that cannot be used fails no launch. */
static void
test_failures (OpsFixture *f, gconstpointer data)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmLaunchRequest) request = fixture_request (f, "bad", "c");
  f->host.history = TRUE;
  launch (f, "one", TRUE);
  g_setenv ("LAMINA_TEST_FAULT", "launch-before-commit=eio", TRUE);
  g_autoptr (LmLaunchResult) result = lm_launch (&f->host, f->virt, request, NULL, &error);
  g_assert_null (result);
  g_setenv ("LAMINA_TEST_FAULT", "database-before-commit=enospc", TRUE);
  launch (f, "two", TRUE);
  g_unsetenv ("LAMINA_TEST_FAULT");
  g_autofree char *names = query (f, "SELECT group_concat(name) FROM history");
  g_assert_cmpstr (names, ==, "one");
  g_assert_cmpuint (f->warnings->len, ==, 0);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add ("/history/all", OpsFixture, NULL, fixture_setup, test_history, fixture_teardown);
  g_test_add ("/history/off", OpsFixture, NULL, fixture_setup, test_off, fixture_teardown);
  g_test_add ("/history/failures", OpsFixture, NULL, fixture_setup, test_failures, fixture_teardown);
  return g_test_run ();
}

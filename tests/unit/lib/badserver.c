/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "tests/unit/lib/badserver.h"
#include "base/file.h"

#include <string.h>

Badserver *
badserver_start (const char *parent)
{
  g_autoptr (GError) error = NULL;
  g_setenv ("no_proxy", "*", TRUE);
  Badserver *server = g_new0 (Badserver, 1);
  server->dir = g_build_filename (parent, "www", NULL);
  server->log = g_build_filename (parent, "requests.log", NULL);
  g_assert_cmpint (g_mkdir_with_parents (server->dir, 0755), ==, 0);
  g_autofree char *script = g_test_build_filename (G_TEST_DIST, "lib", "badserver.py", NULL);
  server->process = g_subprocess_new (G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error, "python3",
                                      script, server->dir, server->log, NULL);
  g_assert_no_error (error);
  g_autoptr (GDataInputStream) out = g_data_input_stream_new (g_subprocess_get_stdout_pipe (server->process));
  g_filter_input_stream_set_close_base_stream (G_FILTER_INPUT_STREAM (out), FALSE);
  g_autofree char *line = g_data_input_stream_read_line (out, NULL, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (line);
  server->port = (guint) g_ascii_strtoull (line, NULL, 10);
  return server;
}

void
badserver_stop (Badserver *server)
{
  g_assert_true (g_output_stream_close (g_subprocess_get_stdin_pipe (server->process), NULL, NULL));
  g_assert_true (g_subprocess_wait (server->process, NULL, NULL));
  g_object_unref (server->process);
  g_free (server->dir);
  g_free (server->log);
  g_free (server);
}

void
badserver_put (Badserver *server, const char *name, gsize size, guint32 seed)
{
  g_autofree char *path = g_build_filename (server->dir, name, NULL);
  g_autofree guint8 *data = g_malloc (size + 4);
  g_autoptr (GRand) rand = g_rand_new_with_seed (seed);
  for (gsize i = 0; i < size; i += 4)
    memcpy (data + i, &(guint32){ g_rand_int (rand) }, 4);
  g_assert_true (g_file_set_contents (path, (char *) data, (gssize) size, NULL));
}

char *
badserver_url (Badserver *server, const char *behaviour, const char *name)
{
  return g_strdup_printf ("http://127.0.0.1:%u/%s/%s", server->port, behaviour, name);
}

guint
badserver_count (Badserver *server, const char *text)
{
  g_autofree char *log = NULL;
  if (!g_file_get_contents (server->log, &log, NULL, NULL))
    return 0;
  g_auto (GStrv) lines = g_strsplit (log, "\n", -1);
  guint count = 0;
  for (char **line = lines; *line; line++)
    count += strstr (*line, text) != NULL;
  return count;
}

void
badserver_set_up (BadserverFixture *fixture, gconstpointer size)
{
  fixture->dir = g_dir_make_tmp ("lm-badserver-XXXXXX", NULL);
  fixture->server = badserver_start (fixture->dir);
  badserver_put (fixture->server, "a", GPOINTER_TO_SIZE (size), 1);
}

void
badserver_tear_down (BadserverFixture *fixture, gconstpointer size)
{
  badserver_stop (fixture->server);
  g_assert_true (lm_file_remove_tree (fixture->dir, NULL));
  g_free (fixture->dir);
}

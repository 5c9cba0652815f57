/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Starts tests/lib/badserver.py for tests in C. */
#include <gio/gio.h>

typedef struct
{
  GSubprocess *process;
  char *dir; /* the directory that it serves */
  char *log;
  guint port;
} Badserver;

/** badserver_start: serves the new directory @parent/www. */
Badserver *badserver_start (const char *parent);
void badserver_stop (Badserver *server);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (Badserver, badserver_stop)

/** badserver_put: creates a file of @size bytes that depend only on @seed. */
void badserver_put (Badserver *server, const char *name, gsize size, guint32 seed);

/** badserver_url: returns "http://127.0.0.1:PORT/BEHAVIOUR/NAME", newly allocated. */
char *badserver_url (Badserver *server, const char *behaviour, const char *name);

/** badserver_count: returns how many lines of the request log contain @text. */
guint badserver_count (Badserver *server, const char *text);

/* A server in a temporary directory, with one file, "a". */
typedef struct
{
  char *dir;
  Badserver *server;
} BadserverFixture;

/** badserver_set_up: @size is the size of the file, by GSIZE_TO_POINTER(). */
void badserver_set_up (BadserverFixture *fixture, gconstpointer size);
void badserver_tear_down (BadserverFixture *fixture, gconstpointer size);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "machine/history.h"
#include "base/trace.h"
#include "cache/database.h"

#include <unistd.h>

/* Completes @start with what is known of @machine, and notes it. */
static void
note (const LmMachine *machine, LmDatabaseStart *start, gboolean keep, GPtrArray *warnings)
{
  g_autoptr (GPtrArray) chain = g_ptr_array_new ();
  g_autoptr (GPtrArray) others = g_ptr_array_new ();
  g_autoptr (GError) error = NULL;
  for (guint i = 0; i < machine->layers->len; i++)
    g_ptr_array_add (chain, &((LmDomainLayer *) g_ptr_array_index (machine->layers, i))->blob);
  if (machine->kernel_blob != NULL)
    g_ptr_array_add (others, machine->kernel_blob);
  if (machine->initrd_blob != NULL)
    g_ptr_array_add (others, machine->initrd_blob);
  start->uuid = machine->uuid;
  start->name = machine->name;
  start->selections = machine->resolved;
  start->chain = chain;
  start->others = others;
  g_autoptr (LmDatabase) database = lm_database_open (machine->state_dir, warnings, &error);
  if (database == NULL || !lm_database_note_start (database, start, keep, &error))
    lm_trace (LM_TRACE_CACHE, "the start of %s was not noted: %s", machine->name, error->message);
}

void
lm_history_note (const LmMachine *machine, const char *how, gint64 began, gboolean keep, GPtrArray *warnings)
{
  LmDatabaseStart start = {
    .time = g_get_real_time () / G_USEC_PER_SEC,
    .began = began,
    .how = how,
    .user = g_get_user_name (),
  };
  note (machine, &start, keep, warnings);
}

void
lm_history_note_hook (const LmMachine *machine, gint64 time, gboolean keep)
{
  LmDatabaseStart start = { .time = time, .user = geteuid () != 0 ? g_get_user_name () : NULL };
  note (machine, &start, keep, NULL);
}

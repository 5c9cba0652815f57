/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "machine/history.h"
#include "base/trace.h"
#include "cache/database.h"

void
lm_history_note (const LmMachine *machine, const char *how, gboolean keep, GPtrArray *warnings)
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
  const LmDatabaseStart start = {
    .time = g_get_real_time () / G_USEC_PER_SEC,
    .how = how,
    .user = g_get_user_name (),
    .uuid = machine->uuid,
    .name = machine->name,
    .selections = machine->resolved,
    .chain = chain,
    .others = others,
  };
  g_autoptr (LmDatabase) database = lm_database_open (machine->state_dir, warnings, &error);
  if (database == NULL || !lm_database_note_start (database, &start, keep, &error))
    lm_trace (LM_TRACE_CACHE, "the start of %s was not noted: %s", machine->name, error->message);
}

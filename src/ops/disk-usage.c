/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/disk-usage.h"
#include "base/file.h"
#include "cache/partial.h"
#include "cache/quarantine.h"

#include <sys/stat.h>

#define BLOCK 512

static void
machine_usage_free (LmMachineUsage *machine)
{
  g_free (machine->name);
  g_free (machine->uuid);
  g_free (machine);
}

void
lm_disk_usage_free (LmDiskUsage *usage)
{
  if (usage == NULL)
    return;
  g_ptr_array_unref (usage->machines);
  g_ptr_array_unref (usage->unknown);
  g_free (usage);
}

guint64
lm_disk_usage_measure (const LmHost *host, const char *uuid)
{
  g_autofree char *dir = g_build_filename (host->state_dir, "machines", uuid, NULL);
  g_autoptr (GPtrArray) names = lm_file_list_dir (dir, NULL);
  guint64 bytes = 0;
  for (guint i = 0; names != NULL && i < names->len; i++)
    {
      g_autofree char *path = g_build_filename (dir, g_ptr_array_index (names, i), NULL);
      struct stat st;
      bytes += lstat (path, &st) == 0 ? (guint64) st.st_blocks * BLOCK : 0;
    }
  return bytes;
}

/* Adds the file to what its users use; returns whether it has users. */
static gboolean
add_file (const LmLayerUse *use, GHashTable *by_user)
{
  for (guint i = 0; i < use->users->len; i++)
    {
      LmMachineUsage *machine = g_hash_table_lookup (by_user, g_ptr_array_index (use->users, i));
      if (machine == NULL)
        continue;
      machine->layers += use->entry->allocated;
      machine->shared += use->users->len > 1 ? use->entry->allocated : 0;
    }
  return use->users->len > 0;
}

static void
add_machines (LmDiskUsage *usage, const LmHost *host, const LmLayerUsers *users, GHashTable *by_user)
{
  for (guint i = 0; i < users->users->len; i++)
    {
      LmLayerUser *user = g_ptr_array_index (users->users, i);
      if (user->kind != LM_LAYER_USER_MACHINE)
        continue;
      LmMachineUsage *machine = g_new0 (LmMachineUsage, 1);
      machine->name = g_strdup (user->name);
      machine->uuid = g_strdup (user->uuid);
      machine->state = user->state;
      machine->own = lm_disk_usage_measure (host, user->uuid);
      usage->own += machine->own;
      g_ptr_array_add (usage->machines, machine);
      g_hash_table_insert (by_user, user, machine);
    }
}

LmDiskUsage *
lm_disk_usage_new (const LmHost *host, LmCache *cache, GCancellable *cancellable, GError **error)
{
  const LmUsersScope scope = lm_host_scope (host);
  g_autoptr (LmLayerUsers) users = lm_layer_users_collect (&scope, NULL, cache, cancellable, error);
  g_autoptr (GPtrArray) parts = users != NULL ? lm_layer_users_list (users, cache, lm_partial_list, "incomplete files", error) : NULL;
  g_autoptr (GPtrArray) damaged = parts != NULL ? lm_layer_users_list (users, cache, lm_quarantine_list, "damaged files", error) : NULL;
  if (damaged == NULL)
    return NULL;
  g_autoptr (GHashTable) by_user = g_hash_table_new (NULL, NULL);
  LmDiskUsage *usage = g_new0 (LmDiskUsage, 1);
  usage->machines = g_ptr_array_new_with_free_func ((GDestroyNotify) machine_usage_free);
  usage->unknown = g_ptr_array_ref (users->unknown);
  add_machines (usage, host, users, by_user);
  for (guint i = 0; i < users->files->len; i++)
    {
      const LmLayerUse *use = g_ptr_array_index (users->files, i);
      *(add_file (use, by_user) ? &usage->used : &usage->unused) += use->entry->allocated;
    }
  for (guint i = 0; i < parts->len; i++)
    usage->partial += ((LmPartialEntry *) g_ptr_array_index (parts, i))->allocated;
  for (guint i = 0; i < damaged->len; i++)
    usage->damaged += ((LmQuarantineEntry *) g_ptr_array_index (damaged, i))->allocated;
  return usage;
}

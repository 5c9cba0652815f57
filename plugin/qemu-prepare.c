/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Makes sure that a domain of lamina can start: its layers are in the cache and form
 * its chain. Missing ones are pulled by "lamina pull --machine". libvirt waits for
 * the result and holds the domain's lock meanwhile, so nothing here and nothing that
 * is run may call libvirt. Run by qemu-hook with the domain's XML on standard input;
 * if it fails, libvirt does not start the domain and shows what is printed here. */
#include "config.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/testenv.h"
#include "base/text.h"
#include "cache/cache.h"
#include "domain/metadata.h"
#include "io/run.h"
#include "machine/chain.h"
#include "machine/machine.h"

#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define MAX_XML (16 * 1024 * 1024)
/* A start must end some day; "lamina pull" continues what was transferred. */
#define PULL_SECONDS (60 * 60)

/* Returns the record of the machine whose overlay the metadata names; NULL without
 * @error if it is not a machine of this host, such as a clone made by virt-clone. */
static LmMachine *
find_machine (const LmDomainSpec *spec, const char *uuid, GError **error)
{
  if (spec->overlay == NULL || !g_path_is_absolute (spec->overlay))
    return NULL;
  g_autofree char *dir = g_path_get_dirname (spec->overlay);
  g_autofree char *machines = g_path_get_dirname (dir);
  g_autofree char *state_dir = g_path_get_dirname (machines);
  g_autofree char *name = g_path_get_basename (dir);
  g_autofree char *parent = g_path_get_basename (machines);
  if (strcmp (parent, "machines") != 0 || g_ascii_strcasecmp (name, uuid) != 0)
    return NULL;
  g_autoptr (GError) failure = NULL;
  LmMachine *machine = lm_machine_load (state_dir, name, &failure);
  if (machine == NULL && !g_error_matches (failure, LM_MACHINE_ERROR, LM_MACHINE_ERROR_NOT_FOUND))
    g_propagate_error (error, g_steal_pointer (&failure));
  return machine;
}

static gboolean
pull (const LmMachine *machine, GError **error)
{
  const char *program = lm_testenv_get (LM_TESTENV_PROGRAM);
  const char *argv[] = { program != NULL ? program : LM_BINDIR "/lamina",
                         "--progress=none", "--state-dir", machine->state_dir, "pull", "--machine", machine->uuid, NULL };
  LmRunLimits limits = { .time_seconds = PULL_SECONDS };
  return lm_run (argv, &limits, NULL, NULL, error);
}

static gboolean
check_machine (const LmMachine *machine, GError **error)
{
  /* Whether to set the immutable flag is written in lamina.conf, which is not read here. */
  const LmCacheOptions options = { .without_flag = TRUE };
  g_autoptr (LmCache) cache = lm_cache_open (machine->state_dir, &options, error);
  /* Until this process ends. Then libvirt checks that the files exist, and QEMU opens them. */
  g_autoptr (LmLock) lease = cache != NULL ? lm_cache_lease (cache, machine->layers, NULL, error) : NULL;
  g_autoptr (GError) missing = NULL;
  if (lease == NULL)
    return FALSE;
  if (lm_chain_check (cache, machine->layers, NULL, NULL, &missing))
    return TRUE;
  if (!g_error_matches (missing, LM_CHAIN_ERROR, LM_CHAIN_ERROR_MISSING))
    {
      g_propagate_error (error, g_steal_pointer (&missing));
      return FALSE;
    }
  return pull (machine, error) && lm_chain_check (cache, machine->layers, NULL, NULL, error);
}

static gboolean
prepare (GError **error)
{
  g_autoptr (GBytes) bytes = lm_fd_read_bytes (STDIN_FILENO, "the XML of the domain", MAX_XML, error);
  if (bytes == NULL)
    return FALSE;
  g_autofree char *text = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  g_autoptr (LmDomainSpec) spec = lm_domain_metadata_parse (text, error);
  g_autoptr (LmXml) xml = spec != NULL ? lm_xml_parse (text, strlen (text), "the domain", error) : NULL;
  if (xml == NULL)
    return FALSE;
  const LmXmlNode *node = lm_xml_child (lm_xml_root (xml), NULL, "uuid");
  g_autofree char *uuid = node != NULL ? lm_xml_text (node) : NULL;
  g_autoptr (GError) failure = NULL;
  g_autoptr (LmMachine) machine = uuid != NULL ? find_machine (spec, uuid, &failure) : NULL;
  if (failure != NULL)
    {
      g_propagate_error (error, g_steal_pointer (&failure));
      return FALSE;
    }
  return machine == NULL || check_machine (machine, error);
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  setlocale (LC_CTYPE, "C.UTF-8");
  if (argc < 2)
    return 2;
  if (prepare (&error))
    return 0;
  /* libvirt shows one line. */
  g_autofree char *line = g_strdelimit (g_strdup (error->message), "\n", ' ');
  fprintf (stderr, "lamina: %s cannot start: %s\n", argv[1], line);
  return 1;
}

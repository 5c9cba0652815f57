/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Does what a machine of lamina needs at one of libvirt's operations; run by
 * qemu-hook with the domain's XML on standard input. libvirt waits and has the
 * domain locked meanwhile, so nothing here and nothing that is run may call libvirt.
 *
 *   prepare begin   checks that the layers are in the cache and form the machine's
 *                   chain, and creates a missing overlay; if more is to be done, it
 *                   becomes "lamina hook prepare", which pulls and creates. If it
 *                   fails, the domain does not start, and virsh shows what is printed.
 *   migrate begin   the same, where a domain migrates to this host: libvirt wants the disk
 *                   before "prepare"; refuses an ephemeral machine
 *   started begin   takes back layers that libvirt gave to the user of QEMU
 *   note TIME [take-back]
 *                   not one of libvirt's: with take-back, does the same as "started"; then
 *                   becomes "lamina hook note", which notes that the domain was started;
 *                   qemu-hook does not wait for this
 *   release end     throws away the overlay of an ephemeral machine
 *   restore begin   refuses to restore an ephemeral machine, whose disk is gone */
#include "config.h"
#include "base/error.h"
#include "base/fd.h"
#include "base/testenv.h"
#include "domain/metadata.h"
#include "machine/chain.h"
#include "machine/disk.h"
#include "machine/home.h"

#include <errno.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#define MAX_XML (16 * 1024 * 1024)
#define NOTE "note"

/* The domain of an operation; the caller has not looked at what it says. */
typedef struct
{
  LmDomainSpec *spec;
  LmDomainOutline *outline;
  LmMachine *machine; /* NULL if there is no record */
} Domain;

static void
domain_clear (Domain *domain)
{
  g_clear_pointer (&domain->spec, lm_domain_spec_free);
  g_clear_pointer (&domain->outline, lm_domain_outline_free);
  g_clear_pointer (&domain->machine, lm_machine_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Domain, domain_clear)

static gboolean
read_domain (Domain *domain, GError **error)
{
  g_autoptr (GBytes) bytes = lm_fd_read_bytes (STDIN_FILENO, "the XML of the domain", MAX_XML, error);
  if (bytes == NULL)
    return FALSE;
  g_autofree char *text = g_strndup (g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes));
  domain->spec = lm_domain_metadata_parse (text, error);
  domain->outline = domain->spec != NULL ? lm_domain_outline_parse (text, error) : NULL;
  if (domain->outline == NULL)
    return FALSE;
  g_autofree char *state_dir = lm_home_guess (domain->spec, domain->outline);
  g_autoptr (GError) failure = NULL;
  domain->machine = state_dir != NULL ? lm_machine_load (state_dir, domain->outline->uuid, &failure) : NULL;
  if (failure == NULL || g_error_matches (failure, LM_MACHINE_ERROR, LM_MACHINE_ERROR_NOT_FOUND))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* Whether the next start resumes the guest from "virsh managedsave", and so needs
 * its disk as it is. libvirt cannot be asked; if its directory is not where it
 * usually is, nobody knows, and the disk is kept. */
static gboolean
may_be_saved (const LmDomainOutline *outline)
{
  g_autofree char *file = g_strconcat (outline->name, ".save", NULL);
  g_autofree char *dir = geteuid () == 0 ? g_strdup ("/var/lib/libvirt/qemu/save")
                                         : g_build_filename (g_get_user_config_dir (), "libvirt", "qemu", "save", NULL);
  g_autofree char *path = g_build_filename (dir, file, NULL);
  return access (dir, X_OK) != 0 || access (path, F_OK) == 0 || errno != ENOENT;
}

/* The domain's metadata and the record must agree, so that neither a changed nor a
 * copied domain costs anybody a disk. */
static gboolean
is_ephemeral (const Domain *domain)
{
  return domain->machine != NULL && domain->machine->ephemeral && domain->spec->ephemeral
         && lm_home_has_overlay (domain->machine, domain->outline) && !may_be_saved (domain->outline);
}

/* Whether the machine's own copy of a kernel or initrd is there, if it has one. */
static gboolean
has_boot_file (const LmBlob *blob, const char *path)
{
  return blob == NULL || (g_file_test (path, G_FILE_TEST_IS_REGULAR) && !g_file_test (path, G_FILE_TEST_IS_SYMLINK));
}

/* Whether the machine exists; lamina says what to do if it is being removed, or is
 * still being created. */
static gboolean
is_complete (const LmMachine *machine)
{
  return machine->state == LM_MACHINE_STATE_COMPLETE
         || (machine->state == LM_MACHINE_STATE_CREATING && g_file_test (machine->overlay, G_FILE_TEST_EXISTS));
}

/* Whether the record tells everything about the domain. If a selection is written
 * differently there, only lamina can tell whether it means the same. */
static gboolean
is_recorded (const Domain *domain)
{
  const LmMachine *machine = domain->machine;
  char **requested = domain->spec->requested;
  return machine != NULL && is_complete (machine)
         && lm_home_check_chain (machine, domain->spec, NULL) && has_boot_file (machine->kernel_blob, machine->kernel)
         && has_boot_file (machine->initrd_blob, machine->initrd)
         && (requested == NULL
             || (machine->requested != NULL
                 && g_strv_equal ((const char *const *) requested, (const char *const *) machine->requested)));
}

/* Lets "lamina hook VERB" do the rest, with the same standard input; @argument may be
 * NULL. Returns only if that fails. */
static gboolean
run_lamina (const Domain *domain, const char *verb, const char *argument, GError **error)
{
  const char *program = lm_testenv_get (LM_TESTENV_PROGRAM);
  program = program != NULL ? program : LM_BINDIR "/lamina";
  const char *argv[] = { program, "--progress=none", "hook", verb, argument, NULL, NULL, NULL };
  if (domain->machine != NULL)
    {
      const guint next = argument != NULL ? 5 : 4;
      argv[next] = "--state-dir";
      argv[next + 1] = domain->machine->state_dir;
    }
  if (lseek (STDIN_FILENO, 0, SEEK_SET) < 0)
    return lm_throw_errno (error, "cannot read the XML of the domain again");
  execv (program, (char *const *) argv);
  return lm_throw_errno (error, "cannot run %s", program);
}

static gboolean
lease_layers (const LmMachine *machine, LmCache **out_cache, LmLock **out_lease, GError **error)
{
  /* Whether to set the immutable flag is written in lamina.conf, which is not read here. */
  const LmCacheOptions options = { .without_flag = TRUE };
  *out_cache = lm_cache_open (machine->state_dir, &options, error);
  *out_lease = *out_cache != NULL ? lm_cache_lease (*out_cache, machine->layers, NULL, error) : NULL;
  return *out_lease != NULL;
}

static gboolean
prepare_domain (Domain *domain, GError **error)
{
  LmMachine *machine = domain->machine;
  if (!is_recorded (domain))
    return run_lamina (domain, "prepare", NULL, error);
  if (!lm_home_check (machine, TRUE, domain->spec, domain->outline, error)
      || (is_ephemeral (domain) && !lm_disk_discard (machine, error)))
    return FALSE;
  g_autoptr (LmCache) cache = NULL;
  g_autoptr (LmLock) lease = NULL;
  g_autoptr (GError) missing = NULL;
  if (!lease_layers (machine, &cache, &lease, error))
    return FALSE;
  gboolean ready = lm_home_has_overlay (machine, domain->outline)
                     ? lm_disk_supply (cache, machine, NULL, &missing)
                     : lm_chain_check (cache, machine->layers, NULL, NULL, &missing);
  if (ready)
    return TRUE;
  if (g_error_matches (missing, LM_CHAIN_ERROR, LM_CHAIN_ERROR_MISSING))
    return run_lamina (domain, "prepare", NULL, error);
  g_propagate_error (error, g_steal_pointer (&missing));
  return FALSE;
}

/* The other host may use the same disk, which a start here would throw away, as would
 * its end there. */
static gboolean
prepare_migration (Domain *domain, GError **error)
{
  if (domain->spec->ephemeral || (domain->machine != NULL && domain->machine->ephemeral))
    return lm_throw (error, LM_HOME_ERROR, LM_HOME_ERROR_CHANGED,
                     "it is ephemeral, so its disk would be thrown away; start it on the other host instead");
  return prepare_domain (domain, error);
}

/* lm_cache_check() takes back what belongs to another user. */
static gboolean
take_back_layers (const Domain *domain, GError **error)
{
  g_autoptr (LmCache) cache = NULL;
  g_autoptr (LmLock) lease = NULL;
  if (domain->machine == NULL)
    return TRUE;
  if (!lease_layers (domain->machine, &cache, &lease, error))
    return FALSE;
  for (guint i = 0; i < domain->machine->layers->len; i++)
    {
      LmCacheState state;
      if (!lm_cache_check (cache, g_ptr_array_index (domain->machine->layers, i), &state, NULL, error))
        return FALSE;
    }
  return TRUE;
}

/* @take_back is whether layers are taken back first; if that fails, it is tried again at the next start. */
static gboolean
note_start (const Domain *domain, const char *time, gboolean take_back, GError **error)
{
  if (take_back)
    (void) !take_back_layers (domain, NULL);
  return domain->machine == NULL || run_lamina (domain, NOTE, time, error);
}

static gboolean
run_operation (const char *operation, const char *argument, gboolean take_back, GError **error)
{
  g_auto (Domain) domain = { 0 };
  if (!read_domain (&domain, error))
    return FALSE;
  if (strcmp (operation, "prepare") == 0)
    return prepare_domain (&domain, error);
  if (strcmp (operation, "migrate") == 0)
    return prepare_migration (&domain, error);
  if (strcmp (operation, "started") == 0)
    return take_back_layers (&domain, error);
  if (strcmp (operation, NOTE) == 0)
    return note_start (&domain, argument, take_back, error);
  if (strcmp (operation, "release") == 0)
    return !is_ephemeral (&domain) || lm_disk_discard (domain.machine, error);
  return !is_ephemeral (&domain)
         || lm_throw (error, LM_HOME_ERROR, LM_HOME_ERROR_CHANGED,
                      "it is ephemeral, so its disk was thrown away when it was saved; only \"virsh managedsave\" keeps "
                      "the disk");
}

int
main (int argc, char **argv)
{
  g_autoptr (GError) error = NULL;
  if (argc < 4)
    return 2;
  /* libvirtd sets the locale "C", in which names are not shown as they are. */
  g_setenv ("LC_ALL", "C.UTF-8", TRUE);
  setlocale (LC_ALL, "");
  /* If libvirtd ends, nobody waits for this any more; also after exec(). */
  if (strcmp (argv[2], NOTE) != 0)
    prctl (PR_SET_PDEATHSIG, SIGKILL);
  /* A failure of "started" would end the guest. */
  if (run_operation (argv[2], argv[3], argc > 4 && strcmp (argv[4], "take-back") == 0, &error) || strcmp (argv[2], "started") == 0)
    return 0;
  /* libvirt shows one line. */
  g_autofree char *line = g_strdelimit (g_strdup (error->message), "\n", ' ');
  fprintf (stderr, "lamina: %s cannot %s: %s\n", argv[1],
           strcmp (argv[2], "prepare") == 0 ? "start" : argv[2], line);
  return 1;
}

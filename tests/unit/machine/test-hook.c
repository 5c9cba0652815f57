/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Records, metadata, the chain check and overlays can be used by a libvirt hook,
 * which must not call libvirt and needs no network. This program is linked without
 * curl and libvirt, so a call that needs them would not link. */
#include "config.h"
#include "base/file.h"
#include "domain/metadata.h"
#include "machine/boot.h"
#include "machine/chain.h"
#include "machine/machine.h"

#include <string.h>

static void
test_use (void)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *dir = g_dir_make_tmp ("lm-hook-XXXXXX", NULL);
  g_autoptr (LmMachine) machine = lm_machine_new (dir, "m", NULL);
  g_assert_true (lm_machine_save (machine, &error));
  g_autoptr (LmMachine) found G_GNUC_UNUSED = lm_machine_find (dir, "m", NULL, &error);
  g_assert_no_error (error);
  g_autoptr (LmCache) cache = lm_cache_open (dir, NULL, &error);
  g_autoptr (LmLock) lease = lm_cache_lease (cache, machine->layers, NULL, &error);
  g_assert_no_error (error);
  g_assert_nonnull (lease);
  g_assert_false (lm_chain_make_overlay (cache, machine->layers, machine->overlay, 0, NULL, NULL, &error));
  g_assert_error (error, LM_CHAIN_ERROR, LM_CHAIN_ERROR_BROKEN);
  g_clear_error (&error);
  g_assert_false (lm_boot_copy (machine->kernel, machine->initrd, NULL, &error));
  g_clear_error (&error);
  g_autoptr (LmDomainSpec) spec = lm_domain_metadata_parse ("<domain/>", &error);
  g_assert_null (spec);
  g_assert_true (lm_file_remove_tree (dir, NULL));
}

static void
test_libraries (void)
{
  g_autofree char *maps = NULL;
  g_assert_true (g_file_get_contents ("/proc/self/maps", &maps, NULL, NULL));
  g_assert_nonnull (strstr (maps, "libglib"));
  g_assert_null (strstr (maps, "libcurl"));
  g_assert_null (strstr (maps, "libvirt"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/hook/use", test_use);
  g_test_add_func ("/hook/libraries", test_libraries);
  return g_test_run ();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/kvm.h"

#include <glib/gstdio.h>
#include <unistd.h>

static void
test_no_device (void)
{
  g_assert_cmpint (lm_kvm_probe ("/does/not/exist"), ==, LM_KVM_ABSENT);
  g_assert_cmpint (lm_kvm_probe ("/dev/null"), ==, LM_KVM_ABSENT);
}

static void
test_denied (void)
{
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "kvm", NULL);
  if (geteuid () == 0)
    {
      g_test_skip ("root may open any file");
      return;
    }
  g_assert_true (g_file_set_contents (path, "", 0, NULL));
  g_assert_cmpint (g_chmod (path, 0), ==, 0);
  g_assert_cmpint (lm_kvm_probe (path), ==, LM_KVM_DENIED);
}

/* What the result is depends on the host, but it is the same each time, and soon there. */
static void
test_device (void)
{
  if (access ("/dev/kvm", R_OK | W_OK) < 0)
    {
      g_test_skip ("needs /dev/kvm");
      return;
    }
  const gint64 begin = g_get_monotonic_time ();
  LmKvmState state = lm_kvm_probe ("/dev/kvm");
  g_test_message ("state %d after %" G_GINT64_FORMAT " us", state, g_get_monotonic_time () - begin);
  g_assert_cmpint (state, >=, LM_KVM_BROKEN);
  g_assert_cmpint (lm_kvm_probe ("/dev/kvm"), ==, state);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/kvm/no-device", test_no_device);
  g_test_add_func ("/kvm/denied", test_denied);
  g_test_add_func ("/kvm/device", test_device);
  return g_test_run ();
}

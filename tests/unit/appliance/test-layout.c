/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "appliance/layout.h"
#include "tests/unit/appliance/fake.h"

#include <errno.h>

/* A name that does not depend on the order in which the kernel finds disks. */
#define JOB "/dev/disk/guestfs/job"
#define MAKE_ROOT "sh mke2fs -q -F -t ext4 -L root -m 1 -E lazy_itable_init=0,lazy_journal_init=0 "

static void
test_whole (void)
{
  LmLayoutMount root, efi;
  g_autoptr (GError) error = NULL;
  fake_reset (NULL, 0, NULL);
  g_assert_true (lm_layout_make (NULL, "whole", &root, &efi, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (fake_get_calls (), ==, MAKE_ROOT "'" JOB "'\n");
  g_assert_cmpstr (root.device, ==, "/dev/sda");
  g_assert_cmpstr (root.point, ==, "/");
  g_assert_cmpstr (efi.device, ==, "");
}

static void
test_bios (void)
{
  LmLayoutMount root, efi;
  g_autoptr (GError) error = NULL;
  fake_reset (NULL, 0, NULL);
  g_assert_true (lm_layout_make (NULL, "bios", &root, &efi, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (fake_get_calls (), ==,
                   "part-init /dev/sda mbr\npart-add /dev/sda p 2048 -1\npart-set-bootable /dev/sda 1 1\n" MAKE_ROOT "'" JOB "1'\n");
  g_assert_cmpstr (root.device, ==, "/dev/sda1");
  g_assert_cmpstr (efi.device, ==, "");
}

static void
test_uefi (void)
{
  LmLayoutMount root, efi;
  g_autoptr (GError) error = NULL;
  fake_reset (NULL, 0, NULL);
  g_assert_true (lm_layout_make (NULL, "uefi", &root, &efi, &error));
  g_assert_no_error (error);
  g_assert_cmpstr (fake_get_calls (), ==,
                   "part-init /dev/sda gpt\npart-add /dev/sda p 2048 264191\npart-add /dev/sda p 264192 -34\n"
                   "part-set-gpt-type /dev/sda 1 C12A7328-F81F-11D2-BA4B-00A0C93EC93B\n" MAKE_ROOT "'" JOB "2'\n"
                   "sh mkfs.vfat -F 32 -n ESP '" JOB "1'\n");
  g_assert_cmpstr (root.device, ==, "/dev/sda2");
  g_assert_cmpstr (efi.device, ==, "/dev/sda1");
  g_assert_cmpstr (efi.point, ==, "/boot/efi");
}

/* Nothing is done after a failure, which says what and why. */
static void
test_failure (void)
{
  static const struct
  {
    const char *layout, *failing, *message;
    int code, expected;
  } cases[] = {
    { "bios", "part-add", "cannot make partitions: the reason", EIO, LM_GUEST_ERROR_FAILED },
    { "uefi", "part-set-gpt-type", "cannot make partitions: the reason", EIO, LM_GUEST_ERROR_FAILED },
    { "whole", "sh mke2fs", "cannot make a file system on /dev/sda: the reason", ENOSPC, LM_GUEST_ERROR_NO_SPACE },
    { "uefi", "sh mkfs.vfat", "cannot make a file system on /dev/sda1: the reason", EIO, LM_GUEST_ERROR_FAILED },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      LmLayoutMount root, efi;
      g_autoptr (GError) error = NULL;
      fake_reset (cases[i].failing, cases[i].code, NULL);
      g_assert_false (lm_layout_make (NULL, cases[i].layout, &root, &efi, &error));
      g_assert_error (error, LM_GUEST_ERROR, cases[i].expected);
      g_assert_cmpstr (error->message, ==, cases[i].message);
      g_auto (GStrv) calls = g_strsplit (fake_get_calls (), "\n", -1);
      g_assert_true (g_str_has_prefix (calls[g_strv_length (calls) - 2], cases[i].failing));
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/layout/whole", test_whole);
  g_test_add_func ("/layout/bios", test_bios);
  g_test_add_func ("/layout/uefi", test_uefi);
  g_test_add_func ("/layout/failure", test_failure);
  return g_test_run ();
}

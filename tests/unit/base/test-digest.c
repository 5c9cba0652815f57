/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "base/digest.h"
#include "base/fd.h"
#include "base/hasher.h"

#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* The one-block example of FIPS 180-4, "abc". */
#define ABC_HEX "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"

static void
test_parse_refuses (void)
{
  static const char *const bad[] = {
    "", "sha256:", "sha256:abc", "sha512:" ABC_HEX, ABC_HEX, "sha256:" ABC_HEX "0", "sha256:../../etc/passwd",
    "sha256:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD",
    "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015a/", " sha256:" ABC_HEX,
  };
  LmDigest digest;
  for (gsize i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_false (lm_digest_parse (bad[i], &digest, &error));
      g_assert_error (error, LM_DIGEST_ERROR, LM_DIGEST_ERROR_INVALID);
    }
  g_autoptr (GError) error = NULL;
  g_assert_false (lm_digest_parse (NULL, &digest, &error));
  g_assert_error (error, LM_DIGEST_ERROR, LM_DIGEST_ERROR_INVALID);
}

static void
test_round_trip (void)
{
  LmDigest digest, again;
  g_autoptr (GError) error = NULL;
  g_assert_true (lm_digest_parse ("sha256:" ABC_HEX, &digest, &error));
  g_assert_no_error (error);
  g_autofree char *text = lm_digest_to_string (&digest);
  g_assert_cmpstr (text, ==, "sha256:" ABC_HEX);
  g_autofree char *name = lm_digest_file_name (&digest, ".qcow2");
  g_assert_cmpstr (name, ==, "sha256-" ABC_HEX ".qcow2");
  g_assert_true (lm_digest_from_file_name (name, ".qcow2", &again));
  g_assert_true (lm_digest_equal (&digest, &again));
  g_assert_false (lm_digest_from_file_name (name, ".part", &again));
  g_assert_false (lm_digest_from_file_name ("sha256-", NULL, &again));
  g_assert_false (lm_digest_from_file_name ("lost+found", NULL, &again));
}

static void
test_hasher (void)
{
  LmDigest expected, got;
  g_assert_true (lm_digest_parse ("sha256:" ABC_HEX, &expected, NULL));
  g_autoptr (LmHasher) hasher = lm_hasher_new ();
  lm_hasher_update (hasher, "ab", 2);
  lm_hasher_peek (hasher, &got);
  g_assert_false (lm_digest_equal (&expected, &got));
  lm_hasher_update (hasher, "c", 1);
  lm_hasher_peek (hasher, &got);
  g_assert_true (lm_digest_equal (&expected, &got));
}

/* It is read from the offset of the descriptor on. */
static void
test_of_fd (void)
{
  LmDigest expected, got;
  g_autoptr (GError) error = NULL;
  g_autoptr (GCancellable) cancellable = g_cancellable_new ();
  lm_autofd int fd = memfd_create ("digest", MFD_CLOEXEC);
  g_assert_cmpint (write (fd, "xabc", 4), ==, 4);
  g_assert_cmpint (lseek (fd, 1, SEEK_SET), ==, 1);
  g_assert_true (lm_digest_parse ("sha256:" ABC_HEX, &expected, NULL));
  g_assert_true (lm_digest_of_fd (fd, &got, cancellable, &error));
  g_assert_no_error (error);
  g_assert_true (lm_digest_equal (&expected, &got));
  g_cancellable_cancel (cancellable);
  g_assert_false (lm_digest_of_fd (fd, &got, cancellable, &error));
  g_assert_error (error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/digest/parse-refuses", test_parse_refuses);
  g_test_add_func ("/digest/round-trip", test_round_trip);
  g_test_add_func ("/digest/hasher", test_hasher);
  g_test_add_func ("/digest/of-fd", test_of_fd);
  return g_test_run ();
}

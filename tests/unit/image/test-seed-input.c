/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "image/seed-input.h"

#include <gio/gio.h>
#include <string.h>

#define ED25519 "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJnV9B0Cp+Y3obRVCZkTtxizI0l9D5kO5FjH6vhCM96N"
#define ECDSA \
  "ecdsa-sha2-nistp256 AAAAE2VjZHNhLXNoYTItbmlzdHAyNTYAAAAIbmlzdHAyNTYAAABBBIuCD1J7HeS1y0yd8r" \
  "u0cB4fet/3eH1ldAUVCVcKtZ3Mc6kU+lrJ8buL0nqz5pKEFhu089uXqBaV1Qn+KDOXAqg="
#define RSA \
  "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAAAgQDP1Yv1PuEPMzpFo2zOXQjmM2XmNQPnVwtgMvwmIC8vmkG29vhF/X" \
  "gsi+82GO1z2sys4w5F2Gnddd+5H+/Hrpx+TxX/Fe2HpweX5W/QHaO2KCnTADA3PiclxXReL9hopEP5gb1FBWLRIG/q" \
  "5TXE7cTM8qP7Kwmv6oHYElkPjMGGuw=="
#define CERTIFICATE \
  "ecdsa-sha2-nistp256-cert-v01@openssh.com AAAAKGVjZHNhLXNoYTItbmlzdHAyNTYtY2VydC12MDFAb3Blb" \
  "nNzaC5jb20AAAAgrs1wk1TLlAzqwIewgQ5HQeIM+JnVlR/7nRJWXEez8MIAAAAIbmlzdHAyNTYAAABBBIuCD1J7HeS" \
  "1y0yd8ru0cB4fet/3eH1ldAUVCVcKtZ3Mc6kU+lrJ8buL0nqz5pKEFhu089uXqBaV1Qn+KDOXAqgAAAAAAAAAAAAAA" \
  "AEAAAABeAAAAAAAAAAAAAAAAP//////////AAAAAAAAAIIAAAAVcGVybWl0LVgxMS1mb3J3YXJkaW5nAAAAAAAAABd" \
  "wZXJtaXQtYWdlbnQtZm9yd2FyZGluZwAAAAAAAAAWcGVybWl0LXBvcnQtZm9yd2FyZGluZwAAAAAAAAAKcGVybWl0L" \
  "XB0eQAAAAAAAAAOcGVybWl0LXVzZXItcmMAAAAAAAAAAAAAADMAAAALc3NoLWVkMjU1MTkAAAAgmdX0HQKn5jehtFU" \
  "JmRO3GLMjSX0PmQ7kWMfq+EIz3o0AAABTAAAAC3NzaC1lZDI1NTE5AAAAQIxxKLh4Yx0FIWLZ0GsmHJmyDUZFCZPaf" \
  "9x7UnvJ+A4NvvaFsoRwfzCEfpswzKsBVy8lsx35tw+Xww+3XHYNyQc="

static GBytes *
to_bytes (const char *text)
{
  return g_bytes_new_static (text, strlen (text));
}

/* Contents of public key files, and how many keys each contains. */
static void
test_keys (void)
{
  static const struct
  {
    const char *text;
    guint count;
  } cases[] = {
    { ED25519, 1 },
    { ED25519 "\n", 1 },
    { ED25519 " user@host\r\n", 1 },
    { "\xef\xbb\xbf" ED25519 " user@host\r\n\r\n", 1 },
    { "# mine\n\n" ED25519 " a b c\n  " ECDSA "\n" RSA " \xc3\xbc\n", 3 },
    { "no-pty,command=\"echo \\\"a b\\\" c\" " RSA " x\n", 1 },
    { "restrict " ED25519, 1 },
    { "cert-authority " CERTIFICATE, 1 },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GBytes) bytes = to_bytes (cases[i].text);
      g_auto (GStrv) keys = lm_seed_input_keys ("k.pub", bytes, &error);
      g_assert_no_error (error);
      g_assert_cmpuint (g_strv_length (keys), ==, cases[i].count);
      for (guint j = 0; j < cases[i].count; j++)
        g_assert_null (strpbrk (keys[j], "\r\n"));
    }
  gsize size;
  char *wide = g_convert ("\xef\xbb\xbf" ED25519 " user@host\r\n", -1, "UTF-16LE", "UTF-8", NULL, &size, NULL);
  g_autoptr (GBytes) bytes = g_bytes_new_take (wide, size);
  g_auto (GStrv) keys = lm_seed_input_keys ("k.pub", bytes, NULL);
  g_assert_cmpstr (keys[0], ==, ED25519 " user@host");
}

static void
test_bad_keys (void)
{
  static const struct
  {
    const char *text, *says;
  } cases[] = {
    { "", "contains no key" },
    { "\n# only a comment\n", "contains no key" },
    { "Not Found", "k.pub:1: " },
    { "<!DOCTYPE html>\n<html><body>Sign in</body></html>\n", "k.pub:1: " },
    { "{\"message\": \"Not Found\"}", "k.pub:1: " },
    { ED25519 "\n404: Not Found\n", "k.pub:2: " },
    { "-----BEGIN OPENSSH PRIVATE KEY-----\n", "private key" },
    { "PuTTY-User-Key-File-3: ssh-ed25519\n", "private key" },
    { "---- BEGIN SSH2 PUBLIC KEY ----\n", "ssh-keygen -i" },
    { "ssh-ed25519", "k.pub:1: " },
    { "ssh-ed25519 key", "k.pub:1: " },
    { "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJnV9B0Cp", "k.pub:1: " },
    { "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJnV9B0Cp+Y3obRVCZkTtxizI0l9D5kO5FjH6vhC", "k.pub:1: " },
    { "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJnV9B0Cp+Y3obRVCZkTtxizI0l9D5kO5FjH6vhCM96N=", "k.pub:1: " },
    { "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5", "k.pub:1: " },
    { "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIJnV9B0Cp+Y3obRVCZkTtxizI0l9D5kO5FjH6vhCM96N", "k.pub:1: " },
    { "AAAAC3NzaC1lZDI1NTE5AAAAIJnV9B0Cp+Y3obRVCZkTtxizI0l9D5kO5FjH6vhCM96N", "k.pub:1: " },
    { "command=\"echo " ED25519, "k.pub:1: " },
    { "1024 35 14", "k.pub:1: " },
    { ED25519 " \x1b[31m", "k.pub:1: " },
    { ED25519 " \xff", "k.pub:1: " },
    { "ssh-ed25519 \xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc\xc3\xbc", "k.pub:1: " },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GBytes) bytes = to_bytes (cases[i].text);
      g_assert_null (lm_seed_input_keys ("k.pub", bytes, &error));
      g_assert_error (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_INVALID);
      g_assert_true (g_utf8_validate (error->message, -1, NULL));
      g_assert_nonnull (strstr (error->message, cases[i].says));
    }
  g_autoptr (GError) error = NULL;
  g_autoptr (GBytes) binary = g_bytes_new_static (ED25519 "\0", sizeof ED25519);
  g_assert_null (lm_seed_input_keys ("k.pub", binary, &error));
  g_assert_error (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_INVALID);
}

/* Whether the input is accepted: with a warning if it has one. */
typedef enum
{
  GOOD,
  WARNED,
  REFUSED,
} Verdict;

static void
assert_verdict (Verdict expected, GBytes *output, const char *warning, const GError *error)
{
  g_assert_cmpint (output == NULL, ==, expected == REFUSED);
  if (expected == REFUSED)
    g_assert_error (error, LM_IMAGE_ERROR, LM_IMAGE_ERROR_INVALID);
  else
    g_assert_no_error (error);
  g_assert_cmpint (warning != NULL, ==, expected == WARNED);
  const char *said = expected == REFUSED ? error->message : warning;
  g_assert_true (said == NULL || g_str_has_prefix (said, "file:"));
}

static GBytes *
pack (GBytes *bytes)
{
  g_autoptr (GZlibCompressor) compressor = g_zlib_compressor_new (G_ZLIB_COMPRESSOR_FORMAT_GZIP, -1);
  g_autoptr (GOutputStream) memory = g_memory_output_stream_new_resizable ();
  g_autoptr (GOutputStream) stream = g_converter_output_stream_new (memory, G_CONVERTER (compressor));
  g_assert_true (g_output_stream_write_all (stream, g_bytes_get_data (bytes, NULL), g_bytes_get_size (bytes), NULL, NULL, NULL));
  g_assert_true (g_output_stream_close (stream, NULL, NULL));
  return g_memory_output_stream_steal_as_bytes (G_MEMORY_OUTPUT_STREAM (memory));
}

static const struct
{
  const char *text;
  Verdict verdict;
} user_data[] = {
  { "", WARNED },
  { " \n", WARNED },
  { "#cloud-config\n", GOOD },
  { "#cloud-config", GOOD },
  { "#cloud-config # mine\nhostname: a\n", GOOD },
  { "#cloud-config hostname: a\n", WARNED },
  { "#cloud-config hostname: a", WARNED },
  { "#cloud-config\nhostname: a\n", GOOD },
  { "#cloud-config\r\nhostname: a\r\n", GOOD },
  { "\xef\xbb\xbf#cloud-config\nhostname: a\n", GOOD },
  { "\n\n#Cloud-Config\nhostname: a\n", GOOD },
  { "#cloud-config\n{\"hostname\": \"a\"}\n", GOOD },
  { "#cloud-config\na: &x {b: 1}\nc: *x\nd: !!binary QQ==\n", GOOD },
  { "#cloud-config-archive\n- {type: text/cloud-config, content: x}\n", GOOD },
  { "## template: jinja\n#cloud-config\n{% if x %}\na: 1\n{% endif %}\n", GOOD },
  { "#!/bin/sh\necho\n", GOOD },
  { "#!/bin/sh\r\necho\r\n", GOOD },
  { "#include\nhttp://h/x\n", GOOD },
  { "#include-once\nhttp://h/x\n", GOOD },
  { "#cloud-boothook\n#!/bin/sh\n", GOOD },
  { "#part-handler\n", GOOD },
  { "Content-Type: multipart/mixed; boundary=x\nMIME-Version: 1.0\n\n--x\n", GOOD },
  { "mime-version: 1.0\n", GOOD },
  { "\x1f\x8b\x08", WARNED },
  { "hostname: a\nusers: [default]\n", WARNED },
  { "---\n#cloud-config\nhostname: a\n", WARNED },
  { "# cloud-config\nhostname: a\n", WARNED },
  { "<!DOCTYPE html>\n", WARNED },
  { "Not Found", WARNED },
  { "Content-Type: text/cloud-config\n\nhostname: a\n", WARNED },
  { "echo hello\n", WARNED },
  { "\n#!/bin/sh\n", WARNED },
  { "#cloud-config\n- a\n", REFUSED },
  { "#cloud-config\nhostname\n", REFUSED },
  { "#cloud-config\na: [\n", REFUSED },
  { "#cloud-config\na:\n\tb: 1\n", REFUSED },
  { "#cloud-config\na: b: c\n", REFUSED },
  { "#cloud-config\na: 1\n---\nb: 1\n", REFUSED },
};

static void
test_user_data (void)
{
  for (gsize i = 0; i < G_N_ELEMENTS (user_data); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autofree char *warning = NULL;
      g_autoptr (GBytes) input = to_bytes (user_data[i].text);
      g_autoptr (GBytes) output = lm_seed_input_user_data ("file", input, &warning, &error);
      g_test_message ("%s", user_data[i].text);
      assert_verdict (user_data[i].verdict, output, warning, error);
      g_clear_error (&error);
      g_clear_pointer (&warning, g_free);
      /* The result is the same if cloud-init has to decompress it first; it is
       * passed on compressed, so a byte order mark is kept. */
      g_autoptr (GBytes) packed = pack (input);
      g_autoptr (GBytes) passed = lm_seed_input_user_data ("file", packed, &warning, &error);
      assert_verdict (user_data[i].text[0] == '\xef' ? WARNED : user_data[i].verdict, passed, warning, error);
      g_assert_true (passed == NULL || g_bytes_equal (passed, packed));
    }
}

static void
test_mappings (void)
{
  static const struct
  {
    const char *text;
    Verdict meta_data, network_config;
  } cases[] = {
    { "", GOOD, REFUSED },
    { "# nothing\n", GOOD, REFUSED },
    { "version: 2\nethernets: {e: {match: {name: 'e*'}, dhcp4: true}}\n", GOOD, GOOD },
    { "\xef\xbb\xbfversion: 1\r\nconfig: []\r\n", GOOD, GOOD },
    { "network: {version: 2}\n", GOOD, GOOD },
    { "{\"version\": 1}", GOOD, GOOD },
    { "? [a]\n: {b: [1, 2]}\nversion: 2\n", GOOD, GOOD },
    { "ethernets: {}\n", GOOD, WARNED },
    { "instance-id: i1\n", GOOD, WARNED },
    { "Not Found", REFUSED, REFUSED },
    { "<!DOCTYPE html>\n<html><body style=\"a: b\">x</body></html>\n", REFUSED, REFUSED },
    { "[1, 2]", REFUSED, REFUSED },
    { "a: [\n", REFUSED, REFUSED },
    { "version: 2\nx: 'y\n", REFUSED, REFUSED },
    { "\x1f\x8b\x08", REFUSED, REFUSED },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) meta_error = NULL;
      g_autoptr (GError) network_error = NULL;
      g_autofree char *warning = NULL;
      g_autoptr (GBytes) input = to_bytes (cases[i].text);
      g_autoptr (GBytes) meta_data = lm_seed_input_meta_data ("file", input, &meta_error);
      g_autoptr (GBytes) network_config = lm_seed_input_network_config ("file", input, &warning, &network_error);
      g_test_message ("%s", cases[i].text);
      assert_verdict (cases[i].meta_data, meta_data, NULL, meta_error);
      assert_verdict (cases[i].network_config, network_config, warning, network_error);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/seed-input/keys", test_keys);
  g_test_add_func ("/seed-input/bad-keys", test_bad_keys);
  g_test_add_func ("/seed-input/user-data", test_user_data);
  g_test_add_func ("/seed-input/mappings", test_mappings);
  return g_test_run ();
}

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "tests/unit/lib/domain-specs.h"
#include "domain/xml.h"
#include "domain/metadata.h"

#include <string.h>

static char *
make_xml (const LmDomainSpec *spec)
{
  g_autofree char *dir = g_test_build_filename (G_TEST_DIST, "..", "xml-templates", NULL);
  const char *const dirs[] = { dir, NULL };
  g_autoptr (GError) error = NULL;
  char *xml = lm_domain_xml (spec, dirs, NULL, NULL, &error);
  g_assert_no_error (error);
  return xml;
}

static void
assert_strv (char **a, char **b)
{
  g_assert_cmpint (a == NULL, ==, b == NULL);
  if (a != NULL)
    g_assert_cmpstrv (a, b);
}

static void
assert_same_blob (const LmBlob *a, const LmBlob *b)
{
  g_assert_true (lm_digest_equal (&a->digest, &b->digest));
  g_assert_cmpuint (a->size, ==, b->size);
}

static void
assert_same_boot (const LmBlob *a, const LmBlob *b)
{
  g_assert_cmpint (a == NULL, ==, b == NULL);
  if (a == NULL)
    return;
  assert_same_blob (a, b);
  assert_strv (a->urls, b->urls);
}

static void
assert_same_layer (const LmDomainLayer *a, const LmDomainLayer *b)
{
  assert_same_blob (&a->blob, &b->blob);
  g_assert_cmpstr (a->blob.name, ==, b->blob.name);
  g_assert_cmpstr (a->version, ==, b->version);
  g_assert_cmpstr (a->group, ==, b->group);
  g_assert_cmpstr (a->source, ==, b->source);
  g_assert_cmpstr (a->path, ==, b->path);
}

static void
assert_same (const LmDomainSpec *a, const LmDomainSpec *b)
{
  g_assert_cmpuint (a->layers->len, ==, b->layers->len);
  for (guint i = 0; i < a->layers->len; i++)
    assert_same_layer (g_ptr_array_index (a->layers, i), g_ptr_array_index (b->layers, i));
  g_assert_cmpuint (a->publish->len, ==, b->publish->len);
  for (guint i = 0; i < a->publish->len; i++)
    {
      const LmDomainPublish *p = g_ptr_array_index (a->publish, i);
      const LmDomainPublish *q = g_ptr_array_index (b->publish, i);
      g_assert_cmpstr (p->address, ==, q->address);
      g_assert_cmpuint (p->port, ==, q->port);
      g_assert_cmpuint (p->guest_port, ==, q->guest_port);
    }
  assert_same_boot (a->kernel_blob, b->kernel_blob);
  assert_same_boot (a->initrd_blob, b->initrd_blob);
  g_assert_cmpstr (a->kernel, ==, b->kernel);
  g_assert_cmpstr (a->initrd, ==, b->initrd);
  assert_strv (a->selections, b->selections);
  g_assert_cmpstr (a->cmdline, ==, b->cmdline);
  g_assert_cmpstr (a->overlay, ==, b->overlay);
  g_assert_cmpstr (a->seed, ==, b->seed);
  g_assert_cmpstr (a->console_log, ==, b->console_log);
  g_assert_cmpstr (a->ready, ==, b->ready);
}

/* Returns the element alone, as virDomainGetMetadata() does: without its namespace. */
static char *
extract (const char *xml)
{
  const char *start = strstr (xml, "<lamina:machine");
  const char *end = strstr (xml, "</lamina:machine>");
  g_assert_true (start != NULL && end != NULL);
  g_autofree char *element = g_strndup (start, (gsize) (end - start) + strlen ("</lamina:machine>"));
  g_auto (GStrv) parts = g_strsplit (element, "lamina:", -1);
  g_autofree char *plain = g_strjoinv ("", parts);
  g_auto (GStrv) declared = g_strsplit (plain, " xmlns:lamina=\"urn:domain:1\"", -1);
  return g_strjoinv ("", declared);
}

static void
test_round_trip (void)
{
  LmDomainSpec *specs[] = { test_spec_full (), test_spec_minimal () };
  for (guint i = 0; i < G_N_ELEMENTS (specs); i++)
    {
      g_autoptr (LmDomainSpec) spec = specs[i];
      g_autoptr (GError) error = NULL;
      g_autofree char *xml = make_xml (spec);
      g_autoptr (LmDomainSpec) whole = lm_domain_metadata_parse (xml, &error);
      g_assert_no_error (error);
      assert_same (spec, whole);
      g_autofree char *element = extract (xml);
      g_autoptr (LmDomainSpec) alone = lm_domain_metadata_parse (element, &error);
      g_assert_no_error (error);
      assert_same (spec, alone);
    }
}

static void
test_urls_without_secrets (void)
{
  g_autoptr (LmDomainSpec) spec = test_spec_full ();
  g_autofree char *xml = make_xml (spec);
  g_assert_null (strstr (xml, "secret"));
  g_autoptr (LmDomainSpec) read = lm_domain_metadata_parse (xml, NULL);
  const LmDomainLayer *base = g_ptr_array_index (read->layers, 0);
  const LmDomainLayer *top = g_ptr_array_index (read->layers, 1);
  g_assert_cmpstr (base->blob.urls[1], ==, "https://mirror/debian.qcow2");
  g_assert_cmpstr (top->blob.urls[0], ==, "http://lab/nginx.qcow2");
}

#define DIGEST "sha256:aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static void
test_refuses (void)
{
  const char *bad[] = {
    "<domain/>",
    "<domain><metadata/></domain>",
    "<domain><metadata><machine/></metadata></domain>",
    "<network/>",
    "<machine><layer name='a' version='1'/></machine>",
    "<machine><layer digest='sha256:../../x' name='a' version='1'/></machine>",
    "<machine><layer digest='" DIGEST "'/></machine>",
    "<machine><layer digest='" DIGEST "' name='a' version='1' size='-1'/></machine>",
    "<machine><layer digest='" DIGEST "' name='a' version='1' size='99999999999999999999'/></machine>",
    "<machine><kernel digest='md5:x'/></machine>",
    "<machine><publish port='0' guest-port='80'/></machine>",
    "<machine><publish port='80' guest-port='80' address='1.1.1.1,x'/></machine>",
    "<machine><publish port='70000' guest-port='80'/></machine>",
    NULL,
  };
  for (guint i = 0; bad[i] != NULL; i++)
    {
      g_autoptr (GError) error = NULL;
      g_assert_null (lm_domain_metadata_parse (bad[i], &error));
      g_assert_error (error, LM_METADATA_ERROR, LM_METADATA_ERROR_INVALID);
    }
  g_autoptr (GError) error = NULL;
  g_assert_null (lm_domain_metadata_parse ("<machine", &error));
  g_assert_error (error, LM_XML_ERROR, LM_XML_ERROR_SYNTAX);
  g_clear_error (&error);

  g_autoptr (GString) many = g_string_new ("<machine>");
  for (guint i = 0; i < 2000; i++)
    g_string_append (many, "<layer digest='" DIGEST "' name='a' version='1'/>");
  g_string_append (many, "</machine>");
  g_assert_null (lm_domain_metadata_parse (many->str, &error));
  g_assert_error (error, LM_METADATA_ERROR, LM_METADATA_ERROR_INVALID);
  g_clear_error (&error);

  g_autoptr (LmDomainSpec) later
      = lm_domain_metadata_parse ("<machine><new/><layer digest='" DIGEST "' name='a' version='1' new='x'/></machine>", &error);
  g_assert_no_error (error);
  g_assert_cmpuint (later->layers->len, ==, 1);
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/metadata/round-trip", test_round_trip);
  g_test_add_func ("/metadata/urls-without-secrets", test_urls_without_secrets);
  g_test_add_func ("/metadata/refuses", test_refuses);
  return g_test_run ();
}

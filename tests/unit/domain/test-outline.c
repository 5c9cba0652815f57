/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "domain/outline.h"

#define UUID "5a1f9c1e-6d0f-4f5c-9f43-0e2f4f1a9b77"

static void
test_whole (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmDomainOutline) outline = lm_domain_outline_parse (
    "<domain type='qemu'><metadata><name>no</name></metadata><name>a&amp;b</name><uuid>5A1F9C1E-6D0F-4F5C-9F43-0E2F4F1A9B77</uuid>"
    "<os><type>hvm</type><kernel>/k</kernel><initrd>/i</initrd></os><devices>"
    "<disk type='file'><source file='/one'/><backingStore type='file'><source file='/below'/></backingStore></disk>"
    "<disk type='block'><source dev='/dev/sda'/></disk><disk type='file' device='cdrom'/>"
    "<interface type='user'/><disk type='file'><source file='/two'/></disk></devices></domain>", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (outline->name, ==, "a&b");
  g_assert_cmpstr (outline->uuid, ==, UUID);
  g_assert_cmpstr (outline->kernel, ==, "/k");
  g_assert_cmpstr (outline->initrd, ==, "/i");
  g_assert_cmpuint (outline->disks->len, ==, 3);
  g_assert_cmpstr (g_ptr_array_index (outline->disks, 0), ==, "/one");
  g_assert_cmpstr (g_ptr_array_index (outline->disks, 1), ==, "/dev/sda");
  g_assert_cmpstr (g_ptr_array_index (outline->disks, 2), ==, "/two");
}

static void
test_least (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmDomainOutline) outline
    = lm_domain_outline_parse ("<domain><name>m</name><uuid>" UUID "</uuid></domain>", &error);
  g_assert_no_error (error);
  g_assert_null (outline->kernel);
  g_assert_null (outline->initrd);
  g_assert_cmpuint (outline->disks->len, ==, 0);
}

static void
test_invalid (void)
{
  static const char *const texts[] = {
    "", "domain", "<domain><name>m</name></domain>", "<domain><uuid>" UUID "</uuid></domain>",
    "<domain><name>m</name><uuid>../../etc</uuid></domain>", "<domain><name>m</name><uuid></uuid></domain>",
    "<network><name>m</name><uuid>" UUID "</uuid></network>",
    "<domain xmlns='urn:other'><name>m</name><uuid>" UUID "</uuid></domain>",
    "<domain><name>m</name><uuid>" UUID "</uuid>",
  };
  for (gsize i = 0; i < G_N_ELEMENTS (texts); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (LmDomainOutline) outline = lm_domain_outline_parse (texts[i], &error);
      g_assert_null (outline);
      g_assert_error (error, LM_XML_ERROR, LM_XML_ERROR_SYNTAX);
    }
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/outline/whole", test_whole);
  g_test_add_func ("/outline/least", test_least);
  g_test_add_func ("/outline/invalid", test_invalid);
  return g_test_run ();
}

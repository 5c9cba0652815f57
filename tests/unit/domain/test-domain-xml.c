/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "tests/unit/lib/domain-specs.h"
#include "io/run.h"
#include "domain/xml.h"
#include "domain/template.h"

#include <string.h>
#include <unistd.h>

static char *
shipped_dir (void)
{
  return g_test_build_filename (G_TEST_DIST, "..", "xml-templates", NULL);
}

static char *
make_xml (const LmDomainSpec *spec, const char *template_name, GError **error)
{
  g_autofree char *dir = shipped_dir ();
  const char *const dirs[] = { "/nonexistent", dir, NULL };
  return lm_domain_xml (spec, dirs, template_name, NULL, error);
}

static void
assert_golden (const LmDomainSpec *spec, const char *template_name, const char *golden)
{
  g_autoptr (GError) error = NULL;
  g_autofree char *file = g_strconcat (golden, ".xml", NULL);
  g_autofree char *path = g_test_build_filename (G_TEST_DIST, "golden", file, NULL);
  g_autofree char *expected = NULL;
  g_autofree char *xml = make_xml (spec, template_name, &error);
  g_assert_no_error (error);
  if (g_getenv ("LAMINA_TEST_REGENERATE") != NULL)
    g_file_set_contents (path, xml, -1, &error);
  g_assert_no_error (error);
  g_file_get_contents (path, &expected, NULL, &error);
  g_assert_no_error (error);
  g_assert_cmpstr (xml, ==, expected);
}

static void
test_golden_templates (void)
{
  g_autoptr (LmDomainSpec) minimal = test_spec_minimal ();
  g_autoptr (LmDomainSpec) full = test_spec_full ();
  assert_golden (minimal, NULL, "minimal");
  assert_golden (minimal, "q35-uefi", "uefi");
  assert_golden (full, NULL, "full");
}

static void
test_golden_cpu (void)
{
  g_autoptr (LmDomainSpec) spec = test_spec_minimal ();
  spec->cpu = g_strdup ("host-model");
  assert_golden (spec, NULL, "cpu-host-model");
  g_free (spec->cpu);
  spec->cpu = g_strdup ("max");
  assert_golden (spec, NULL, "cpu-max");
  g_free (spec->cpu);
  spec->cpu = g_strdup ("Skylake-Server");
  assert_golden (spec, NULL, "cpu-model");
}

/* Whether the XML of @spec with the template @text (NULL for the shipped one) makes
 * libvirt send fewer queries to QEMU. */
static gboolean
asks_less (const LmDomainSpec *spec, const char *text)
{
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "cpu.xml", NULL);
  g_autoptr (GError) error = NULL;
  if (text != NULL)
    g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
  g_autofree char *xml = make_xml (spec, text != NULL ? path : NULL, &error);
  g_assert_no_error (error);
  return strstr (xml, "<qemu:del capability=\"cpu-unavailable-features\"/>") != NULL;
}

#define CPU_BODY                                                                                                       \
  "<name>@NAME@</name><uuid>@UUID@</uuid><memory unit='b'>@MEMORY@</memory><devices><?lamina disks?></devices>"

/* The queries are skipped only if QEMU emulates the model that lamina chose. */
static void
test_cpu_properties (void)
{
  g_autoptr (LmDomainSpec) spec = test_spec_minimal ();
  g_assert_false (asks_less (spec, NULL));
  g_free (spec->virt_type);
  spec->virt_type = g_strdup ("qemu");
  g_assert_true (asks_less (spec, NULL));
  g_assert_true (asks_less (spec, "<domain type='@VIRT_TYPE@'>" CPU_BODY "<?lamina cpu?></domain>"));
  g_assert_false (asks_less (spec, "<domain type='@VIRT_TYPE@'>" CPU_BODY "</domain>"));
  g_assert_false (asks_less (spec, "<domain type='kvm'>" CPU_BODY "<?lamina cpu?></domain>"));
  g_assert_false (asks_less (spec, "<domain type='qemu' xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'>" CPU_BODY
                                   "<?lamina cpu?><q:capabilities/></domain>"));
  g_free (spec->arch);
  spec->arch = g_strdup ("aarch64");
  g_assert_false (asks_less (spec, NULL));
  g_free (spec->arch);
  spec->arch = g_strdup ("x86_64");
  spec->cpu = g_strdup ("Nehalem");
  g_assert_false (asks_less (spec, NULL));
}

static void
test_golden_network (void)
{
  g_autoptr (LmDomainSpec) none = test_spec_minimal ();
  none->networks = test_spec_networks ("none");
  assert_golden (none, NULL, "network-none");
  g_autoptr (LmDomainSpec) several = test_spec_minimal ();
  several->networks = test_spec_networks ("default user,model=rtl8139 user");
  assert_golden (several, NULL, "network-several");
  g_ptr_array_add (several->publish, g_new0 (LmDomainPublish, 1));
  LmDomainPublish *publish = g_ptr_array_index (several->publish, 0);
  publish->port = 8080;
  publish->guest_port = 80;
  assert_golden (several, NULL, "network-published");
}

static void
test_golden_graphics (void)
{
  g_autoptr (LmDomainSpec) spec = test_spec_minimal ();
  spec->graphics = lm_domain_graphics_parse ("spice", NULL);
  assert_golden (spec, NULL, "graphics-spice");
}

/* All specs except "hostile" match libvirt's schema, which does not allow such file names. */
static void
test_schema (void)
{
  const char *names[] = { "cpu-host-model", "cpu-max",      "cpu-model",         "full",            "graphics-spice",
                          "minimal",        "network-none", "network-published", "network-several", "uefi" };
  g_autofree char *tool = g_find_program_in_path ("virt-xml-validate");
  if (tool == NULL)
    {
      g_test_skip ("virt-xml-validate is missing");
      return;
    }
  for (guint i = 0; i < G_N_ELEMENTS (names); i++)
    {
      g_autofree char *file = g_strconcat (names[i], ".xml", NULL);
      g_autofree char *path = g_test_build_filename (G_TEST_DIST, "golden", file, NULL);
      const char *const argv[] = { tool, path, "domain", NULL };
      g_autoptr (GError) error = NULL;
      gboolean valid = lm_run (argv, NULL, NULL, NULL, &error);
      g_assert_no_error (error);
      g_assert_true (valid);
    }
}

/* Any text from a user or a catalog is written as text. */
static void
test_hostile (void)
{
  g_autoptr (LmDomainSpec) spec = test_spec_full ();
  const char *evil = "/x'\"/><disk a='1'>&<!--]]><?lamina disks?>@NAME@\n";
  char **fields[] = { &spec->overlay, &spec->seed, &spec->kernel, &spec->initrd, &spec->cmdline,
                      &spec->osinfo,  &spec->ready, &spec->console_log };
  for (guint i = 0; i < G_N_ELEMENTS (fields); i++)
    {
      g_free (*fields[i]);
      *fields[i] = g_strdup (evil);
    }
  LmDomainLayer *layer = g_ptr_array_index (spec->layers, 1);
  char **layer_fields[] = { &layer->blob.name, &layer->version, &layer->group, &layer->source, &layer->path, &layer->blob.urls[0],
                            &spec->selections[0] };
  for (guint i = 0; i < G_N_ELEMENTS (layer_fields); i++)
    {
      g_free (*layer_fields[i]);
      *layer_fields[i] = g_strdup (evil);
    }
  assert_golden (spec, NULL, "hostile");

  g_free (spec->cmdline);
  spec->cmdline = g_strdup ("quiet\x1b[2J");
  g_autoptr (GError) error = NULL;
  g_assert_null (make_xml (spec, NULL, &error));
  g_assert_error (error, LM_XML_ERROR, LM_XML_ERROR_VALUE);
}

static void
test_stable (void)
{
  g_autoptr (LmDomainSpec) spec = test_spec_full ();
  g_autofree char *one = make_xml (spec, NULL, NULL);
  g_autofree char *two = make_xml (spec, NULL, NULL);
  g_assert_cmpstr (one, ==, two);
}

static void
assert_error_of (LmDomainSpec *spec, const char *template_name, GQuark domain, int code, const char *named)
{
  g_autoptr (GError) error = NULL;
  g_assert_null (make_xml (spec, template_name, &error));
  g_assert_error (error, domain, code);
  g_assert_nonnull (strstr (error->message, named));
}

static void
test_errors (void)
{
  g_autoptr (LmDomainSpec) minimal = test_spec_minimal ();
  g_autoptr (LmDomainSpec) full = test_spec_full ();
  assert_error_of (minimal, "nope", LM_TEMPLATE_ERROR, LM_TEMPLATE_ERROR_NOT_FOUND, "nope.xml");
  assert_error_of (minimal, "..", LM_TEMPLATE_ERROR, LM_TEMPLATE_ERROR_INVALID, "..");
  assert_error_of (minimal, "", LM_TEMPLATE_ERROR, LM_TEMPLATE_ERROR_INVALID, "template");
  assert_error_of (minimal, "/nonexistent/t.xml", LM_TEMPLATE_ERROR, LM_TEMPLATE_ERROR_NOT_FOUND, "/nonexistent/t.xml");
  assert_error_of (minimal, "direct-kernel", LM_XML_ERROR, LM_XML_ERROR_TEMPLATE, "<?lamina kernel?>");
  assert_error_of (full, "q35-bios", LM_XML_ERROR, LM_XML_ERROR_TEMPLATE, "<?lamina kernel?>");
  g_clear_pointer (&minimal->nvram, g_free);
  assert_error_of (minimal, "q35-uefi", LM_XML_ERROR, LM_XML_ERROR_TEMPLATE, "@NVRAM@");
  g_clear_pointer (&minimal->console_log, g_free);
  assert_error_of (minimal, NULL, LM_XML_ERROR, LM_XML_ERROR_TEMPLATE, "@CONSOLE_LOG@");
  g_free (minimal->name);
  minimal->name = g_strdup ("a/b");
  assert_error_of (minimal, NULL, LM_DOMAIN_ERROR, LM_DOMAIN_ERROR_INVALID, "a/b");
}

#define BODY "<name>@NAME@</name><uuid>@UUID@</uuid><memory unit='b'>@MEMORY@</memory>"
#define DISKS "<devices><?lamina disks?></devices>"

static void
assert_user_template (const char *text, LmDomainSpec *spec, const char *named)
{
  g_autofree char *path = g_build_filename (g_get_tmp_dir (), "mine.xml", NULL);
  g_autoptr (GError) error = NULL;
  g_file_set_contents (path, text, -1, &error);
  g_assert_no_error (error);
  const char *const dirs[] = { g_get_tmp_dir (), NULL };
  g_autofree char *by_name = lm_domain_xml (spec, dirs, "mine", NULL, &error);
  if (named == NULL)
    {
      g_assert_no_error (error);
      g_autofree char *by_path = lm_domain_xml (spec, dirs, path, NULL, &error);
      g_assert_no_error (error);
      g_assert_cmpstr (by_name, ==, by_path);
      int ends[2];
      g_assert_cmpint (pipe (ends), ==, 0);
      g_assert_cmpint (write (ends[1], text, strlen (text)), ==, (gssize) strlen (text));
      g_assert_cmpint (close (ends[1]), ==, 0);
      g_autofree char *pipe_path = g_strdup_printf ("/dev/fd/%d", ends[0]);
      g_autoptr (GCancellable) cancellable = g_cancellable_new ();
      g_autofree char *by_pipe = lm_domain_xml (spec, dirs, pipe_path, cancellable, &error);
      g_assert_no_error (error);
      g_assert_cmpstr (by_name, ==, by_pipe);
      g_assert_cmpint (close (ends[0]), ==, 0);
      return;
    }
  g_assert_error (error, LM_XML_ERROR, LM_XML_ERROR_TEMPLATE);
  g_assert_nonnull (strstr (error->message, named));
  g_assert_nonnull (strstr (error->message, path));
}

static void
test_user_template (void)
{
  g_autoptr (LmDomainSpec) spec = test_spec_minimal ();
  assert_user_template ("<domain type='kvm'>" BODY DISKS "</domain>", spec, NULL);
  assert_user_template ("<domain type='kvm'><metadata/>" BODY DISKS "</domain>", spec, NULL);
  assert_user_template ("<domain><uuid>@UUID@</uuid><memory>@MEMORY@</memory>" DISKS "</domain>", spec, "@NAME@");
  assert_user_template ("<domain><name>@NAME@</name><memory>@MEMORY@</memory>" DISKS "</domain>", spec, "@UUID@");
  assert_user_template ("<domain><name>@NAME@</name><uuid>@UUID@</uuid>" DISKS "</domain>", spec, "@MEMORY@");
  assert_user_template ("<domain>" BODY "</domain>", spec, "<?lamina disks?>");
  assert_user_template ("<domain>" BODY DISKS "<x>@PASSWORD@</x></domain>", spec, "@PASSWORD@");
  assert_user_template ("<network>" BODY DISKS "</network>", spec, "<domain>");
  spec->networks = test_spec_networks ("user");
  assert_user_template ("<domain>" BODY DISKS "</domain>", spec, "<?lamina interfaces?>");
  g_clear_pointer (&spec->networks, g_ptr_array_unref);
  spec->graphics = lm_domain_graphics_parse ("vnc", NULL);
  assert_user_template ("<domain>" BODY DISKS "</domain>", spec, "<?lamina graphics?>");
  g_clear_pointer (&spec->graphics, lm_domain_graphics_free);
  spec->cpu = g_strdup ("max");
  assert_user_template ("<domain>" BODY DISKS "</domain>", spec, "<?lamina cpu?>");
}

static void
test_on_network (void)
{
  g_assert_true (lm_domain_xml_on_network ("<domain><devices><interface type='user'/><disk/>"
                                           "<interface type='network'/></devices></domain>"));
  g_assert_false (lm_domain_xml_on_network ("<domain><devices><interface type='bridge'/></devices></domain>"));
  g_assert_false (lm_domain_xml_on_network ("<domain><interface type='network'/><devices/></domain>"));
  g_assert_false (lm_domain_xml_on_network ("<domain/>"));
  g_assert_false (lm_domain_xml_on_network ("<domain>"));
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/domain/golden/templates", test_golden_templates);
  g_test_add_func ("/domain/golden/cpu", test_golden_cpu);
  g_test_add_func ("/domain/cpu-properties", test_cpu_properties);
  g_test_add_func ("/domain/golden/network", test_golden_network);
  g_test_add_func ("/domain/golden/graphics", test_golden_graphics);
  g_test_add_func ("/domain/schema", test_schema);
  g_test_add_func ("/domain/hostile", test_hostile);
  g_test_add_func ("/domain/stable", test_stable);
  g_test_add_func ("/domain/errors", test_errors);
  g_test_add_func ("/domain/user-template", test_user_template);
  g_test_add_func ("/domain/on-network", test_on_network);
  return g_test_run ();
}

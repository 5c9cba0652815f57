/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "domain/spec.h"
#include "tests/unit/lib/domain-specs.h"

#include <string.h>

static void
assert_name (const char *name, gboolean good)
{
  g_autoptr (GError) error = NULL;
  g_assert_cmpint (lm_domain_name_check (name, &error), ==, good);
  if (good)
    g_assert_no_error (error);
  else
    g_assert_error (error, LM_DOMAIN_ERROR, LM_DOMAIN_ERROR_INVALID);
}

static void
test_name (void)
{
  g_autofree char *longest = g_strnfill (LM_DOMAIN_NAME_MAX, 'a');
  g_autofree char *too_long = g_strnfill (LM_DOMAIN_NAME_MAX + 1, 'a');
  assert_name ("web1", TRUE);
  assert_name ("Web-1.lab_x+y", TRUE);
  assert_name (longest, TRUE);
  const char *bad[] = { "",       "-x",     "--help", ".",      "..",      "a/b",    "a b", "a\nb",     "a\tb",
                        "a;b",    "a$(b)",  "a'b",    "a\"b",   "<a/>",    "a&amp;", "a:b", "a\x01"
                                                                                             "b",
                        "\xc3\xa9", too_long, "a@b",  "a\\b", "@NAME@", NULL };
  for (guint i = 0; bad[i] != NULL; i++)
    assert_name (bad[i], FALSE);
  assert_name (NULL, FALSE);
}

static void
test_network (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmDomainNetwork) user = lm_domain_network_parse ("user", &error);
  g_assert_no_error (error);
  g_assert_cmpint (user->kind, ==, LM_DOMAIN_NETWORK_USER);
  g_assert_cmpstr (lm_domain_network_model (user), ==, "virtio");
  g_autoptr (LmDomainNetwork) fallback = lm_domain_network_parse ("default,model=e1000e", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (fallback->source, ==, "default");
  g_assert_cmpstr (fallback->model, ==, "e1000e");
  g_autoptr (LmDomainNetwork) bridge = lm_domain_network_parse ("bridge=br0,mac=52:54:00:AB:cd:01", &error);
  g_assert_no_error (error);
  g_assert_cmpint (bridge->kind, ==, LM_DOMAIN_NETWORK_BRIDGE);
  g_assert_cmpstr (bridge->source, ==, "br0");
  g_assert_cmpstr (bridge->mac, ==, "52:54:00:ab:cd:01");
  g_autoptr (LmDomainNetwork) none = lm_domain_network_parse ("none", &error);
  g_assert_no_error (error);
  g_assert_cmpint (none->kind, ==, LM_DOMAIN_NETWORK_NONE);

  const char *bad[] = { "", "nat", "network=", "network=a/b", "network='/><x", "bridge=averyveryverylongname",
                        "user,model=ne2k_pci", "user,mac=01:00:5e:00:00:01", "user,mac=00:00:00:00:00:00",
                        "user,mac=52:54:00:12:34", "user,mac=52:54:00:12:34:5g", "user,hostfwd=tcp::1-:1", "user,",
                        "none,model=virtio", "default,boot", ",user", "user\n",
                        "network=a,bridge=b", "user,network=a", "default,network=a", "bridge=a,type=user", NULL };
  for (guint i = 0; bad[i] != NULL; i++)
    {
      g_assert_null (lm_domain_network_parse (bad[i], &error));
      g_assert_error (error, LM_DOMAIN_ERROR, LM_DOMAIN_ERROR_INVALID);
      g_clear_error (&error);
    }
  g_autofree char *huge = g_strnfill (100000, ',');
  g_assert_null (lm_domain_network_parse (huge, &error));
  g_assert_error (error, LM_DOMAIN_ERROR, LM_DOMAIN_ERROR_INVALID);
}

static void
test_graphics (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmDomainGraphics) vnc = lm_domain_graphics_parse ("vnc,listen=::1,port=5901", &error);
  g_assert_no_error (error);
  g_assert_cmpint (vnc->kind, ==, LM_DOMAIN_GRAPHICS_VNC);
  g_assert_cmpstr (vnc->listen, ==, "::1");
  g_assert_cmpuint (vnc->port, ==, 5901);
  g_autoptr (LmDomainGraphics) spice = lm_domain_graphics_parse ("spice,port=-1", &error);
  g_assert_no_error (error);
  g_assert_cmpuint (spice->port, ==, 0);
  g_autoptr (LmDomainGraphics) none = lm_domain_graphics_parse ("none", &error);
  g_assert_no_error (error);
  g_assert_cmpint (none->kind, ==, LM_DOMAIN_GRAPHICS_NONE);
  const char *bad[] = { "", "sdl", "vnc,port=80", "vnc,port=70000", "vnc,listen=localhost", "vnc,password=x",
                        "none,port=5900", "vnc,", NULL };
  for (guint i = 0; bad[i] != NULL; i++)
    {
      g_assert_null (lm_domain_graphics_parse (bad[i], &error));
      g_assert_error (error, LM_DOMAIN_ERROR, LM_DOMAIN_ERROR_INVALID);
      g_clear_error (&error);
    }
}

static void
test_publish (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmDomainPublish) plain = lm_domain_publish_parse ("8080:80", &error);
  g_assert_no_error (error);
  g_assert_null (plain->address);
  g_assert_cmpuint (plain->port, ==, 8080);
  g_assert_cmpuint (plain->guest_port, ==, 80);
  g_autoptr (LmDomainPublish) any = lm_domain_publish_parse ("0.0.0.0:65535:1", &error);
  g_assert_no_error (error);
  g_assert_cmpstr (any->address, ==, "0.0.0.0");
  const char *bad[] = { "", "80", ":", "0:80", "80:0", "65536:80", "80:65536", "-1:80", "+80:80", " 80:80", "80:80:80",
                        "localhost:80:80", "::1:80:80", "1.2.3:80:80", "127.0.0.1,restrict=off:80:80", "80:80,x", NULL };
  for (guint i = 0; bad[i] != NULL; i++)
    {
      g_assert_null (lm_domain_publish_parse (bad[i], &error));
      g_assert_error (error, LM_DOMAIN_ERROR, LM_DOMAIN_ERROR_INVALID);
      g_clear_error (&error);
    }
}

static void
test_publish_clash (void)
{
  static const struct
  {
    const char *a, *b;
    gboolean clash;
  } cases[] = {
    { "80:80", "80:80", TRUE },
    { "80:80", "80:81", TRUE },
    { "80:80", "127.0.0.1:80:80", TRUE },
    { "80:80", "0.0.0.0:80:80", TRUE },
    { "0.0.0.0:80:80", "192.0.2.1:80:80", TRUE },
    { "80:80", "81:80", FALSE },
    { "80:80", "192.0.2.1:80:80", FALSE },
    { "0.0.0.0:80:80", "0.0.0.0:81:80", FALSE },
  };
  for (gsize i = 0; i < G_N_ELEMENTS (cases); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GPtrArray) list = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_domain_publish_free);
      g_ptr_array_add (list, lm_domain_publish_parse (cases[i].a, NULL));
      g_assert_true (lm_domain_publish_check (list, NULL));
      g_ptr_array_add (list, lm_domain_publish_parse (cases[i].b, NULL));
      g_assert_cmpint (lm_domain_publish_clash (list->pdata[0], list->pdata[1]), ==, cases[i].clash);
      g_assert_cmpint (lm_domain_publish_check (list, &error), ==, !cases[i].clash);
      if (cases[i].clash)
        g_assert_error (error, LM_DOMAIN_ERROR, LM_DOMAIN_ERROR_INVALID);
    }
}

static void
test_network_list (void)
{
  static const char *const good[] = { "", "none", "user user", "default bridge=br0 user,model=e1000", NULL };
  static const char *const bad[] = { "none user", "user none", "none none", "user,mac=52:54:00:00:00:01 default,mac=52:54:00:00:00:01",
                                     "user,mac=52:54:00:00:00:aa user bridge=b,mac=52:54:00:00:00:AA", NULL };
  for (guint i = 0; good[i] != NULL; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GPtrArray) list = test_spec_networks (good[i]);
      g_assert_true (lm_domain_network_check (list, &error));
      g_assert_no_error (error);
    }
  for (guint i = 0; bad[i] != NULL; i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GPtrArray) list = test_spec_networks (bad[i]);
      g_assert_false (lm_domain_network_check (list, &error));
      g_assert_error (error, LM_DOMAIN_ERROR, LM_DOMAIN_ERROR_INVALID);
    }
}

/* Values that no text can give are refused as well. */
static void
test_network_value (void)
{
  static const LmDomainNetwork bad[] = {
    { .kind = LM_DOMAIN_NETWORK_NETWORK },
    { .kind = LM_DOMAIN_NETWORK_BRIDGE, .source = (char *) "a/b" },
    { .model = (char *) "virtio,id=x" },
    { .mac = (char *) "52:54:00:00:00:01,x=y" },
  };
  for (guint i = 0; i < G_N_ELEMENTS (bad); i++)
    {
      g_autoptr (GError) error = NULL;
      g_autoptr (GPtrArray) list = g_ptr_array_new ();
      g_ptr_array_add (list, (gpointer) &bad[i]);
      g_assert_false (lm_domain_network_check (list, &error));
      g_assert_error (error, LM_DOMAIN_ERROR, LM_DOMAIN_ERROR_INVALID);
    }
  const LmDomainGraphics port = { .kind = LM_DOMAIN_GRAPHICS_VNC, .port = 80 };
  const LmDomainGraphics none = { .kind = LM_DOMAIN_GRAPHICS_NONE, .port = 5900 };
  const LmDomainGraphics name = { .kind = LM_DOMAIN_GRAPHICS_SPICE, .listen = (char *) "localhost" };
  g_assert_false (lm_domain_graphics_check (&port, NULL));
  g_assert_false (lm_domain_graphics_check (&none, NULL));
  g_assert_false (lm_domain_graphics_check (&name, NULL));
}

static LmDomainSpec *
make_spec (void)
{
  LmDomainSpec *spec = lm_domain_spec_new ();
  LmDomainLayer *layer = lm_domain_layer_new ();
  spec->name = g_strdup ("web1");
  spec->uuid = g_strdup ("11111111-2222-4333-8444-555555555555");
  spec->virt_type = g_strdup ("qemu");
  spec->arch = g_strdup ("x86_64");
  spec->memory = 512 << 20;
  spec->vcpus = 1;
  spec->overlay = g_strdup ("/state/overlay.qcow2");
  layer->blob.name = g_strdup ("debian");
  layer->version = g_strdup ("12");
  layer->path = g_strdup ("/state/layers/a.qcow2");
  g_ptr_array_add (spec->layers, layer);
  return spec;
}

static void
assert_spec (const LmDomainSpec *spec, const char *named)
{
  g_autoptr (GError) error = NULL;
  g_assert_false (lm_domain_spec_check (spec, &error));
  g_assert_error (error, LM_DOMAIN_ERROR, LM_DOMAIN_ERROR_INVALID);
  g_assert_nonnull (strstr (error->message, named));
}

#define BREAK(field, value, named)                                                                                     \
  G_STMT_START                                                                                                         \
  {                                                                                                                    \
    g_autoptr (LmDomainSpec) broken = make_spec ();                                                                    \
    g_free (broken->field);                                                                                            \
    broken->field = g_strdup (value);                                                                                  \
    assert_spec (broken, named);                                                                                       \
  }                                                                                                                    \
  G_STMT_END

static void
test_spec (void)
{
  g_autoptr (GError) error = NULL;
  g_autoptr (LmDomainSpec) good = make_spec ();
  g_assert_true (lm_domain_spec_check (good, &error));
  g_assert_no_error (error);
  BREAK (name, "a/b", "machine name");
  BREAK (uuid, "1234", "uuid");
  BREAK (uuid, NULL, "uuid");
  BREAK (virt_type, "xen", "virt type");
  BREAK (arch, "x86/64", "architecture");
  BREAK (cpu, "a'b", "cpu");
  BREAK (overlay, "overlay.qcow2", "overlay");
  BREAK (overlay, NULL, "overlay");
  BREAK (seed, "seed.img", "seed");
  BREAK (kernel, "vmlinuz", "kernel");
  BREAK (cmdline, "quiet", "no kernel");
  BREAK (console_log, "log", "console log");
  BREAK (nvram, "nvram.fd", "nvram");

  g_autoptr (LmDomainSpec) spec = make_spec ();
  spec->memory = 512;
  assert_spec (spec, "memory");
  spec->memory = 512 << 20;
  spec->vcpus = 0;
  assert_spec (spec, "virtual CPUs");
  spec->vcpus = 1;
  g_ptr_array_add (spec->publish, lm_domain_publish_parse ("8080:80", NULL));
  g_assert_true (lm_domain_spec_check (spec, NULL));
  spec->networks = test_spec_networks ("default");
  assert_spec (spec, "user-mode");
  g_ptr_array_unref (spec->networks);
  spec->networks = test_spec_networks ("none user");
  assert_spec (spec, "none");
  g_clear_pointer (&spec->networks, g_ptr_array_unref);
  LmDomainPublish *publish = g_ptr_array_index (spec->publish, 0);
  publish->address = g_strdup ("1.1.1.1,restrict=off");
  assert_spec (spec, "publish address");
  g_ptr_array_set_size (spec->layers, 0);
  assert_spec (spec, "no layer");
}

int
main (int argc, char **argv)
{
  g_test_init (&argc, &argv, NULL);
  g_test_add_func ("/domain-spec/name", test_name);
  g_test_add_func ("/domain-spec/network", test_network);
  g_test_add_func ("/domain-spec/network-list", test_network_list);
  g_test_add_func ("/domain-spec/network-value", test_network_value);
  g_test_add_func ("/domain-spec/graphics", test_graphics);
  g_test_add_func ("/domain-spec/publish", test_publish);
  g_test_add_func ("/domain-spec/publish-clash", test_publish_clash);
  g_test_add_func ("/domain-spec/spec", test_spec);
  return g_test_run ();
}

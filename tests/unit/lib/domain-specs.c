/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "tests/unit/lib/domain-specs.h"
#include "base/hasher.h"

#include <string.h>

LmDomainLayer *
test_spec_add_layer (LmDomainSpec *spec, const char *name)
{
  LmDomainLayer *layer = lm_domain_layer_new ();
  g_autoptr (LmHasher) hasher = lm_hasher_new ();
  lm_hasher_update (hasher, name, strlen (name));
  lm_hasher_peek (hasher, &layer->blob.digest);
  g_autofree char *file = lm_digest_file_name (&layer->blob.digest, ".qcow2");
  layer->blob.name = g_strdup (name);
  layer->version = g_strdup ("1.0");
  layer->path = g_build_filename ("/var/lib/lamina/layers", file, NULL);
  g_ptr_array_add (spec->layers, layer);
  return layer;
}

GPtrArray *
test_spec_networks (const char *texts)
{
  GPtrArray *networks = g_ptr_array_new_with_free_func ((GDestroyNotify) lm_domain_network_free);
  g_auto (GStrv) words = g_strsplit (texts, " ", -1);
  for (char **word = words; *word; word++)
    {
      LmDomainNetwork *network = lm_domain_network_parse (*word, NULL);
      g_assert_nonnull (network);
      g_ptr_array_add (networks, network);
    }
  return networks;
}

LmDomainSpec *
test_spec_minimal (void)
{
  LmDomainSpec *spec = lm_domain_spec_new ();
  spec->name = g_strdup ("web1");
  spec->uuid = g_strdup ("11111111-2222-4333-8444-555555555555");
  spec->virt_type = g_strdup ("kvm");
  spec->arch = g_strdup ("x86_64");
  spec->memory = G_GUINT64_CONSTANT (512) << 20;
  spec->vcpus = 1;
  spec->overlay = g_strdup ("/var/lib/lamina/machines/web1/overlay.qcow2");
  spec->console_log = g_strdup ("/var/lib/lamina/machines/web1/console.log");
  spec->nvram = g_strdup ("/var/lib/lamina/machines/web1/nvram.fd");
  test_spec_add_layer (spec, "debian");
  return spec;
}

LmDomainSpec *
test_spec_full (void)
{
  LmDomainSpec *spec = test_spec_minimal ();
  LmDomainLayer *base = g_ptr_array_index (spec->layers, 0);
  base->group = g_strdup ("os");
  base->source = g_strdup ("lab");
  base->blob.size = 365887488;
  base->blob.urls = g_strsplit ("http://lab/debian.qcow2 https://mirror/debian.qcow2", " ", -1);
  LmDomainLayer *top = test_spec_add_layer (spec, "nginx");
  top->group = g_strdup ("web");
  top->blob.urls = g_strsplit ("http://user:secret@lab/nginx.qcow2?a=b", " ", -1);
  test_spec_add_layer (spec, "mariadb");
  g_free (spec->virt_type);
  spec->virt_type = g_strdup ("qemu");
  spec->vcpus = 4;
  spec->seed = g_strdup ("/var/lib/lamina/machines/web1/seed.img");
  spec->kernel = g_strdup ("/var/lib/lamina/blobs/kernel");
  spec->initrd = g_strdup ("/var/lib/lamina/blobs/initrd");
  spec->kernel_blob = g_new0 (LmBlob, 1);
  spec->initrd_blob = g_new0 (LmBlob, 1);
  spec->kernel_blob->digest = base->blob.digest;
  spec->initrd_blob->digest = top->blob.digest;
  spec->kernel_blob->size = 8000000;
  spec->initrd_blob->size = 9000000;
  spec->kernel_blob->urls = g_strsplit ("http://lab/vmlinuz", " ", -1);
  spec->cmdline = g_strdup ("root=/dev/vda rw console=ttyS0");
  spec->networks = test_spec_networks ("user,mac=52:54:00:00:00:01 network=lab,model=e1000e bridge=br0");
  g_ptr_array_add (spec->publish, lm_domain_publish_parse ("8080:80", NULL));
  g_ptr_array_add (spec->publish, lm_domain_publish_parse ("0.0.0.0:2222:22", NULL));
  spec->graphics = lm_domain_graphics_parse ("vnc,listen=127.0.0.1,port=5901", NULL);
  spec->osinfo = g_strdup ("http://debian.org/debian/12");
  spec->ready = g_strdup ("login:");
  spec->selections = g_strsplit ("os=debian@12.11 web=nginx@1.22.1", " ", -1);
  return spec;
}

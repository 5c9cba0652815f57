/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "tests/unit/lib/lab.h"
#include "base/error.h"

#include <gio/gio.h>
#include <string.h>

const char *const lab_catalog =
  "lamina-catalog: 1\n"
  "name: lab\n"
  "groups:\n"
  "  - {name: os, title: Operating system, required: true}\n"
  "  - {name: web, title: Web server}\n"
  "  - {name: db}\n"
  "  - {name: tools, multiple: true}\n"
  "layers:\n"
  "  - name: debian\n"
  "    version: \"12.11\"\n"
  "    group: os\n"
  "    summary: Debian 12, minimal\n"
  "    osinfo: debian12\n"
  "    arch: x86_64\n"
  "    ready: \"login:\"\n"
  "    origin: \"sha256:1 https://images.example/debian.qcow2\"\n"
  "    resources: {memory: 512MiB, disk: 4GiB}\n"
  "    boot:\n"
  "      kernel: {digest: $kernel, size: 8000, urls: [vmlinuz]}\n"
  "      initrd: {digest: $initrd, size: 9000, urls: [initrd.img]}\n"
  "      cmdline: root=/dev/vda rw console=ttyS0\n"
  "    builds:\n"
  "      - {digest: $debian12, size: 1000, urls: [debian-12.qcow2, \"https://mirror.example/debian-12.qcow2\"],\n"
  "         packages: [libc6=2.36-9+deb12u10, \"libc6:i386=2.36-9+deb12u10\", bash=5.2.15-2+b7, nano=7.2-1]}\n"
  "  - name: debian\n"
  "    version: \"11.9\"\n"
  "    group: os\n"
  "    builds: [{digest: $debian11, size: 900, urls: [debian-11.qcow2]}]\n"
  "  - name: alpine\n"
  "    version: \"3.19\"\n"
  "    group: os\n"
  "    builds: [{digest: $alpine, size: 100, urls: [alpine.qcow2]}]\n"
  "  - name: nginx\n"
  "    version: \"1.22.1\"\n"
  "    group: web\n"
  "    provides: [httpd]\n"
  "    requires: [\"debian >= 12\"]\n"
  "    ready: \"nginx up\"\n"
  "    resources: {memory: 256MiB}\n"
  "    builds: [{parent: $debian12, digest: $nginx, size: 200, urls: [nginx.qcow2], lock: $nginx-lock,\n"
  "              packages: [nginx=1.22.1-9, libc6=2.36-9+deb12u11], removed: [nano, \"libc6:i386\"]}]\n"
  "  - name: lighttpd\n"
  "    version: \"1.4.69\"\n"
  "    group: web\n"
  "    provides: [httpd]\n"
  "    requires: [debian]\n"
  "    builds:\n"
  "      - {parent: $debian12, digest: $lighttpd12, size: 150, urls: [lighttpd-12.qcow2], packages: []}\n"
  "      - {parent: $debian11, digest: $lighttpd11, size: 140, urls: [lighttpd-11.qcow2]}\n"
  "  - name: mariadb\n"
  "    version: \"10.11\"\n"
  "    group: db\n"
  "    requires: [\"debian >= 12\"]\n"
  "    builds: [{parent: $nginx, digest: $mariadb-nginx, size: 300, urls: [mariadb.qcow2]}]\n"
  "  - name: webapp\n"
  "    version: \"1\"\n"
  "    group: tools\n"
  "    requires: [httpd]\n"
  "    builds:\n"
  "      - {parent: $lighttpd12, digest: $webapp-l, size: 10, urls: [webapp-l.qcow2]}\n"
  "      - {parent: $nginx, digest: $webapp-n, size: 10, urls: [webapp-n.qcow2]}\n"
  "  - name: vim\n"
  "    version: \"9\"\n"
  "    group: tools\n"
  "    requires: [debian]\n"
  "    conflicts: [lighttpd]\n"
  "    builds:\n"
  "      - {parent: $nginx, digest: $vim-nginx, size: 20, urls: [vim-nginx.qcow2]}\n"
  "      - {parent: $debian12, digest: $vim, size: 20, urls: [vim.qcow2]}\n"
  "  - name: mail\n"
  "    version: \"1\"\n"
  "    group: tools\n"
  "    arch: riscv64\n"
  "    builds: [{digest: $mail, size: 20, urls: [mail.qcow2]}]\n";

char *
lab_expand (const char *text)
{
  GString *out = g_string_new (NULL);
  while (*text)
    {
      gsize plain = strcspn (text, "$");
      g_string_append_len (out, text, (gssize) plain);
      text += plain;
      if (*text == '\0')
        break;
      gsize length = strspn (++text, "abcdefghijklmnopqrstuvwxyz0123456789-");
      g_autofree char *name = g_strndup (text, length);
      LmDigest digest = lm_digest_of_text (name);
      g_string_append_printf (out, "\"%s\"", lm_digest_format (&digest, (char[LM_DIGEST_STRING_SIZE]){ 0 }));
      text += length;
    }
  return g_string_free (out, FALSE);
}

LmCatalog *
lab_parse (const char *text, GPtrArray *warnings, GError **error)
{
  g_autofree char *expanded = lab_expand (text);
  return lm_catalog_parse ("lab", NULL, LAB_URL, expanded, strlen (expanded), warnings, error);
}

LmCatalogSet *
lab_set (const char *text)
{
  g_autoptr (GError) error = NULL;
  LmCatalogSet *set = lm_catalog_set_new ();
  LmCatalog *catalog = lab_parse (text, NULL, &error);
  g_assert_no_error (error);
  lm_catalog_set_add (set, catalog, 0);
  return set;
}

static gboolean
lookup (gpointer user_data, LmBlob *blob, gboolean *out_cached, char **out_path, GError **error)
{
  g_autofree char *file = lm_digest_file_name (&blob->digest, blob->kind == LM_BLOB_LAYER ? ".qcow2" : NULL);
  *out_path = g_build_filename ("/cache", blob->kind == LM_BLOB_LAYER ? "layers" : "blobs", file, NULL);
  *out_cached = FALSE;
  for (const char *const *name = user_data; *name; name++)
    {
      gboolean fails = **name == '!';
      LmDigest had = lm_digest_of_text (*name + fails);
      if (!lm_digest_equal (&had, &blob->digest))
        continue;
      *out_cached = !fails;
      if (fails)
        {
          g_clear_pointer (out_path, g_free);
          return lm_throw (error, G_IO_ERROR, G_IO_ERROR_FAILED, "cannot read %s", *name + 1);
        }
    }
  return TRUE;
}

LmPlanView
lab_view (const char *const *names)
{
  return (LmPlanView){ lookup, (gpointer) names };
}

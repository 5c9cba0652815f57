/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "domain/xml.h"
#include "base/error.h"
#include "base/hasher.h"
#include "domain/metadata.h"
#include "domain/template.h"

#include <string.h>

#define QEMU_URI "http://libvirt.org/schemas/domain/qemu/1.0"
#define LIBOSINFO_URI "http://libosinfo.org/xmlns/libvirt/domain/1.0"

/* x86-64-v2, which some distributions require. Unlike "max", it is the same CPU
 * with every version of QEMU. */
#define TCG_CPU_X86 "Nehalem"
/* The last slot before the chipset's own devices, far from those that libvirt
 * assigns from the lowest upwards. */
#define PUBLISHED_SLOT "0x18"

typedef struct
{
  const LmDomainSpec *spec;
  GPtrArray *networks;        /* LmDomainNetwork: those of the spec, or fallback; none of them is NONE */
  LmDomainNetwork fallback;   /* user mode, used if the spec has no networks */
  const LmDomainGraphics *graphics; /* NULL if none */
  gboolean known_cpu;         /* lamina chose TCG_CPU_X86 as the CPU */
} XmlContext;

static void
xml_context_clear (XmlContext *context)
{
  g_clear_pointer (&context->networks, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (XmlContext, xml_context_clear)

static void
add_backing_store (LmXml *xml, LmXmlNode *parent, const LmDomainSpec *spec, guint count)
{
  LmXmlNode *store = lm_xml_add (xml, parent, "backingStore", NULL);
  if (count == 0)
    return;
  const LmDomainLayer *layer = g_ptr_array_index (spec->layers, count - 1);
  lm_xml_set (xml, store, "type", "file");
  lm_xml_set (xml, lm_xml_add (xml, store, "format", NULL), "type", "qcow2");
  LmXmlNode *source = lm_xml_add (xml, store, "source", NULL);
  lm_xml_set (xml, source, "file", layer->path);
  LmXmlNode *label = lm_xml_add (xml, source, "seclabel", NULL);
  lm_xml_set (xml, label, "model", "dac");
  lm_xml_set (xml, label, "relabel", "no");
  add_backing_store (xml, store, spec, count - 1);
}

static LmXmlNode *
add_disk (LmXml *xml, LmXmlNode *into, const char *format, const char *path)
{
  LmXmlNode *disk = lm_xml_add (xml, into, "disk", NULL);
  lm_xml_set (xml, disk, "type", "file");
  lm_xml_set (xml, disk, "device", "disk");
  LmXmlNode *driver = lm_xml_add (xml, disk, "driver", NULL);
  lm_xml_set (xml, driver, "name", "qemu");
  lm_xml_set (xml, driver, "type", format);
  if (strcmp (format, "qcow2") == 0)
    lm_xml_set (xml, driver, "discard", "unmap");
  lm_xml_set (xml, lm_xml_add (xml, disk, "source", NULL), "file", path);
  return disk;
}

static void
add_target (LmXml *xml, LmXmlNode *disk, const char *device)
{
  LmXmlNode *target = lm_xml_add (xml, disk, "target", NULL);
  lm_xml_set (xml, target, "dev", device);
  lm_xml_set (xml, target, "bus", "virtio");
}

static void
add_disks (LmXml *xml, LmXmlNode *into, const LmDomainSpec *spec)
{
  LmXmlNode *disk = add_disk (xml, into, "qcow2", spec->overlay);
  add_backing_store (xml, disk, spec, spec->layers->len);
  add_target (xml, disk, "vda");
  if (spec->seed == NULL)
    return;
  LmXmlNode *seed = add_disk (xml, into, "raw", spec->seed);
  lm_xml_add (xml, seed, "backingStore", NULL);
  add_target (xml, seed, "vdb");
  lm_xml_add (xml, seed, "readonly", NULL);
}

/* Returns the MAC address of a card for which the user gave none. It is always the
 * same for a given domain and card, so that redefining the domain does not rename
 * the guest's interface. */
static char *
make_mac (const LmDomainSpec *spec, guint index)
{
  g_autoptr (LmHasher) hasher = lm_hasher_new ();
  g_autofree char *text = g_strdup_printf ("%s/%u", spec->uuid, index);
  LmDigest digest;
  lm_hasher_update (hasher, text, strlen (text));
  lm_hasher_peek (hasher, &digest);
  return g_strdup_printf ("52:54:00:%02x:%02x:%02x", digest.bytes[0], digest.bytes[1], digest.bytes[2]);
}

/* Whether ports are published through this network card: the first one in user mode. */
static gboolean
is_published (const XmlContext *context, guint index)
{
  for (guint i = 0; i < index; i++)
    if (((LmDomainNetwork *) g_ptr_array_index (context->networks, i))->kind == LM_DOMAIN_NETWORK_USER)
      return FALSE;
  const LmDomainNetwork *network = g_ptr_array_index (context->networks, index);
  return context->spec->publish->len > 0 && network->kind == LM_DOMAIN_NETWORK_USER;
}

static void
add_interface (LmXml *xml, LmXmlNode *into, const LmDomainSpec *spec, const LmDomainNetwork *network, guint index)
{
  static const char *const types[] = { "user", "network", "bridge" };
  g_autofree char *mac = network->mac != NULL ? g_strdup (network->mac) : make_mac (spec, index);
  LmXmlNode *interface = lm_xml_add (xml, into, "interface", NULL);
  lm_xml_set (xml, interface, "type", types[network->kind]);
  lm_xml_set (xml, lm_xml_add (xml, interface, "mac", NULL), "address", mac);
  if (network->source != NULL)
    lm_xml_set (xml, lm_xml_add (xml, interface, "source", NULL), types[network->kind], network->source);
  lm_xml_set (xml, lm_xml_add (xml, interface, "model", NULL), "type", lm_domain_network_model (network));
  /* The guest boots from its disk; the network boot ROM would only cost time. */
  lm_xml_set (xml, lm_xml_add (xml, interface, "rom", NULL), "enabled", "no");
}

static void
add_interfaces (LmXml *xml, LmXmlNode *into, const XmlContext *context)
{
  for (guint i = 0; i < context->networks->len; i++)
    if (!is_published (context, i))
      add_interface (xml, into, context->spec, g_ptr_array_index (context->networks, i), i);
}

static void
add_graphics (LmXml *xml, LmXmlNode *into, const LmDomainGraphics *graphics)
{
  if (graphics == NULL)
    return;
  LmXmlNode *node = lm_xml_add (xml, into, "graphics", NULL);
  lm_xml_set (xml, node, "type", graphics->kind == LM_DOMAIN_GRAPHICS_VNC ? "vnc" : "spice");
  g_autofree char *port = graphics->port > 0 ? g_strdup_printf ("%u", graphics->port) : NULL;
  lm_xml_set (xml, node, "port", port);
  lm_xml_set (xml, node, "autoport", port != NULL ? "no" : "yes");
  if (graphics->listen != NULL)
    {
      LmXmlNode *listen = lm_xml_add (xml, node, "listen", NULL);
      lm_xml_set (xml, listen, "type", "address");
      lm_xml_set (xml, listen, "address", graphics->listen);
    }
  LmXmlNode *video = lm_xml_add (xml, into, "video", NULL);
  lm_xml_set (xml, lm_xml_add (xml, video, "model", NULL), "type", "virtio");
  LmXmlNode *tablet = lm_xml_add (xml, into, "input", NULL);
  lm_xml_set (xml, tablet, "type", "tablet");
  lm_xml_set (xml, tablet, "bus", "virtio");
}

static void
add_cpu (LmXml *xml, LmXmlNode *into, XmlContext *context)
{
  const LmDomainSpec *spec = context->spec;
  const char *cpu = spec->cpu;
  context->known_cpu = cpu == NULL && strcmp (spec->virt_type, "qemu") == 0 && strcmp (spec->arch, "x86_64") == 0;
  if (context->known_cpu)
    cpu = TCG_CPU_X86;
  if (cpu == NULL)
    cpu = strcmp (spec->virt_type, "kvm") == 0 ? "host-passthrough" : "max";
  LmXmlNode *node = lm_xml_add (xml, into, "cpu", NULL);
  if (lm_domain_cpu_mode (cpu) != NULL)
    lm_xml_set (xml, node, "mode", lm_domain_cpu_mode (cpu));
  else
    {
      lm_xml_set (xml, node, "mode", "custom");
      lm_xml_set (xml, node, "match", "exact");
      lm_xml_set (xml, lm_xml_add (xml, node, "model", cpu), "fallback", "forbid");
    }
}

static void
add_kernel (LmXml *xml, LmXmlNode *into, const LmDomainSpec *spec)
{
  lm_xml_add (xml, into, "kernel", spec->kernel);
  if (spec->initrd != NULL)
    lm_xml_add (xml, into, "initrd", spec->initrd);
  if (spec->cmdline != NULL)
    lm_xml_add (xml, into, "cmdline", spec->cmdline);
}

static gboolean
build_marker (LmXml *xml, LmXmlNode *into, const char *name, gpointer user_data, GError **error)
{
  XmlContext *context = user_data;
  if (strcmp (name, "disks") == 0)
    add_disks (xml, into, context->spec);
  else if (strcmp (name, "interfaces") == 0)
    add_interfaces (xml, into, context);
  else if (strcmp (name, "graphics") == 0)
    add_graphics (xml, into, context->graphics);
  else if (strcmp (name, "cpu") == 0)
    add_cpu (xml, into, context);
  else if (strcmp (name, "kernel") == 0 && context->spec->kernel != NULL)
    add_kernel (xml, into, context->spec);
  else if (strcmp (name, "kernel") == 0)
    return lm_throw (error, LM_XML_ERROR, LM_XML_ERROR_TEMPLATE,
                     "%s: the marker <?lamina kernel?> requires a kernel, but no layer has one; use another template",
                     lm_xml_name (xml));
  else
    return FALSE;
  return TRUE;
}

/* Checks that nothing the user asked for is silently missing from the machine. */
static gboolean
check_required_markers (const LmXml *xml, const XmlContext *context, GHashTable *used, GError **error)
{
  const LmDomainSpec *spec = context->spec;
  gboolean networks = spec->networks != NULL && context->networks->len > 0;
  const struct
  {
    const char *marker;
    gboolean needed;
  } markers[] = {
    { "interfaces", networks || spec->publish->len > 0 },
    { "graphics", context->graphics != NULL },
    { "cpu", spec->cpu != NULL },
    { "kernel", spec->kernel != NULL },
  };
  for (guint i = 0; i < G_N_ELEMENTS (markers); i++)
    if (markers[i].needed && !g_hash_table_contains (used, markers[i].marker))
      return lm_throw (error, LM_XML_ERROR, LM_XML_ERROR_TEMPLATE,
                       "%s: the template has no <?lamina %s?>, which this domain requires; use another template",
                       lm_xml_name (xml), markers[i].marker);
  return TRUE;
}

static gboolean
fill_template (LmXml *xml, XmlContext *context, GError **error)
{
  static const char *const required[] = { "NAME", "UUID", "MEMORY", "disks", NULL };
  const LmDomainSpec *spec = context->spec;
  g_autofree char *memory = g_strdup_printf ("%" G_GUINT64_FORMAT, spec->memory);
  g_autofree char *vcpus = g_strdup_printf ("%u", spec->vcpus);
  g_autoptr (GHashTable) values = g_hash_table_new (g_str_hash, g_str_equal);
  g_autoptr (GHashTable) used = NULL;
  g_hash_table_insert (values, (gpointer) "NAME", spec->name);
  g_hash_table_insert (values, (gpointer) "UUID", spec->uuid);
  g_hash_table_insert (values, (gpointer) "MEMORY", memory);
  g_hash_table_insert (values, (gpointer) "VIRT_TYPE", spec->virt_type);
  g_hash_table_insert (values, (gpointer) "ARCH", spec->arch);
  g_hash_table_insert (values, (gpointer) "VCPUS", vcpus);
  g_hash_table_insert (values, (gpointer) "CONSOLE_LOG", spec->console_log);
  g_hash_table_insert (values, (gpointer) "NVRAM", spec->nvram);
  const LmXmlFill filling = { values, required, build_marker, context };
  return lm_xml_fill (xml, &filling, &used, error) && check_required_markers (xml, context, used, error);
}

static LmXmlNode *
get_or_add_child (LmXml *xml, const char *name)
{
  LmXmlNode *node = lm_xml_child (lm_xml_root (xml), NULL, name);
  return node != NULL ? node : lm_xml_add (xml, lm_xml_root (xml), name, NULL);
}

static void
add_metadata (LmXml *xml, const LmDomainSpec *spec)
{
  LmXmlNode *metadata = get_or_add_child (xml, "metadata");
  if (spec->osinfo != NULL)
    {
      LmXmlNode *libosinfo = lm_xml_add_ns (xml, metadata, "libosinfo", LIBOSINFO_URI, "libosinfo");
      lm_xml_set (xml, lm_xml_add (xml, libosinfo, "os", NULL), "id", spec->osinfo);
    }
  lm_metadata_add (xml, metadata, spec);
}

static void
add_argument (LmXml *xml, LmXmlNode *commandline, const char *value)
{
  lm_xml_set (xml, lm_xml_add (xml, commandline, "arg", NULL), "value", value);
}

/* libvirt forwards ports only with passt as the back end, and libvirt 9.0, which is
 * in Debian 12, does not support <backend type='passt'/>. Therefore the card for
 * published ports is passed to QEMU directly, which works in qemu:///system and in
 * qemu:///session. All parts of the arguments have been checked and cannot contain
 * a comma. */
static void
add_published_network (LmXml *xml, const XmlContext *context, const LmDomainNetwork *network, guint index)
{
  g_autofree char *mac = network->mac != NULL ? g_strdup (network->mac) : make_mac (context->spec, index);
  g_autoptr (GString) netdev = g_string_new ("user,id=lamina");
  for (guint i = 0; i < context->spec->publish->len; i++)
    {
      const LmDomainPublish *publish = g_ptr_array_index (context->spec->publish, i);
      g_string_append_printf (netdev, ",hostfwd=tcp:%s:%u-:%u", lm_domain_publish_address (publish),
                              publish->port, publish->guest_port);
    }
  const char *model = lm_domain_network_model (network);
  g_autofree char *device = g_strdup_printf ("%s%s,netdev=lamina,mac=%s,addr=" PUBLISHED_SLOT ",romfile=", model,
                                             strcmp (model, "virtio") == 0 ? "-net-pci" : "", mac);
  lm_xml_declare (xml, "qemu", QEMU_URI);
  LmXmlNode *commandline = lm_xml_child (lm_xml_root (xml), QEMU_URI, "commandline");
  if (commandline == NULL)
    commandline = lm_xml_add_ns (xml, lm_xml_root (xml), "qemu", QEMU_URI, "commandline");
  add_argument (xml, commandline, "-netdev");
  add_argument (xml, commandline, netdev->str);
  add_argument (xml, commandline, "-device");
  add_argument (xml, commandline, device);
}

/* At each start of an x86 guest libvirt queries every property of its CPU from
 * QEMU: some 400 round trips, four fifths of the start of an emulated machine. With
 * the capability "cpu-unavailable-features" deleted it reads the CPUID words
 * instead, in three. The result is the same for an emulated model that QEMU
 * implements completely. In other cases the capability is kept, because the words
 * do not contain what KVM reports in MSRs. The type and the <qemu:capabilities> of
 * a template take precedence. */
static void
skip_cpu_property_queries (LmXml *xml)
{
  g_autofree char *type = lm_xml_attribute (lm_xml_root (xml), "type");
  if (g_strcmp0 (type, "qemu") != 0 || lm_xml_child (lm_xml_root (xml), QEMU_URI, "capabilities") != NULL)
    return;
  lm_xml_declare (xml, "qemu", QEMU_URI);
  LmXmlNode *capabilities = lm_xml_add_ns (xml, lm_xml_root (xml), "qemu", QEMU_URI, "capabilities");
  lm_xml_set (xml, lm_xml_add (xml, capabilities, "del", NULL), "capability", "cpu-unavailable-features");
}

static void
choose_devices (XmlContext *context)
{
  const LmDomainSpec *spec = context->spec;
  context->networks = g_ptr_array_new ();
  if (spec->networks == NULL)
    g_ptr_array_add (context->networks, &context->fallback);
  for (guint i = 0; spec->networks != NULL && i < spec->networks->len; i++)
    {
      LmDomainNetwork *network = g_ptr_array_index (spec->networks, i);
      if (network->kind != LM_DOMAIN_NETWORK_NONE)
        g_ptr_array_add (context->networks, network);
    }
  if (spec->graphics != NULL && spec->graphics->kind != LM_DOMAIN_GRAPHICS_NONE)
    context->graphics = spec->graphics;
}

char *
lm_domain_xml (const LmDomainSpec *spec, const char *const *template_dirs, const char *template_name, GCancellable *cancellable,
               GError **error)
{
  g_auto (XmlContext) context = { .spec = spec };
  if (!lm_domain_spec_check (spec, error))
    return NULL;
  choose_devices (&context);
  if (template_name == NULL)
    template_name = spec->kernel != NULL ? "direct-kernel" : "q35-bios";
  g_autoptr (LmXml) xml = lm_template_load (template_dirs, template_name, cancellable, error);
  if (xml == NULL)
    return NULL;
  if (!lm_xml_is (lm_xml_root (xml), NULL, "domain"))
    return lm_throw_null (error, LM_XML_ERROR, LM_XML_ERROR_TEMPLATE, "%s: the root element is not <domain>",
                          lm_xml_name (xml));
  if (!fill_template (xml, &context, error))
    return NULL;
  add_metadata (xml, spec);
  for (guint i = 0; i < context.networks->len; i++)
    if (is_published (&context, i))
      add_published_network (xml, &context, g_ptr_array_index (context.networks, i), i);
  if (context.known_cpu)
    skip_cpu_property_queries (xml);
  return lm_xml_to_string (xml, error);
}

gboolean
lm_domain_xml_on_network (const char *xml)
{
  g_autoptr (LmXml) parsed = lm_xml_parse (xml, strlen (xml), "domain", NULL);
  const LmXmlNode *devices = parsed != NULL ? lm_xml_child (lm_xml_root (parsed), NULL, "devices") : NULL;
  const LmXmlNode *card = devices != NULL ? lm_xml_child (devices, NULL, "interface") : NULL;
  for (; card != NULL; card = lm_xml_next (card, NULL, "interface"))
    {
      g_autofree char *type = lm_xml_attribute (card, "type");
      if (g_strcmp0 (type, "network") == 0)
        return TRUE;
    }
  return FALSE;
}

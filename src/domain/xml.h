/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Generates libvirt's domain XML from an LmDomainSpec and a template. Pure except
 * for reading the template. Templates (syntax: io/xml.h) can contain
 *
 *   @NAME@ @UUID@ @MEMORY@ (all three required; memory in bytes) @VIRT_TYPE@
 *   @ARCH@ @VCPUS@ @CONSOLE_LOG@
 *   @NVRAM@                file for the UEFI variables, which libvirt creates
 *   <?lamina disks?>       required: the disk with its whole chain; the seed
 *   <?lamina interfaces?>  network cards
 *   <?lamina graphics?>    display, video card, tablet
 *   <?lamina cpu?>         the CPU model
 *   <?lamina kernel?>      kernel, initrd, command line; only with a kernel
 *
 * It is an error if the spec has something for which the template has no marker.
 * The metadata (domain/metadata.h) needs no marker.
 *
 * Disks: they have type='file', and the chain is written out down to an empty
 * <backingStore>, so that libvirt probes nothing and AppArmor's helper sees every
 * file. Each layer has relabel='no' for the DAC driver, which would otherwise give
 * the file to the user of QEMU permanently. The SELinux driver is not restricted:
 * it labels backing files virt_content_t, shared and read-only, as is right for a
 * layer, and a seclabel for a driver that the host does not have would prevent the
 * start. The cache mode is left to QEMU (write-back, honouring flushes): guests
 * then share one copy of their common layers in the host's page cache, which
 * cache='none' would lose. discard='unmap' returns what the guest trims.
 *
 * add_published_network() explains why published ports do not use passt, and
 * skip_cpu_property_queries() what makes the start of an emulated machine faster. */
#include "domain/spec.h"
#include <gio/gio.h>

/** lm_domain_xml: returns the domain XML of @spec, newly allocated. @template_name
 * is a name, which is searched in @template_dirs (NULL-terminated), or a path; if
 * NULL, "direct-kernel" if the spec has a kernel, otherwise "q35-bios".
 * @cancellable as for lm_template_load(). Errors: LM_DOMAIN_ERROR_INVALID (a
 * value), LM_TEMPLATE_ERROR and LM_XML_ERROR (the template), G_IO_ERROR (reading
 * it). */
char *lm_domain_xml (const LmDomainSpec *spec, const char *const *template_dirs, const char *template_name,
                     GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_domain_xml_on_network: whether a network card in @xml, a domain's XML from
 * libvirt, is connected to one of libvirt's networks (type='network'). FALSE if
 * @xml cannot be parsed. */
gboolean lm_domain_xml_on_network (const char *xml);

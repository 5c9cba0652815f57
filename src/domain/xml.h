/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* From an LmDomainSpec and a template to libvirt's domain XML. Pure but for
 * reading the template. Templates (form: io/xml.h) may use
 *
 *   @NAME@ @UUID@ @MEMORY@ (all three required; memory in bytes) @VIRT_TYPE@
 *   @ARCH@ @VCPUS@ @CONSOLE_LOG@
 *   @NVRAM@                file for the variables of UEFI; libvirt makes it
 *   <?lamina disks?>       required: the disk with its whole chain; the seed
 *   <?lamina interfaces?>  network cards
 *   <?lamina graphics?>    display, video card, tablet
 *   <?lamina cpu?>         the CPU model
 *   <?lamina kernel?>      kernel, initrd, command line; needs a kernel
 *
 * A spec that has what the template has no gap for is an error. The metadata
 * (domain/metadata.h) need no gap.
 *
 * Disks: type='file' and the chain spelled out down to an empty <backingStore>,
 * so that libvirt probes nothing and AppArmor's helper sees every file. Each
 * layer says relabel='no' for the DAC driver, which else gives the file to the
 * QEMU user for good. The SELinux driver is left alone: it labels backing files
 * virt_content_t, shared and read-only, which is what a layer is (and a
 * seclabel for a driver that a host lacks stops the start). Cache mode is
 * left to QEMU (write-back, flushes honoured): guests then share one copy of
 * their common layers in the host's page cache, which cache='none' would lose.
 * discard='unmap' gives back what the guest trims.
 *
 * Published ports: see add_published_network() for why not passt. What an
 * emulated machine does without for a faster start, and which do not:
 * ask_for_no_cpu_properties(). */
#include "domain/spec.h"
#include <gio/gio.h>

/** lm_domain_xml: the domain XML of @spec, newly allocated. @template_dirs
 * (NULL-terminated) are searched for @template_name, a name or a path; NULL:
 * "direct-kernel" if the spec has a kernel, else "q35-bios". @cancellable: as
 * lm_template_load() has it. Errors:
 * LM_DOMAIN_ERROR_INVALID (a value), LM_TEMPLATE_ERROR and LM_XML_ERROR
 * (template), G_IO_ERROR (reading it). */
char *lm_domain_xml (const LmDomainSpec *spec, const char *const *template_dirs, const char *template_name,
                     GCancellable *cancellable, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The specification of a domain: plain data, with all paths absolute and all
 * defaults chosen; and the checks of the values that a user gives for it.
 * domain/xml.h converts it to libvirt's XML; domain/device.h has its devices. */
#include "base/blob.h"
#include "domain/device.h"

#define LM_DOMAIN_NAME_MAX 64

/* A layer of the disk's backing chain, as recorded in the domain's metadata. */
/* The largest disk that QEMU and lamina make. */
#define LM_DOMAIN_DISK_MAX (G_GUINT64_CONSTANT (64) << 40)

typedef struct
{
  LmBlob blob;
  char *version;
  char *group;  /* may be NULL */
  char *source; /* name of the catalog, may be NULL */
  char *path;
} LmDomainLayer;

typedef struct
{
  char *name;
  char *uuid;      /* as lower-case text */
  char *virt_type; /* "kvm" or "qemu" */
  char *arch;      /* "x86_64" */
  char *cpu;       /* "host-passthrough", "host-model", "max" or a model; NULL to choose by virt_type */
  guint64 memory;  /* in bytes */
  guint vcpus;
  char *overlay;      /* the writable disk */
  GPtrArray *layers;  /* LmDomainLayer, base first */
  char *seed;         /* cloud-init seed image; NULL if none */
  char *kernel;       /* the domain's own copy, see machine/boot.h; NULL if the disk boots by itself */
  char *initrd;
  LmBlob *kernel_blob; /* the blob that kernel is a copy of; NULL without kernel; likewise initrd_blob */
  LmBlob *initrd_blob;
  char *cmdline;
  GPtrArray *networks; /* LmDomainNetwork; NULL for one user-mode network */
  GPtrArray *publish;  /* LmDomainPublish */
  LmDomainGraphics *graphics; /* NULL if none */
  char *osinfo;       /* libosinfo's URL of the operating system, see domain/osinfo.h; NULL if unknown */
  char *console_log;  /* file to which libvirt logs the console */
  char *nvram;        /* file in which libvirt keeps the UEFI variables */
  char *ready;        /* console text that shows that the guest is up; NULL if unknown */
  char **selections;  /* "group=name@version" */
  char **requested;   /* selections as the user wrote them; NULL if not recorded */
  guint64 disk;       /* virtual size that the overlay shall have, in bytes; 0 for that of the layers */
  gboolean ephemeral; /* the overlay is thrown away when the guest stops */
} LmDomainSpec;

/* The _new functions return a value whose members are all 0 or NULL. The _free
 * functions free it and everything it owns; NULL is ignored. */
LmDomainLayer *lm_domain_layer_new (void);
void lm_domain_layer_free (LmDomainLayer *layer);
/* Here layers and publish are empty arrays that own their elements. */
LmDomainSpec *lm_domain_spec_new (void);
void lm_domain_spec_free (LmDomainSpec *spec);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmDomainLayer, lm_domain_layer_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmDomainSpec, lm_domain_spec_free)

/** lm_domain_name_check: whether @name is a valid name of a domain: 1 to 64 ASCII
 * letters, digits, ".", "_", "+" and "-", beginning with a letter or digit.
 * Stricter than libvirt, so that a name is safe as a word in a shell, in a path and
 * as the value of an option. Error: LM_DOMAIN_ERROR_INVALID. */
gboolean lm_domain_name_check (const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_domain_virt_type_check: whether @virt_type is "kvm" or "qemu". Error: LM_DOMAIN_ERROR_INVALID. */
gboolean lm_domain_virt_type_check (const char *virt_type, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_domain_cpu_check: whether @cpu is a word of at most 64 letters, digits, ".",
 * "_" and "-"; only libvirt knows whether such a model exists. Error:
 * LM_DOMAIN_ERROR_INVALID. */
gboolean lm_domain_cpu_check (const char *cpu, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_domain_cpu_mode: returns libvirt's name of the mode that @cpu stands for
 * ("host-model", "max"); NULL if @cpu is the name of a model. Static. */
const char *lm_domain_cpu_mode (const char *cpu);

/** lm_domain_spec_check: does all checks of a whole @spec that need no other
 * information; the message names the member. Error: LM_DOMAIN_ERROR_INVALID. */
gboolean lm_domain_spec_check (const LmDomainSpec *spec, GError **error) G_GNUC_WARN_UNUSED_RESULT;

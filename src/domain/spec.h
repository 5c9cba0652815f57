/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What a domain shall be: pure data, all paths absolute, all defaults decided;
 * and the checks of the values that a user gives for it. How they are said in
 * libvirt's XML is domain/xml.h's business; its devices are domain/device.h's. */
#include "base/blob.h"
#include "domain/device.h"

#define LM_DOMAIN_NAME_MAX 64

/* One layer of the disk's backing chain, as the domain's metadata records it. */
typedef struct
{
  LmBlob blob;
  char *version;
  char *group;  /* may be NULL */
  char *source; /* catalog name, may be NULL */
  char *path;
} LmDomainLayer;

typedef struct
{
  char *name;
  char *uuid;      /* lower-case text form */
  char *virt_type; /* "kvm" or "qemu" */
  char *arch;      /* "x86_64" */
  char *cpu;       /* NULL: by virt type; "host-passthrough", "host-model", "max", a model name */
  guint64 memory;  /* bytes */
  guint vcpus;
  char *overlay;      /* the writable disk */
  GPtrArray *layers;  /* LmDomainLayer, base first */
  char *seed;         /* cloud-init seed disk; NULL: none */
  char *kernel;       /* NULL: the disk boots by itself; the domain's own copy, see machine/boot.h */
  char *initrd;
  LmBlob *kernel_blob; /* what kernel is a copy of; NULL without kernel; likewise initrd_blob */
  LmBlob *initrd_blob;
  char *cmdline;
  GPtrArray *networks; /* LmDomainNetwork; NULL: one of user mode */
  GPtrArray *publish;  /* LmDomainPublish */
  LmDomainGraphics *graphics; /* NULL: none */
  char *osinfo;       /* libosinfo's URL of the system (domain/osinfo.h finds it by short id); NULL: unknown */
  char *console_log;  /* where libvirt logs the console */
  char *nvram;        /* where libvirt keeps the variables of a UEFI firmware */
  char *ready;        /* console text that means "up"; NULL: unknown */
  char **selections;  /* "group=name@version" */
} LmDomainSpec;

/* Each new: all zero or NULL; each free: with all it owns, NULL is ignored. */
LmDomainLayer *lm_domain_layer_new (void);
void lm_domain_layer_free (LmDomainLayer *layer);
/* layers and publish are empty arrays that own what is added. */
LmDomainSpec *lm_domain_spec_new (void);
void lm_domain_spec_free (LmDomainSpec *spec);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmDomainLayer, lm_domain_layer_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmDomainSpec, lm_domain_spec_free)

/** lm_domain_name_check: whether @name can name a domain: 1 to 64 of ASCII
 * letters, digits, ".", "_", "+", "-", first a letter or digit. Narrower than
 * libvirt, so that a name is safe as a word of a shell, in a path and as an
 * option's value. Error: LM_DOMAIN_ERROR_INVALID. */
gboolean lm_domain_name_check (const char *name, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_domain_virt_type_check: "kvm" or "qemu". Error: as above. */
gboolean lm_domain_virt_type_check (const char *virt_type, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_domain_cpu_check: a word of letters, digits, ".", "_", "-", at most 64
 * long; whether there is such a model only libvirt knows. Error: as above. */
gboolean lm_domain_cpu_check (const char *cpu, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_domain_spec_check: all checks of a whole @spec that need nothing but the
 * spec; the message names the field. Error: LM_DOMAIN_ERROR_INVALID. */
gboolean lm_domain_spec_check (const LmDomainSpec *spec, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* What a domain shall be: pure data, all paths absolute, all defaults decided. */
#include "base/digest.h"

/* One layer of the disk's backing chain, as the domain's metadata records it. */
typedef struct
{
  char *name;
  char *version;
  char *group;  /* may be NULL */
  char *source; /* catalog name, may be NULL */
  char **urls;  /* may be NULL: where it was, or would be, pulled from */
  LmDigest digest;
  guint64 size; /* bytes */
  char *path;
} LmDomainLayer;

/* --publish [ADDR:]PORT:GUESTPORT, TCP */
typedef struct
{
  char *address; /* numeric; NULL: 127.0.0.1 */
  guint16 port;
  guint16 guest_port;
} LmDomainPublish;

typedef struct
{
  char *name;
  char *uuid;      /* lower-case text form */
  char *virt_type; /* "kvm" or "qemu" */
  char *arch;      /* "x86_64" */
  char *cpu;       /* NULL: by virt type; "host-passthrough", "host-model", a model name */
  guint64 memory;  /* bytes */
  guint vcpus;
  char *overlay;      /* the writable disk */
  GPtrArray *layers;  /* LmDomainLayer, base first */
  char *seed;         /* cloud-init seed disk; NULL: none */
  char *kernel;       /* NULL: the disk boots by itself */
  char *initrd;
  LmDigest kernel_digest; /* valid if kernel; likewise initrd */
  LmDigest initrd_digest;
  char *cmdline;
  char **networks;    /* virt-install style: "user", "network=NAME[,model=M][,mac=A]", "bridge=NAME[,...]", "none"; NULL: "user" */
  GPtrArray *publish; /* LmDomainPublish */
  char *graphics;     /* "none", "vnc[,listen=ADDR][,port=N]", "spice[,...]"; NULL: none */
  char *osinfo;       /* short id or URL; NULL: unknown */
  char *console_log;  /* where libvirt logs the console */
  char *ready;        /* console text that means "up"; NULL: unknown */
  char **selections;  /* "group=name@version" */
} LmDomainSpec;

void lm_domain_layer_free (LmDomainLayer *layer);
void lm_domain_publish_free (LmDomainPublish *publish);
LmDomainSpec *lm_domain_spec_new (void);
void lm_domain_spec_free (LmDomainSpec *spec);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmDomainLayer, lm_domain_layer_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmDomainPublish, lm_domain_publish_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmDomainSpec, lm_domain_spec_free)

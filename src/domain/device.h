/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The options that stand for a device of a domain, written as virt-install
 * writes them, read into values. Pure; what host or libvirt makes of them it
 * does not know. All errors: LM_DOMAIN_ERROR_INVALID. */
#include "domain/spec.h"

typedef enum
{
  LM_DOMAIN_NETWORK_NONE,
  LM_DOMAIN_NETWORK_USER,    /* QEMU's own user-mode network */
  LM_DOMAIN_NETWORK_NETWORK, /* a network of libvirt */
  LM_DOMAIN_NETWORK_BRIDGE,  /* a bridge of the host */
} LmDomainNetworkKind;

typedef struct
{
  LmDomainNetworkKind kind;
  char *source; /* network or bridge name; else NULL */
  char *model;  /* "virtio" when not said */
  char *mac;    /* lower case; NULL: not said */
} LmDomainNetwork;

typedef enum
{
  LM_DOMAIN_GRAPHICS_NONE,
  LM_DOMAIN_GRAPHICS_VNC,
  LM_DOMAIN_GRAPHICS_SPICE,
} LmDomainGraphicsKind;

typedef struct
{
  LmDomainGraphicsKind kind;
  char *listen; /* numeric address; NULL: not said */
  guint16 port; /* 0: libvirt picks one */
} LmDomainGraphics;

void lm_domain_network_free (LmDomainNetwork *network);
void lm_domain_graphics_free (LmDomainGraphics *graphics);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmDomainNetwork, lm_domain_network_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmDomainGraphics, lm_domain_graphics_free)

/** lm_domain_network_parse: reads "none", "user", "default" (libvirt's network
 * of that name), "network=NAME" or "bridge=NAME", the last four followed by
 * any of ",model=MODEL" and ",mac=ADDRESS". */
LmDomainNetwork *lm_domain_network_parse (const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_domain_graphics_parse: reads "none", "vnc" or "spice", the last two
 * followed by any of ",listen=ADDRESS" and ",port=N" (N from 5900, or -1 for
 * libvirt's choice, the default). */
LmDomainGraphics *lm_domain_graphics_parse (const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_domain_publish_parse: reads "[ADDR:]PORT:GUESTPORT", ADDR a numeric IPv4
 * address (QEMU's user-mode network forwards from no other). */
LmDomainPublish *lm_domain_publish_parse (const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_domain_publish_address: the address listened on, also where none was said. */
const char *lm_domain_publish_address (const LmDomainPublish *publish);

/** lm_domain_publish_clash: whether no host can listen on both. */
gboolean lm_domain_publish_clash (const LmDomainPublish *a, const LmDomainPublish *b);

/** lm_domain_publish_check: the checks of lm_domain_publish_parse() for a list
 * (LmDomainPublish) made otherwise, and that no two of it clash. */
gboolean lm_domain_publish_check (const GPtrArray *list, GError **error) G_GNUC_WARN_UNUSED_RESULT;

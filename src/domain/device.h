/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The devices of a domain that a user chooses, as values: their types, their
 * checks, and how they are read from the text that virt-install has for them.
 * Pure; what host or libvirt makes of them it does not know. All errors:
 * LM_DOMAIN_ERROR_INVALID. */
#include "domain/error.h"

typedef enum
{
  LM_DOMAIN_NETWORK_USER,    /* QEMU's own user-mode network */
  LM_DOMAIN_NETWORK_NETWORK, /* a network of libvirt */
  LM_DOMAIN_NETWORK_BRIDGE,  /* a bridge of the host */
  LM_DOMAIN_NETWORK_NONE,    /* no card at all; stands alone in a list */
} LmDomainNetworkKind;

typedef struct
{
  LmDomainNetworkKind kind;
  char *source; /* network or bridge name; else NULL */
  char *model;  /* NULL: "virtio" */
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

/* A TCP port of the host that leads to one of the guest. */
typedef struct
{
  char *address; /* numeric IPv4; NULL: 127.0.0.1 */
  guint16 port;
  guint16 guest_port;
} LmDomainPublish;

/* Each new: all zero or NULL. Each free: with all it owns; NULL is ignored.
 * Each copy: a GCopyFunc. */
LmDomainNetwork *lm_domain_network_new (void);
LmDomainGraphics *lm_domain_graphics_new (void);
LmDomainPublish *lm_domain_publish_new (void);
void lm_domain_network_free (LmDomainNetwork *network);
void lm_domain_graphics_free (LmDomainGraphics *graphics);
void lm_domain_publish_free (LmDomainPublish *publish);
gpointer lm_domain_network_copy (gconstpointer network, gpointer unused);
gpointer lm_domain_graphics_copy (gconstpointer graphics, gpointer unused);
gpointer lm_domain_publish_copy (gconstpointer publish, gpointer unused);
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmDomainNetwork, lm_domain_network_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmDomainGraphics, lm_domain_graphics_free)
G_DEFINE_AUTOPTR_CLEANUP_FUNC (LmDomainPublish, lm_domain_publish_free)

/** lm_domain_network_parse: reads "none", "user", "default" (libvirt's network
 * of that name), "network=NAME" or "bridge=NAME", the last four followed by
 * any of ",model=MODEL" and ",mac=ADDRESS". */
LmDomainNetwork *lm_domain_network_parse (const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_domain_network_set: sets what KEY=VALUE of such a text says: "network",
 * "bridge", "model" or "mac". */
gboolean lm_domain_network_set (LmDomainNetwork *network, const char *key, const char *value, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_domain_network_check: the same checks for a list (LmDomainNetwork) made
 * otherwise; that "none" stands alone; that no two have one MAC address. */
gboolean lm_domain_network_check (const GPtrArray *list, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_domain_network_model: the card's model, also where none was said. */
const char *lm_domain_network_model (const LmDomainNetwork *network);

/** lm_domain_graphics_parse: reads "none", "vnc" or "spice", the last two
 * followed by any of ",listen=ADDRESS" and ",port=N" (N from 5900, or -1 for
 * libvirt's choice, the default). */
LmDomainGraphics *lm_domain_graphics_parse (const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_domain_graphics_set: sets what KEY=VALUE of such a text says: "type"
 * (the first word), "listen" or "port". */
gboolean lm_domain_graphics_set (LmDomainGraphics *graphics, const char *key, const char *value, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_domain_graphics_check: the same checks for a value made otherwise. */
gboolean lm_domain_graphics_check (const LmDomainGraphics *graphics, GError **error) G_GNUC_WARN_UNUSED_RESULT;

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

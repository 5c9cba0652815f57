/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The devices of a domain that a user can choose, as values: their types, their
 * checks, and parsers for the syntax of virt-install. Pure; this module does not
 * know what the host or libvirt does with them. All errors:
 * LM_DOMAIN_ERROR_INVALID. */
#include "domain/error.h"

typedef enum
{
  LM_DOMAIN_NETWORK_USER,    /* QEMU's own user-mode network */
  LM_DOMAIN_NETWORK_NETWORK, /* a network of libvirt */
  LM_DOMAIN_NETWORK_BRIDGE,  /* a bridge of the host */
  LM_DOMAIN_NETWORK_NONE,    /* no network card; must be the only item of a list */
} LmDomainNetworkKind;

typedef struct
{
  LmDomainNetworkKind kind;
  char *source; /* name of the network or bridge, otherwise NULL */
  char *model;  /* NULL for "virtio" */
  char *mac;    /* lower case; NULL if not given */
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
  char *listen; /* numeric address; NULL if not given */
  guint16 port; /* 0: libvirt chooses one */
} LmDomainGraphics;

/* A TCP port of the host that is forwarded to a port of the guest. */
typedef struct
{
  char *address; /* numeric IPv4 address; NULL for 127.0.0.1 */
  guint16 port;
  guint16 guest_port;
} LmDomainPublish;

/* The _new functions return a value whose members are all 0 or NULL. The _free
 * functions free it and everything it owns; NULL is ignored. The _copy functions
 * are GCopyFuncs. */
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

/** lm_domain_network_parse: parses "none", "user", "default" (the libvirt network
 * of that name), "network=NAME" or "bridge=NAME"; except for "none", they can be
 * followed by ",model=MODEL" and ",mac=ADDRESS". */
LmDomainNetwork *lm_domain_network_parse (const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_domain_network_set: sets the property @key of such a text ("network",
 * "bridge", "model" or "mac") to @value. */
gboolean lm_domain_network_set (LmDomainNetwork *network, const char *key, const char *value, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_domain_network_check: checks a list (LmDomainNetwork) that was built by other
 * means: each item as lm_domain_network_parse() does, that "none" is the only item,
 * and that no MAC address is used twice. */
gboolean lm_domain_network_check (const GPtrArray *list, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_domain_network_model: returns the model of the card, or the default if none is set. */
const char *lm_domain_network_model (const LmDomainNetwork *network);

/** lm_domain_graphics_parse: parses "none", "vnc" or "spice"; the last two can be
 * followed by ",listen=ADDRESS" and ",port=N" (N from 5900, or -1, the default, to
 * let libvirt choose). */
LmDomainGraphics *lm_domain_graphics_parse (const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_domain_graphics_set: sets the property @key of such a text ("type", which is
 * the first word, "listen" or "port") to @value. */
gboolean lm_domain_graphics_set (LmDomainGraphics *graphics, const char *key, const char *value, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_domain_graphics_check: checks a value that was built by other means, as
 * lm_domain_graphics_parse() does. */
gboolean lm_domain_graphics_check (const LmDomainGraphics *graphics, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_domain_publish_parse: parses "[ADDR:]PORT:GUESTPORT", where ADDR is a numeric
 * IPv4 address (QEMU's user-mode network can only listen on these). */
LmDomainPublish *lm_domain_publish_parse (const char *text, GError **error) G_GNUC_WARN_UNUSED_RESULT;

/** lm_domain_publish_address: returns the address to listen on, or the default if none is set. */
const char *lm_domain_publish_address (const LmDomainPublish *publish);

/** lm_domain_publish_clash: whether a host cannot listen on both at the same time. */
gboolean lm_domain_publish_clash (const LmDomainPublish *a, const LmDomainPublish *b);

/** lm_domain_publish_check: checks a list (LmDomainPublish) that was built by other
 * means: each item as lm_domain_publish_parse() does, and that no two of them
 * clash. */
gboolean lm_domain_publish_check (const GPtrArray *list, GError **error) G_GNUC_WARN_UNUSED_RESULT;

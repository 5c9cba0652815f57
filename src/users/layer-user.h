/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* One of those who need files of the cache; users/layer-users.h finds them. */
#include <json-glib/json-glib.h>

typedef enum
{
  LM_LAYER_USER_MACHINE, /* a machine of this state directory, by its record, its domain or its disk */
  LM_LAYER_USER_DOMAIN,  /* a domain that lamina did not make, or of another state directory */
  LM_LAYER_USER_DISK,    /* a disk in a machine's directory whose record is lost */
} LmLayerUserKind;

typedef struct
{
  LmLayerUserKind kind;
  char *name;        /* of the domain, which may have been renamed; of a machine without one; the directory of a disk */
  char *recorded;    /* the name in a machine's record, else NULL */
  char *uuid;
  char *uri;         /* libvirt connection; NULL for a disk */
  const char *state; /* as in virt/definition.h, or "no domain", "replaced", "incomplete", "unknown"; NULL for a disk */
  gboolean transient;
  guint snapshots;
} LmLayerUser;

/** lm_layer_user_new: creates a user with copies of the names; @uri may be NULL. */
LmLayerUser *lm_layer_user_new (LmLayerUserKind kind, const char *name, const char *uuid, const char *uri);

/** lm_layer_user_free: frees @user. */
void lm_layer_user_free (LmLayerUser *user);

/** lm_layer_user_to_text: returns "machine web1 (shut off)", "domain vm (running, on
 * qemu:///session)" or "disk DIR"; newly allocated. */
char *lm_layer_user_to_text (const LmLayerUser *user);

/** lm_layer_user_to_json: adds @user as an object to the open array. */
void lm_layer_user_to_json (const LmLayerUser *user, JsonBuilder *builder);

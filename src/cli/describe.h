/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A machine in words and in JSON, the same for launch, ps and show. */
#include "ops/inventory.h"

#include <json-glib/json-glib.h>

/** lm_describe_layers: "debian 12.11 + nginx 1.22.1"; newly allocated. */
char *lm_describe_layers (const LmMachine *machine);

/** lm_describe_publishes: "127.0.0.1:8080->80, ..."; newly allocated; NULL: none. */
char *lm_describe_publishes (const LmMachine *machine);

/** lm_describe_to_json: members of the machine, into an object. @entry's
 * state may be NULL: not said. */
void lm_describe_to_json (const LmInventoryEntry *entry, JsonBuilder *builder);

/** lm_describe_console: the command that opens the console; newly allocated. */
char *lm_describe_console (const LmMachine *machine);

/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Descriptions of a machine as text and JSON, shared by launch, ps and show. */
#include "ops/inventory.h"

#include <json-glib/json-glib.h>

/** lm_describe_layers: returns "debian 12.11 + nginx 1.22.1"; newly allocated. */
char *lm_describe_layers (const LmMachine *machine);

/** lm_describe_publishes: returns "127.0.0.1:8080->80, ...", newly allocated; NULL
 * if no port is published. */
char *lm_describe_publishes (const LmMachine *machine);

/** lm_describe_to_json: adds the members that describe the machine to the open
 * object. The state in @entry may be NULL, if it is unknown. */
void lm_describe_to_json (const LmInventoryEntry *entry, JsonBuilder *builder);

/** lm_describe_console: returns the command that opens the console of the domain
 * @domain_name; newly allocated. */
char *lm_describe_console (const LmMachine *machine, const char *domain_name);

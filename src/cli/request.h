/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* The options that describe a machine, named as in virt-install. */
#include "cli/host.h"
#include "ops/launch.h"

/* To be included in the option table of a verb that describes a domain. */
#define LM_DOMAIN_OPTIONS \
  { "file", 'f', LM_OPTION_VALUE, "FILE", \
    "read name, selections and options from this file", LM_COMPLETE_FILE }, \
  { "memory", 0, LM_OPTION_VALUE | LM_OPTION_SPEC, "SIZE", "memory; a bare number is MiB", LM_COMPLETE_NONE }, \
  { "vcpus", 0, LM_OPTION_VALUE | LM_OPTION_SPEC, "N", "virtual CPUs", LM_COMPLETE_NONE }, \
  { "cpu", 0, LM_OPTION_VALUE | LM_OPTION_SPEC, "MODEL", \
    "CPU model, host-model or host-passthrough", LM_COMPLETE_NONE }, \
  { "virt-type", 0, LM_OPTION_VALUE | LM_OPTION_SPEC, "TYPE", \
    "kvm or qemu; default: kvm if available", LM_COMPLETE_VIRT_TYPE }, \
  { "disk", 0, LM_OPTION_VALUE | LM_OPTION_SPEC, "size=SIZE", \
    "size of the disk; a bare number is GiB", LM_COMPLETE_NONE }, \
  { "network", 0, LM_OPTION_VALUE | LM_OPTION_MULTIPLE | LM_OPTION_SPEC, "NETWORK", \
    "user, default, network=NAME, bridge=NAME or none", LM_COMPLETE_NETWORK }, \
  { "publish", 'p', LM_OPTION_VALUE | LM_OPTION_MULTIPLE | LM_OPTION_SPEC, "[ADDR:]PORT:GUESTPORT", \
    "forward a TCP port of this host to the guest", LM_COMPLETE_NONE }, \
  { "graphics", 0, LM_OPTION_VALUE | LM_OPTION_SPEC, "KIND", "none (default), vnc or spice", LM_COMPLETE_GRAPHICS }, \
  { "osinfo", 0, LM_OPTION_VALUE | LM_OPTION_SPEC, "ID", \
    "operating system, a libosinfo short id", LM_COMPLETE_NONE }, \
  { "template", 0, LM_OPTION_VALUE | LM_OPTION_SPEC, "NAME|FILE", "domain template", LM_COMPLETE_TEMPLATE }, \
  { "ephemeral", 0, LM_OPTION_FLAG | LM_OPTION_SPEC, NULL, "throw the disk away whenever the guest stops", LM_COMPLETE_NONE }

/* To be included in the option table of a verb that creates a machine. */
#define LM_MACHINE_OPTIONS \
  LM_DOMAIN_OPTIONS, \
  { "cloud-init", 0, LM_OPTION_VALUE | LM_OPTION_MULTIPLE | LM_OPTION_SPEC, "KEY=FILE,...", \
    "seed: user-data=, meta-data=, network-config=, ssh-key=", LM_COMPLETE_SEED_FILE }, \
  { "autostart", 0, LM_OPTION_FLAG | LM_OPTION_SPEC, NULL, "start it when the host starts", LM_COMPLETE_NONE }, \
  { "replace", 0, LM_OPTION_FLAG, NULL, "replace another machine of that name and its disk", LM_COMPLETE_NONE }, \
  LM_BUILD_OPTION

/** lm_request_read: builds the request from the words (NAME SELECTION...), the
 * options (@options is the table of the verb, with those above) and a spec file;
 * the command line takes precedence over the file. Reads the files that they name.
 * Errors: LM_CLI_ERROR_USAGE, LM_SELECTION_ERROR, LM_DOMAIN_ERROR,
 * G_IO_ERROR_CANCELLED. */
LmLaunchRequest *lm_request_read (const LmInvocation *invocation, const LmOption *options, GError **error) G_GNUC_WARN_UNUSED_RESULT;

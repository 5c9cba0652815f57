/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* Whether /dev/kvm does what it is for. Some hosts, in particular virtual machines,
 * have a /dev/kvm that can be opened and runs guests, but executes their instructions
 * one by one in software; an ordinary kernel takes hours to start there, although
 * libvirt lists KVM. So a small guest is run here: without firmware, devices or QEMU. */
#include <glib.h>

typedef enum
{
  LM_KVM_ABSENT,   /* there is no such device, or it is not KVM's */
  LM_KVM_DENIED,   /* this user must not open it */
  LM_KVM_BROKEN,   /* a guest cannot be created, or does not run to its end */
  LM_KVM_EMULATED, /* a guest runs, but far too slowly */
  LM_KVM_GOOD,     /* also if this architecture has no such guest here, and the device can be opened */
} LmKvmState;

/** lm_kvm_probe: examines the device @path. Takes at most two seconds, usually a
 * millisecond; longer on a host that is too busy to run the guest. Afterwards a thread may still be waiting for a guest that does not end. */
LmKvmState lm_kvm_probe (const char *path);

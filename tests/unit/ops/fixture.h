/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A small host: a state directory, a catalog of file:// layers that mkqcow2.py made
 * (a: the base; c, e: on a), a template for libvirt's test driver, and that driver
 * itself, which keeps its domains as long as one connection to it is open. */
#include "ops/launch.h"
#include "virt/domain.h"

#define FIXTURE_URI "test:///default"

typedef struct
{
  char *top; /* all of it is below */
  char *state_dir;
  char *catalog;
  char *template;
  const char *catalogs[2];
  GPtrArray *warnings; /* char * */
  GCancellable *cancel_on_status; /* NULL; else cancelled when a status is told */
  LmVirt *virt;
  LmHost host;
} OpsFixture;

/** fixture_setup, fixture_teardown: for g_test_add(). */
void fixture_setup (OpsFixture *f, gconstpointer data);
void fixture_teardown (OpsFixture *f, gconstpointer data);

/** fixture_request: a request to start the machine @name of the layers a and @layer. */
LmLaunchRequest *fixture_request (const OpsFixture *f, const char *name, const char *layer);

/** fixture_launch: launches such a machine, which must succeed; its record. */
LmMachine *fixture_launch (OpsFixture *f, const char *name, const char *layer);

/** fixture_define: defines the domain @name with @devices (XML), which must succeed. */
void fixture_define (LmVirt *virt, const char *name, const char *uuid, const char *devices);

/** fixture_is_running: whether the domain of that UUID is there and runs. */
gboolean fixture_is_running (const OpsFixture *f, const char *uuid);

/** fixture_write_template: makes the template's <os> hold @os (XML) too. */
void fixture_write_template (const OpsFixture *f, const char *os);

/** fixture_machines: how many directories of machines there are. */
guint fixture_machines (const OpsFixture *f);

/** fixture_mkqcow2: makes @path of @kind, see mkqcow2.py. */
void fixture_mkqcow2 (const char *kind, const char *path, const char *parent, const char *size);

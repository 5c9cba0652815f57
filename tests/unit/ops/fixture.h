/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once
/* A small host: a state directory, a catalog with file:// layers created by
 * mkqcow2.py (a: the base; c, e: built on a), a template for libvirt's test driver,
 * and that driver, which keeps its domains as long as a connection to it is open. */
#include "ops/launch.h"
#include "virt/domain.h"

#define FIXTURE_URI "test:///default"

typedef struct
{
  char *top; /* everything is below this directory */
  char *state_dir;
  char *catalog;
  char *template;
  const char *catalogs[2];
  GPtrArray *warnings; /* char * */
  GCancellable *cancel_on_status; /* if not NULL, cancelled when a status is reported */
  LmVirt *virt;
  LmHost host;
} OpsFixture;

/** fixture_setup, fixture_teardown: for g_test_add(). */
void fixture_setup (OpsFixture *f, gconstpointer data);
void fixture_teardown (OpsFixture *f, gconstpointer data);

/** fixture_request: returns a request to launch the machine @name from the layers a and @layer. */
LmLaunchRequest *fixture_request (const OpsFixture *f, const char *name, const char *layer);

/** fixture_launch: launches such a machine, which must succeed. Returns its record. */
LmMachine *fixture_launch (OpsFixture *f, const char *name, const char *layer);

/** fixture_define: defines the domain @name with @devices (XML), which must succeed. */
void fixture_define (LmVirt *virt, const char *name, const char *uuid, const char *devices);

/** fixture_is_running: whether the domain with that UUID exists and is running. */
gboolean fixture_is_running (const OpsFixture *f, const char *uuid);

/** fixture_write_template: adds @os (XML) to the <os> of the template. */
void fixture_write_template (const OpsFixture *f, const char *os);

/** fixture_machines: returns the number of machine directories. */
guint fixture_machines (const OpsFixture *f);

/** fixture_mkqcow2: creates @path with the @kind, see mkqcow2.py. */
void fixture_mkqcow2 (const char *kind, const char *path, const char *parent, const char *size);

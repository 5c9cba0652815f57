/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "ops/adoption.h"
#include "base/error.h"
#include "base/fault.h"
#include "base/file.h"
#include "domain/metadata.h"
#include "image/qcow2.h"
#include "machine/disk.h"
#include "machine/home.h"
#include "ops/blueprint.h"
#include "ops/collect.h"
#include "ops/prepare.h"
#include "ops/supply.h"

#include <string.h>
#include <unistd.h>

G_DEFINE_QUARK (lm-adoption-error-quark, lm_adoption_error)

/* The domain as its XML says, and what lamina knows of it. */
typedef struct
{
  const char *xml;
  LmDomainSpec *spec;
  LmDomainOutline *outline;
  LmMachine *machine; /* its record; NULL if it has none */
} Domain;

static void
domain_clear (Domain *domain)
{
  g_clear_pointer (&domain->spec, lm_domain_spec_free);
  g_clear_pointer (&domain->outline, lm_domain_outline_free);
  g_clear_pointer (&domain->machine, lm_machine_free);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC (Domain, domain_clear)

static gboolean
read_domain (const LmHost *host, const char *xml, Domain *domain, GError **error)
{
  g_autoptr (GError) failure = NULL;
  domain->xml = xml;
  domain->spec = lm_domain_metadata_parse (xml, error);
  domain->outline = domain->spec != NULL ? lm_domain_outline_parse (xml, error) : NULL;
  if (domain->outline == NULL)
    return FALSE;
  domain->machine = lm_machine_load (host->state_dir, domain->outline->uuid, &failure);
  if (domain->machine != NULL || g_error_matches (failure, LM_MACHINE_ERROR, LM_MACHINE_ERROR_NOT_FOUND))
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&failure));
  return FALSE;
}

/* Whether the metadata selects what the machine was made of; also if it selects nothing. */
static gboolean
selects_same (const Domain *domain, char **requested)
{
  return domain->spec->requested == NULL || domain->machine->requested == NULL
         || g_strv_equal ((const char *const *) requested, (const char *const *) domain->machine->requested);
}

/* Whether the domain can keep its record. It can have another one as long as it has
 * no disk, so that a mistake in the metadata can be corrected. */
static gboolean
check_record (Domain *domain, char **requested, GError **error)
{
  g_autoptr (GError) changed = NULL;
  if (domain->machine->state == LM_MACHINE_STATE_REMOVING)
    return lm_throw (error, LM_ADOPTION_ERROR, LM_ADOPTION_ERROR_REFUSED,
                     "the machine is being removed; \"lamina rm %s\" finishes that", domain->machine->name);
  if (domain->machine->state == LM_MACHINE_STATE_CREATING
      && !g_file_test (domain->machine->overlay, G_FILE_TEST_EXISTS))
    return lm_throw (error, LM_ADOPTION_ERROR, LM_ADOPTION_ERROR_REFUSED,
                     "lamina is still creating it; if that was interrupted, \"lamina rm %s\" removes it",
                     domain->machine->name);
  gboolean same = lm_home_check_chain (domain->machine, domain->spec, &changed);
  if (same && !selects_same (domain, requested))
    {
      g_autofree char *made_of = g_strjoinv (" ", domain->machine->requested);
      (void) !lm_throw (&changed, LM_HOME_ERROR, LM_HOME_ERROR_CHANGED,
                        "its metadata selects other layers than those that its disk %s was made of (%s)",
                        domain->machine->overlay, made_of);
    }
  if (changed == NULL)
    return TRUE;
  if (g_file_test (domain->machine->overlay, G_FILE_TEST_EXISTS) || domain->machine->state != LM_MACHINE_STATE_COMPLETE)
    return lm_throw (error, changed->domain, changed->code,
                     "%s; change the metadata back, or remove the machine and its disk with \"lamina rm %s\"", changed->message,
                     domain->machine->name);
  g_clear_pointer (&domain->machine, lm_machine_free);
  return TRUE;
}

/* Takes the kernel or initrd only if the domain starts from the machine's own copy. */
static void
take_boot_file (const LmBlob *blob, const char *path, const char *named, LmBlob **out)
{
  if (g_strcmp0 (path, named) == 0)
    *out = lm_blob_dup (blob);
}

/* Forgets the URLs in the metadata. Whoever wrote the domain may not be allowed to read
 * what they lead to, and messages show a part of that. The catalogs have others. */
static void
forget_urls (LmBlob *blob)
{
  if (blob != NULL)
    g_clear_pointer (&blob->urls, g_strfreev);
}

static gboolean
take_plan (const LmHost *host, const Domain *domain, LmMachine *machine, GCancellable *cancellable, GError **error)
{
  const LmDomainOutline *outline = domain->outline;
  g_autoptr (LmPlan) plan
    = lm_prepare_plan (host, (const char *const *) domain->spec->requested, cancellable, error);
  if (plan == NULL)
    return FALSE;
  g_ptr_array_unref (machine->layers);
  machine->layers = lm_launch_request_layers (plan);
  machine->resolved = g_strdupv (plan->selections);
  machine->ready = g_strdup (plan->ready);
  machine->disk = domain->spec->disk ? domain->spec->disk : plan->disk;
  for (guint i = 0; i < plan->blobs->len; i++)
    {
      const LmBlob *blob = &((LmPlanItem *) g_ptr_array_index (plan->blobs, i))->blob;
      if (strcmp (blob->name, "kernel") == 0)
        take_boot_file (blob, machine->kernel, outline->kernel, &machine->kernel_blob);
      else
        take_boot_file (blob, machine->initrd, outline->initrd, &machine->initrd_blob);
    }
  return TRUE;
}

/* The metadata lists the chain, as in the output of "lamina xml". */
static gboolean
take_chain (const LmHost *host, const Domain *domain, LmMachine *machine, GError **error)
{
  const LmDomainSpec *spec = domain->spec;
  g_autoptr (LmCache) cache = lm_cache_open (host->state_dir, &host->cache, error);
  if (cache == NULL)
    return FALSE;
  for (guint i = 0; i < spec->layers->len; i++)
    {
      const LmDomainLayer *layer = g_ptr_array_index (spec->layers, i);
      LmDomainLayer *copy = lm_domain_layer_new ();
      lm_blob_copy (&copy->blob, &layer->blob);
      forget_urls (&copy->blob);
      copy->version = g_strdup (layer->version);
      copy->group = g_strdup (layer->group);
      copy->source = g_strdup (layer->source);
      copy->path = lm_cache_get_path (cache, LM_BLOB_LAYER, &layer->blob.digest);
      g_ptr_array_add (machine->layers, copy);
      if (layer->path != NULL && strcmp (layer->path, copy->path) != 0)
        return lm_throw (error, LM_ADOPTION_ERROR, LM_ADOPTION_ERROR_REFUSED,
                         "its metadata was written for another state directory: the layer %s is not %s here but %s",
                         copy->blob.name, layer->path, copy->path);
    }
  machine->resolved = g_strdupv (spec->selections);
  machine->ready = g_strdup (spec->ready);
  machine->disk = spec->disk;
  if (spec->kernel_blob != NULL)
    take_boot_file (spec->kernel_blob, machine->kernel, domain->outline->kernel, &machine->kernel_blob);
  if (spec->initrd_blob != NULL)
    take_boot_file (spec->initrd_blob, machine->initrd, domain->outline->initrd, &machine->initrd_blob);
  forget_urls (machine->kernel_blob);
  forget_urls (machine->initrd_blob);
  return TRUE;
}

/* The hook does not know the connection; each libvirtd of a host has one. */
static const char *
guess_uri (void)
{
  return geteuid () == 0 ? "qemu:///system" : "qemu:///session";
}

/* A kernel that the XML expects in the machine's directory must come from a layer. */
static gboolean
check_boot_file (const char *what, const LmBlob *blob, const char *path, const char *named, GError **error)
{
  return blob != NULL || g_strcmp0 (path, named) != 0
         || lm_throw (error, LM_ADOPTION_ERROR, LM_ADOPTION_ERROR_REFUSED,
                      "its XML names the %s %s, but none of its layers has one", what, path);
}

/* Returns the record, not written yet, that a domain without one gets. */
static LmMachine *
new_record (const LmHost *host, const Domain *domain, char **requested, GCancellable *cancellable, GError **error)
{
  const LmDomainSpec *spec = domain->spec;
  if (!lm_domain_name_check (domain->outline->name, error))
    return NULL;
  if (spec->layers->len == 0 && spec->requested == NULL)
    return lm_throw_null (error, LM_ADOPTION_ERROR, LM_ADOPTION_ERROR_REFUSED,
                          "its metadata has no <lamina:select> that says which layers it is made of");
  g_autoptr (LmMachine) machine = lm_machine_new (host->state_dir, domain->outline->name, domain->outline->uuid);
  machine->uri = g_strdup (guess_uri ());
  machine->state = LM_MACHINE_STATE_COMPLETE;
  machine->ephemeral = spec->ephemeral;
  machine->requested = g_strdupv (spec->requested != NULL ? requested : spec->selections);
  g_ptr_array_extend (machine->publish, spec->publish, lm_domain_publish_copy, NULL);
  if (!(spec->layers->len > 0 ? take_chain (host, domain, machine, error)
                              : take_plan (host, domain, machine, cancellable, error))
      || !check_boot_file ("kernel", machine->kernel_blob, machine->kernel, domain->outline->kernel, error)
      || !check_boot_file ("initrd", machine->initrd_blob, machine->initrd, domain->outline->initrd, error)
      || !lm_machine_note_files (machine, domain->xml, error))
    return NULL;
  return g_steal_pointer (&machine);
}

static LmLock *
lease_machine (LmCache *cache, const LmMachine *machine, GPtrArray *blobs, GCancellable *cancellable, GError **error)
{
  for (guint i = 0; i < machine->layers->len; i++)
    g_ptr_array_add (blobs, &((LmDomainLayer *) g_ptr_array_index (machine->layers, i))->blob);
  if (machine->kernel_blob != NULL)
    g_ptr_array_add (blobs, machine->kernel_blob);
  if (machine->initrd_blob != NULL)
    g_ptr_array_add (blobs, machine->initrd_blob);
  return lm_cache_lease (cache, blobs, cancellable, error);
}

/* An overlay that is there already, because the record is lost or somebody else made it, must
 * stand on what the record is going to say: only that will be kept in the cache for it, and
 * anything else is not what the metadata promises. */
static gboolean
check_overlay (const LmMachine *machine, GError **error)
{
  const LmDomainLayer *top = g_ptr_array_index (machine->layers, machine->layers->len - 1);
  g_autoptr (GError) failure = NULL;
  LmQcow2Header header;
  if (!lm_qcow2_read (machine->overlay, &header, NULL, &failure))
    return g_error_matches (failure, G_IO_ERROR, G_IO_ERROR_NOT_FOUND)
           || lm_throw (error, LM_ADOPTION_ERROR, LM_ADOPTION_ERROR_REFUSED, "its disk cannot be used: %s", failure->message);
  g_autofree char *backing = g_canonicalize_filename (header.backing_name, machine->dir);
  if (lm_file_is_same_path (backing, top->path) && !lm_qcow2_has_data_file (&header))
    return TRUE;
  g_autofree char *safe = g_strescape (header.backing_name, NULL);
  return lm_throw (error, LM_ADOPTION_ERROR, LM_ADOPTION_ERROR_REFUSED,
                   "its disk %s, of which there is no record, stands on %s, but according to its metadata it should stand on "
                   "the layer %s %s (%s); move the disk away, or correct the metadata", machine->overlay,
                   *safe == '\0' ? "no other file" : safe, top->blob.name, top->version, top->path);
}

/* Pulls everything before anything of the machine exists, then writes the record,
 * which keeps the layers from being deleted once the lease is gone. */
static gboolean
adopt_new (const LmHost *host, Domain *domain, char **requested, GCancellable *cancellable, GError **error)
{
  g_autoptr (LmMachine) machine = new_record (host, domain, requested, cancellable, error);
  if (machine == NULL || !check_overlay (machine, error))
    return FALSE;
  g_autoptr (LmCache) cache = lm_cache_open (host->state_dir, &host->cache, error);
  g_autoptr (GPtrArray) blobs = g_ptr_array_new ();
  g_autoptr (LmLock) lease = cache != NULL ? lease_machine (cache, machine, blobs, cancellable, error) : NULL;
  LmPrepareResult result;
  if (lease == NULL || !lm_prepare_recorded (host, cache, blobs, &result, cancellable, error)
      || !lm_fault_point ("adopt-before-record", error) || !lm_machine_save (machine, error))
    return FALSE;
  domain->machine = g_steal_pointer (&machine);
  return TRUE;
}

static gboolean
supply_domain (const LmHost *host, Domain *domain, GCancellable *cancellable, GError **error)
{
  LmPrepareResult result;
  if (!lm_supply_machine (host, domain->machine, &result, cancellable, error))
    return FALSE;
  if (!lm_home_has_overlay (domain->machine, domain->outline))
    return TRUE;
  g_autoptr (LmCache) cache = lm_cache_open (host->state_dir, &host->cache, error);
  g_autoptr (GPtrArray) blobs = g_ptr_array_new ();
  g_autoptr (LmLock) lease = cache != NULL ? lease_machine (cache, domain->machine, blobs, cancellable, error) : NULL;
  guint64 before = domain->machine->disk;
  /* libvirt starts a domain only once at a time, so nobody else creates files here. */
  if (!g_file_test (domain->machine->overlay, G_FILE_TEST_EXISTS))
    lm_machine_remove_temporaries (domain->machine);
  if (lease == NULL || !lm_fault_point ("adopt-before-overlay", error)
      || !lm_disk_supply (cache, domain->machine, cancellable, error))
    return FALSE;
  return domain->machine->disk == before || lm_machine_save (domain->machine, error);
}

/* Another pull can make room. */
static void
add_advice (const Domain *domain, GError **error)
{
  char **requested = domain->spec->requested;
  if (error == NULL || !g_error_matches (*error, LM_COLLECT_ERROR, LM_COLLECT_ERROR_NO_SPACE))
    return;
  g_autofree char *what = domain->machine != NULL ? g_strconcat ("--machine ", domain->machine->name, NULL)
                          : requested != NULL     ? g_strjoinv (" ", requested)
                                                  : g_strdup ("SELECTION...");
  g_autofree char *message = g_strdup_printf ("%s; \"lamina pull %s\" makes room", (*error)->message, what);
  g_free ((*error)->message);
  (*error)->message = g_steal_pointer (&message);
}

gboolean
lm_adopt (const LmHost *host, const char *xml, GCancellable *cancellable, GError **error)
{
  g_auto (Domain) domain = { 0 };
  if (!read_domain (host, xml, &domain, error))
    return FALSE;
  const LmLaunchRequest request = { .selections = domain.spec->requested };
  g_auto (GStrv) requested = lm_launch_request_normalize (&request);
  if (domain.machine != NULL && !check_record (&domain, requested, error))
    return FALSE;
  g_autoptr (LmMachine) place = lm_machine_new (host->state_dir, domain.outline->name, domain.outline->uuid);
  if (!lm_home_check (place, domain.machine != NULL, domain.spec, domain.outline, error))
    return FALSE;
  if ((domain.machine != NULL || adopt_new (host, &domain, requested, cancellable, error))
      && supply_domain (host, &domain, cancellable, error))
    return TRUE;
  add_advice (&domain, error);
  return FALSE;
}

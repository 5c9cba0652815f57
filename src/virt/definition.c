/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "virt/definition.h"
#include "virt/call.h"

/* How many domains are read in one call, to whose end the time limit applies. */
#define BATCH 50

/* What the listing of all domains tells about each. */
typedef enum
{
  IS_ACTIVE = 1 << 0,
  IS_RUNNING = 1 << 1,
  IS_PAUSED = 1 << 2,
  IS_TRANSIENT = 1 << 3,
  IS_SAVED = 1 << 4,
  HAS_SNAPSHOT = 1 << 5,
} Traits;

static const struct
{
  unsigned int filter;
  Traits trait;
} listings[] = {
  { VIR_CONNECT_LIST_DOMAINS_RUNNING, IS_RUNNING },
  { VIR_CONNECT_LIST_DOMAINS_PAUSED, IS_PAUSED },
  { VIR_CONNECT_LIST_DOMAINS_TRANSIENT, IS_TRANSIENT },
  { VIR_CONNECT_LIST_DOMAINS_MANAGEDSAVE, IS_SAVED },
  { VIR_CONNECT_LIST_DOMAINS_HAS_SNAPSHOT, HAS_SNAPSHOT },
};

typedef struct
{
  virDomainPtr domain;
  Traits traits;
  LmVirtDefinition definition;
  gboolean gone;
} Reading;

static void
reading_free (Reading *reading)
{
  virDomainFree (reading->domain);
  g_free (reading->definition.name);
  g_free (reading->definition.uuid);
  g_clear_pointer (&reading->definition.xml, g_ptr_array_unref);
  g_free (reading);
}

static Reading *
reading_new (virDomainPtr domain)
{
  char uuid[VIR_UUID_STRING_BUFLEN] = "";
  Reading *reading = g_new0 (Reading, 1);
  reading->domain = domain;
  /* The first listing has told which domains are active, so most are not listed again. */
  reading->traits = virDomainGetID (domain) != (unsigned int) -1 ? IS_ACTIVE : 0;
  reading->definition.name = g_strdup (virDomainGetName (domain));
  if (virDomainGetUUIDString (domain, uuid) == 0)
    reading->definition.uuid = g_strdup (uuid);
  reading->definition.xml = g_ptr_array_new_with_free_func (free);
  return reading;
}

/* Adds @trait to those of the readings whose domains the connection lists with @filter. */
static int
add_trait (virConnectPtr connection, GHashTable *by_uuid, unsigned int filter, Traits trait)
{
  virDomainPtr *handles = NULL;
  int count = virConnectListAllDomains (connection, &handles, filter);
  for (int i = 0; i < count; i++)
    {
      char uuid[VIR_UUID_STRING_BUFLEN] = "";
      Reading *reading = virDomainGetUUIDString (handles[i], uuid) == 0 ? g_hash_table_lookup (by_uuid, uuid) : NULL;
      if (reading != NULL)
        reading->traits |= trait;
      virDomainFree (handles[i]);
    }
  free (handles);
  return count;
}

static void
call_list_traits (LmVirtCall *call)
{
  virDomainPtr *handles = NULL;
  g_autoptr (GHashTable) by_uuid = g_hash_table_new (g_str_hash, g_str_equal);
  call->out_list = g_ptr_array_new_with_free_func ((GDestroyNotify) reading_free);
  call->status = virConnectListAllDomains (call->virt->connection, &handles, 0);
  for (int i = 0; i < call->status; i++)
    {
      Reading *reading = reading_new (handles[i]);
      g_ptr_array_add (call->out_list, reading);
      if (reading->definition.uuid != NULL)
        g_hash_table_insert (by_uuid, reading->definition.uuid, reading);
    }
  free (handles);
  for (gsize i = 0; i < G_N_ELEMENTS (listings) && call->status > 0; i++)
    call->status = add_trait (call->virt->connection, by_uuid, listings[i].filter, listings[i].trait) < 0 ? -1 : 1;
}

/* Takes ownership of @text. FALSE if libvirt failed for another reason than that
 * there is no such domain or state (any more), or that the driver has none. */
static gboolean
add_xml (Reading *reading, char *text)
{
  if (text != NULL)
    {
      g_ptr_array_add (reading->definition.xml, text);
      return TRUE;
    }
  switch (virGetLastErrorCode ())
    {
    case VIR_ERR_NO_DOMAIN:
      reading->gone = TRUE;
      return TRUE;
    case VIR_ERR_NO_DOMAIN_SNAPSHOT:
    case VIR_ERR_NO_SUPPORT:
      return TRUE;
    default:
      return FALSE;
    }
}

static gboolean
read_saved (Reading *reading)
{
  char *text = virDomainManagedSaveGetXMLDesc (reading->domain, 0);
  /* It may have been started meanwhile. */
  return add_xml (reading, text) || virDomainHasManagedSaveImage (reading->domain, 0) == 0;
}

static gboolean
read_snapshots (Reading *reading)
{
  virDomainSnapshotPtr *snapshots = NULL;
  int count = virDomainListAllSnapshots (reading->domain, &snapshots, 0);
  gboolean ok = count >= 0 || add_xml (reading, NULL);
  for (int i = 0; i < count; i++)
    {
      guint before = reading->definition.xml->len;
      ok = ok && add_xml (reading, virDomainSnapshotGetXMLDesc (snapshots[i], 0));
      reading->definition.snapshots += reading->definition.xml->len - before;
      virDomainSnapshotFree (snapshots[i]);
    }
  free (snapshots);
  return ok;
}

static gboolean
read_domain (Reading *reading)
{
  const Traits traits = reading->traits;
  LmVirtDefinition *definition = &reading->definition;
  definition->transient = (traits & IS_TRANSIENT) != 0;
  definition->state = (traits & IS_RUNNING) != 0  ? "running"
                      : (traits & IS_PAUSED) != 0 ? "paused"
                      : (traits & IS_SAVED) != 0  ? "saved"
                      : (traits & IS_ACTIVE) == 0 ? "shut off"
                                                  : "crashed";
  /* The XML of a domain that is not running is the same as defined. */
  if (!add_xml (reading, virDomainGetXMLDesc (reading->domain, 0)) || definition->xml->len == 0)
    return reading->gone;
  return ((traits & IS_ACTIVE) == 0 || add_xml (reading, virDomainGetXMLDesc (reading->domain, VIR_DOMAIN_XML_INACTIVE)))
         && ((traits & IS_SAVED) == 0 || read_saved (reading))
         && ((traits & HAS_SNAPSHOT) == 0 || read_snapshots (reading));
}

/* A batch that is being read by two threads, because most of the time of a call is waiting. */
typedef struct
{
  const GPtrArray *list; /* Reading */
  gint next;             /* atomic: index of what nobody reads yet */
  gint failed;           /* atomic: whether one of them could not be read */
} Share;

/* FALSE if this thread failed. */
static gboolean
read_share (Share *share)
{
  while (!g_atomic_int_get (&share->failed))
    {
      const guint i = (guint) g_atomic_int_add (&share->next, 1);
      if (i >= share->list->len)
        break;
      if (!read_domain (g_ptr_array_index (share->list, i)))
        {
          g_atomic_int_set (&share->failed, TRUE);
          return FALSE;
        }
    }
  return TRUE;
}

/* Returns libvirt's error, which belongs to the thread, if it failed; otherwise NULL. */
static gpointer
read_share_in_thread (gpointer data)
{
  return read_share (data) ? NULL : virSaveLastError ();
}

static void
call_read (LmVirtCall *call)
{
  Share share = { .list = call->out_list };
  GThread *other = g_thread_try_new ("libvirt", read_share_in_thread, &share, NULL);
  (void) read_share (&share);
  call->error = other != NULL ? g_thread_join (other) : NULL;
  call->status = share.failed ? -1 : 0;
}

/* Reads batches in a thread of its own, so that libvirt works on the next one while the
 * caller looks at the last, or does something else before. */
struct _LmVirtReader
{
  char *uri;
  LmVirtLimits limits;
  GThread *thread;      /* NULL if all was read before lm_virt_reader_new() returned */
  GAsyncQueue *batches; /* GPtrArray of Reading; the first one is empty, and so is the last one */
  gint stopped;         /* atomic: the caller needs no more */
  gboolean connected;   /* whether the first one has been taken from the queue */
  LmVirt *virt;         /* valid after the first one; NULL if it cannot be opened */
  GError *error;        /* valid after the last one, or after the first one if virt is NULL */
};

static gboolean
read_batch (LmVirtReader *reader, GPtrArray *batch, GError **error)
{
  g_autoptr (LmVirtCall) call = lm_virt_call_new (reader->virt, NULL, call_read);
  g_autofree char *what = g_strdup_printf ("read the domains of %s", lm_virt_uri (reader->virt));
  call->out_list = g_ptr_array_ref (batch);
  return lm_virt_call_run (call, LM_VIRT_CALL_QUERY, what, error)
         && (call->status >= 0 || lm_virt_call_throw (call, error, "cannot %s", what));
}

/* Returns the domains (Reading), of which nothing but the listing is known yet. */
static GPtrArray *
list_domains (LmVirtReader *reader, GError **error)
{
  g_autoptr (LmVirtCall) call = lm_virt_call_new (reader->virt, NULL, call_list_traits);
  g_autofree char *what = g_strdup_printf ("list the domains of %s", lm_virt_uri (reader->virt));
  if (!lm_virt_call_run (call, LM_VIRT_CALL_QUERY, what, error))
    return NULL;
  if (call->status < 0)
    {
      (void) lm_virt_call_throw (call, error, "cannot %s", what);
      return NULL;
    }
  return g_steal_pointer (&call->out_list);
}

static void
push_empty_batch (LmVirtReader *reader)
{
  g_async_queue_push (reader->batches, g_ptr_array_new ());
}

static gpointer
read_all (gpointer data)
{
  LmVirtReader *reader = data;
  if (reader->virt == NULL)
    reader->virt = lm_virt_connect (reader->uri, &reader->limits, &reader->error);
  gboolean ok = reader->virt != NULL;
  push_empty_batch (reader);
  if (!ok)
    return NULL;
  g_autoptr (GPtrArray) all = list_domains (reader, &reader->error);
  while (ok && all != NULL && all->len > 0 && !g_atomic_int_get (&reader->stopped))
    {
      GPtrArray *batch = g_ptr_array_new_with_free_func ((GDestroyNotify) reading_free);
      for (guint i = 0; i < BATCH && all->len > 0; i++)
        g_ptr_array_add (batch, g_ptr_array_steal_index (all, all->len - 1));
      ok = read_batch (reader, batch, &reader->error);
      if (ok)
        g_async_queue_push (reader->batches, batch);
      else
        g_ptr_array_unref (batch);
    }
  push_empty_batch (reader);
  return NULL;
}

LmVirtReader *
lm_virt_reader_new (LmVirt *virt, const char *uri, const LmVirtLimits *limits)
{
  LmVirtReader *reader = g_new0 (LmVirtReader, 1);
  reader->uri = g_strdup (uri);
  reader->virt = virt != NULL ? lm_virt_ref (virt) : NULL;
  if (limits != NULL)
    reader->limits = *limits;
  if (reader->limits.cancellable != NULL)
    g_object_ref (reader->limits.cancellable);
  reader->batches = g_async_queue_new_full ((GDestroyNotify) g_ptr_array_unref);
  reader->thread = g_thread_try_new ("domains", read_all, reader, NULL);
  if (reader->thread == NULL)
    (void) read_all (reader);
  return reader;
}

void
lm_virt_reader_free (LmVirtReader *reader)
{
  if (reader == NULL)
    return;
  g_atomic_int_set (&reader->stopped, 1);
  g_clear_pointer (&reader->thread, g_thread_join);
  g_async_queue_unref (reader->batches);
  lm_virt_free (reader->virt);
  g_clear_object (&reader->limits.cancellable);
  g_clear_error (&reader->error);
  g_free (reader->uri);
  g_free (reader);
}

LmVirt *
lm_virt_reader_get_connection (LmVirtReader *reader, GError **error)
{
  if (!reader->connected)
    g_ptr_array_unref (g_async_queue_pop (reader->batches));
  reader->connected = TRUE;
  if (reader->virt == NULL)
    g_propagate_error (error, g_error_copy (reader->error));
  return reader->virt;
}

static gboolean
visit_batch (const GPtrArray *batch, LmVirtDefinitionFunc func, gpointer data, GError **error)
{
  for (guint i = 0; i < batch->len; i++)
    {
      const Reading *reading = g_ptr_array_index (batch, i);
      if (!reading->gone && reading->definition.uuid != NULL && !func (data, &reading->definition, error))
        return FALSE;
    }
  return TRUE;
}

gboolean
lm_virt_reader_visit (LmVirtReader *reader, LmVirtDefinitionFunc func, gpointer data, GError **error)
{
  if (lm_virt_reader_get_connection (reader, error) == NULL)
    return FALSE;
  for (;;)
    {
      g_autoptr (GPtrArray) batch = g_async_queue_pop (reader->batches);
      if (batch->len == 0)
        break;
      if (!visit_batch (batch, func, data, error))
        return FALSE;
    }
  if (reader->error == NULL)
    return TRUE;
  g_propagate_error (error, g_steal_pointer (&reader->error));
  return FALSE;
}

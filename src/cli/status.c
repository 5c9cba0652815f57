/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cli/status.h"
#include "author/base-image.h"
#include "author/image-file.h"
#include "author/publish.h"
#include "base/checksum.h"
#include "base/lock.h"
#include "cache/cache.h"
#include "cli/args.h"
#include "cli/settings.h"
#include "image/error.h"
#include "io/http.h"
#include "io/run.h"
#include "io/tar.h"
#include "io/unpack.h"
#include "io/xml.h"
#include "domain/spec.h"
#include "plan/resolve.h"
#include "catalog/selection.h"
#include "machine/machine.h"
#include "ops/adoption.h"
#include "ops/export.h"
#include "ops/import.h"
#include "ops/collect.h"
#include "ops/launch.h"
#include "ops/layer-names.h"
#include "ops/obstacle.h"
#include "ops/port.h"
#include "upkeep/verification.h"
#include "source/source.h"
#include "machine/chain.h"
#include "machine/home.h"
#include "machine/console.h"
#include "fetch/fetch.h"
#include "domain/osinfo.h"
#include "domain/template.h"
#include "virt/domain.h"

#define ANY (-1)

typedef struct
{
  GQuark domain;
  int code; /* ANY for all codes that no earlier line lists */
  LmStatus status;
} Mapping;

static LmStatus
find_status (const Mapping *mappings, gsize n, const GError *error)
{
  for (gsize i = 0; i < n; i++)
    if (mappings[i].domain == error->domain && (mappings[i].code == ANY || mappings[i].code == error->code))
      return mappings[i].status;
  return LM_STATUS_FAILED;
}

/* Of the use cases that take in or give away files. */
static LmStatus
get_exchange_status (const GError *error)
{
  const Mapping mappings[] = {
    { LM_EXPORT_ERROR, LM_EXPORT_ERROR_NOT_CACHED, LM_STATUS_NOT_FOUND },
    { LM_EXPORT_ERROR, LM_EXPORT_ERROR_EXISTS, LM_STATUS_DIFFERENT },
    { LM_EXPORT_ERROR, LM_EXPORT_ERROR_CHANGED, LM_STATUS_REFUSED },
    { LM_IMPORT_ERROR, ANY, LM_STATUS_REFUSED },
    { LM_TAR_ERROR, ANY, LM_STATUS_REFUSED },
    { LM_UNPACK_ERROR, LM_UNPACK_ERROR_INVALID, LM_STATUS_REFUSED },
    { LM_BASE_IMAGE_ERROR, LM_BASE_IMAGE_ERROR_REQUEST, LM_STATUS_USAGE },
    { LM_BASE_IMAGE_ERROR, LM_BASE_IMAGE_ERROR_DIFFERENT, LM_STATUS_DIFFERENT },
    { LM_PUBLISH_ERROR, LM_PUBLISH_ERROR_UNKNOWN, LM_STATUS_NOT_FOUND },
    { LM_PUBLISH_ERROR, LM_PUBLISH_ERROR_MISSING, LM_STATUS_NOT_FOUND },
    { LM_PUBLISH_ERROR, LM_PUBLISH_ERROR_DAMAGED, LM_STATUS_REFUSED },
    { LM_PUBLISH_ERROR, ANY, LM_STATUS_DIFFERENT },
    { G_IO_ERROR, G_IO_ERROR_INVALID_DATA, LM_STATUS_REFUSED },
    { LM_IMAGE_FILE_ERROR, ANY, LM_STATUS_REFUSED },
    { LM_CHECKSUM_ERROR, LM_CHECKSUM_ERROR_INVALID, LM_STATUS_USAGE },
    { LM_CHECKSUM_ERROR, LM_CHECKSUM_ERROR_NOT_LISTED, LM_STATUS_REFUSED },
  };
  return find_status (mappings, G_N_ELEMENTS (mappings), error);
}

LmStatus
lm_status_of_error (const GError *error)
{
  const Mapping mappings[] = {
    { LM_CLI_ERROR, LM_CLI_ERROR_OUTPUT, LM_STATUS_FAILED },
    { LM_CLI_ERROR, ANY, LM_STATUS_USAGE },
    { LM_SETTINGS_ERROR, ANY, LM_STATUS_USAGE },
    { LM_SELECTION_ERROR, ANY, LM_STATUS_USAGE },
    { LM_DOMAIN_ERROR, ANY, LM_STATUS_USAGE },
    { LM_TEMPLATE_ERROR, ANY, LM_STATUS_USAGE },
    { LM_XML_ERROR, ANY, LM_STATUS_USAGE },
    { LM_OSINFO_ERROR, ANY, LM_STATUS_USAGE },
    { LM_IMAGE_ERROR, LM_IMAGE_ERROR_INVALID, LM_STATUS_USAGE },
    { LM_SOURCE_ERROR, LM_SOURCE_ERROR_NAME, LM_STATUS_USAGE },
    { LM_LAUNCH_ERROR, LM_LAUNCH_ERROR_REQUEST, LM_STATUS_USAGE },
    { LM_SOURCE_ERROR, LM_SOURCE_ERROR_EXISTS, LM_STATUS_DIFFERENT },
    { LM_RESOLVE_ERROR, ANY, LM_STATUS_NOT_FOUND },
    { LM_LAYER_NAMES_ERROR, LM_LAYER_NAMES_ERROR_AMBIGUOUS, LM_STATUS_USAGE },
    { LM_LAYER_NAMES_ERROR, LM_LAYER_NAMES_ERROR_UNKNOWN, LM_STATUS_NOT_FOUND },
    { LM_MACHINE_ERROR, LM_MACHINE_ERROR_NOT_FOUND, LM_STATUS_NOT_FOUND },
    { LM_SOURCE_ERROR, LM_SOURCE_ERROR_NOT_FOUND, LM_STATUS_NOT_FOUND },
    { LM_OBSTACLE_ERROR, ANY, LM_STATUS_LIBVIRT },
    { LM_PORT_ERROR, LM_PORT_ERROR_ADDRESS, LM_STATUS_USAGE },
    { LM_PORT_ERROR, LM_PORT_ERROR_BUSY, LM_STATUS_BUSY },
    { LM_LOCK_ERROR, ANY, LM_STATUS_BUSY },
    { LM_CACHE_ERROR, LM_CACHE_ERROR_BUSY, LM_STATUS_BUSY },
    { LM_FETCH_ERROR, LM_FETCH_ERROR_BUSY, LM_STATUS_BUSY },
    { LM_LAUNCH_ERROR, LM_LAUNCH_ERROR_NOT_READY, LM_STATUS_BUSY },
    { LM_CONSOLE_ERROR, ANY, LM_STATUS_BUSY },
    { LM_HTTP_ERROR, LM_HTTP_ERROR_LOCAL, LM_STATUS_FAILED },
    { LM_HTTP_ERROR, ANY, LM_STATUS_SOURCE },
    { LM_FETCH_ERROR, LM_FETCH_ERROR_SOURCE, LM_STATUS_SOURCE },
    { LM_SOURCE_ERROR, LM_SOURCE_ERROR_FETCH, LM_STATUS_SOURCE },
    { LM_FETCH_ERROR, LM_FETCH_ERROR_DIGEST, LM_STATUS_REFUSED },
    { LM_FETCH_ERROR, LM_FETCH_ERROR_REFUSED, LM_STATUS_REFUSED },
    { LM_IMAGE_ERROR, LM_IMAGE_ERROR_REFUSED, LM_STATUS_REFUSED },
    { LM_CHAIN_ERROR, LM_CHAIN_ERROR_BROKEN, LM_STATUS_REFUSED },
    { LM_COLLECT_ERROR, LM_COLLECT_ERROR_NO_SPACE, LM_STATUS_NO_SPACE },
    { LM_COLLECT_ERROR, LM_COLLECT_ERROR_UNKNOWN, LM_STATUS_LIBVIRT },
    { LM_COLLECT_ERROR, LM_COLLECT_ERROR_BUSY, LM_STATUS_BUSY },
    { LM_VERIFICATION_ERROR, LM_VERIFICATION_ERROR_DAMAGED, LM_STATUS_DAMAGED },
    { LM_HOME_ERROR, ANY, LM_STATUS_REFUSED },
    { LM_ADOPTION_ERROR, ANY, LM_STATUS_REFUSED },
    { LM_VIRT_ERROR, LM_VIRT_ERROR_NO_SPACE, LM_STATUS_NO_SPACE },
    { LM_VIRT_ERROR, LM_VIRT_ERROR_TIMED_OUT, LM_STATUS_BUSY },
    { LM_VIRT_ERROR, LM_VIRT_ERROR_INTERRUPTED, LM_STATUS_FAILED },
    { LM_VIRT_ERROR, ANY, LM_STATUS_LIBVIRT },
    { LM_CACHE_ERROR, LM_CACHE_ERROR_NO_SPACE, LM_STATUS_NO_SPACE },
    { LM_FETCH_ERROR, LM_FETCH_ERROR_NO_SPACE, LM_STATUS_NO_SPACE },
    { LM_RUN_ERROR, LM_RUN_ERROR_NO_SPACE, LM_STATUS_NO_SPACE },
    { G_IO_ERROR, G_IO_ERROR_NO_SPACE, LM_STATUS_NO_SPACE },
    { G_IO_ERROR, G_IO_ERROR_BUSY, LM_STATUS_BUSY },
  };
  LmStatus status = find_status (mappings, G_N_ELEMENTS (mappings), error);
  return status != LM_STATUS_FAILED ? status : get_exchange_status (error);
}

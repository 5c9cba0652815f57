/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "config.h"
#include "cli/status.h"
#include "author/base-image.h"
#include "author/builder.h"
#include "author/capture.h"
#include "author/image-file.h"
#include "author/launch-roles.h"
#include "author/local-entry.h"
#include "author/machine-disk.h"
#include "author/publish.h"
#include "base/checksum.h"
#include "base/lock.h"
#include "base/url.h"
#include "base/yaml.h"
#include "build/appliance.h"
#include "build/packages.h"
#include "build/recipe-lock.h"
#include "build/repository.h"
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
#include "ops/output-file.h"
#include "ops/port.h"
#include "ops/readiness.h"
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
  GQuark (*domain) (void);
  int code; /* ANY for all codes that no earlier line lists */
  LmStatus status;
} Mapping;

/* Errors that are not listed are failures of other kinds. */
static const Mapping mappings[] = {
  { lm_cli_error_quark, LM_CLI_ERROR_OUTPUT, LM_STATUS_FAILED },
  { lm_cli_error_quark, ANY, LM_STATUS_USAGE },
  { lm_settings_error_quark, ANY, LM_STATUS_USAGE },
  { lm_selection_error_quark, ANY, LM_STATUS_USAGE },
  { lm_domain_error_quark, ANY, LM_STATUS_USAGE },
  { lm_template_error_quark, ANY, LM_STATUS_USAGE },
  { lm_xml_error_quark, ANY, LM_STATUS_USAGE },
  { lm_osinfo_error_quark, ANY, LM_STATUS_USAGE },
  { lm_image_error_quark, LM_IMAGE_ERROR_INVALID, LM_STATUS_USAGE },
  { lm_source_error_quark, LM_SOURCE_ERROR_NAME, LM_STATUS_USAGE },
  { lm_launch_error_quark, LM_LAUNCH_ERROR_REQUEST, LM_STATUS_USAGE },
  { lm_readiness_error_quark, LM_READINESS_ERROR_UNKNOWN, LM_STATUS_USAGE },
  { lm_source_error_quark, LM_SOURCE_ERROR_EXISTS, LM_STATUS_DIFFERENT },
  { lm_launch_error_quark, LM_LAUNCH_ERROR_DIFFERENT, LM_STATUS_DIFFERENT },
  { lm_local_entry_error_quark, ANY, LM_STATUS_USAGE },
  { lm_launch_roles_error_quark, ANY, LM_STATUS_NOT_FOUND },
  { lm_resolve_error_quark, ANY, LM_STATUS_NOT_FOUND },
  { lm_layer_names_error_quark, LM_LAYER_NAMES_ERROR_AMBIGUOUS, LM_STATUS_USAGE },
  { lm_layer_names_error_quark, LM_LAYER_NAMES_ERROR_UNKNOWN, LM_STATUS_NOT_FOUND },
  { lm_machine_error_quark, LM_MACHINE_ERROR_NOT_FOUND, LM_STATUS_NOT_FOUND },
  { lm_source_error_quark, LM_SOURCE_ERROR_NOT_FOUND, LM_STATUS_NOT_FOUND },
  { lm_obstacle_error_quark, ANY, LM_STATUS_LIBVIRT },
  { lm_port_error_quark, LM_PORT_ERROR_ADDRESS, LM_STATUS_USAGE },
  { lm_port_error_quark, LM_PORT_ERROR_BUSY, LM_STATUS_BUSY },
  { lm_lock_error_quark, ANY, LM_STATUS_BUSY },
  { lm_cache_error_quark, LM_CACHE_ERROR_BUSY, LM_STATUS_BUSY },
  { lm_fetch_error_quark, LM_FETCH_ERROR_BUSY, LM_STATUS_BUSY },
  { lm_readiness_error_quark, LM_READINESS_ERROR_NOT_YET, LM_STATUS_BUSY },
  { lm_console_error_quark, ANY, LM_STATUS_BUSY },
  { lm_http_error_quark, LM_HTTP_ERROR_LOCAL, LM_STATUS_FAILED },
  { lm_http_error_quark, ANY, LM_STATUS_SOURCE },
  { lm_fetch_error_quark, LM_FETCH_ERROR_SOURCE, LM_STATUS_SOURCE },
  { lm_source_error_quark, LM_SOURCE_ERROR_FETCH, LM_STATUS_SOURCE },
  { lm_fetch_error_quark, LM_FETCH_ERROR_DIGEST, LM_STATUS_REFUSED },
  { lm_fetch_error_quark, LM_FETCH_ERROR_REFUSED, LM_STATUS_REFUSED },
  { lm_image_error_quark, LM_IMAGE_ERROR_REFUSED, LM_STATUS_REFUSED },
  { lm_chain_error_quark, LM_CHAIN_ERROR_BROKEN, LM_STATUS_REFUSED },
  { lm_collect_error_quark, LM_COLLECT_ERROR_NO_SPACE, LM_STATUS_NO_SPACE },
  { lm_collect_error_quark, LM_COLLECT_ERROR_UNKNOWN, LM_STATUS_LIBVIRT },
  { lm_collect_error_quark, LM_COLLECT_ERROR_BUSY, LM_STATUS_BUSY },
  { lm_verification_error_quark, LM_VERIFICATION_ERROR_DAMAGED, LM_STATUS_DAMAGED },
  { lm_home_error_quark, ANY, LM_STATUS_REFUSED },
  { lm_adoption_error_quark, ANY, LM_STATUS_REFUSED },
  { lm_virt_error_quark, LM_VIRT_ERROR_NO_SPACE, LM_STATUS_NO_SPACE },
  { lm_virt_error_quark, LM_VIRT_ERROR_TIMED_OUT, LM_STATUS_BUSY },
  { lm_virt_error_quark, LM_VIRT_ERROR_INTERRUPTED, LM_STATUS_FAILED },
  { lm_virt_error_quark, ANY, LM_STATUS_LIBVIRT },
  { lm_cache_error_quark, LM_CACHE_ERROR_NO_SPACE, LM_STATUS_NO_SPACE },
  { lm_fetch_error_quark, LM_FETCH_ERROR_NO_SPACE, LM_STATUS_NO_SPACE },
  { lm_run_error_quark, LM_RUN_ERROR_NO_SPACE, LM_STATUS_NO_SPACE },
  { g_io_error_quark, G_IO_ERROR_NO_SPACE, LM_STATUS_NO_SPACE },
  { g_io_error_quark, G_IO_ERROR_BUSY, LM_STATUS_BUSY },
  { lm_export_error_quark, LM_EXPORT_ERROR_NOT_CACHED, LM_STATUS_NOT_FOUND },
  { lm_output_file_error_quark, ANY, LM_STATUS_DIFFERENT },
  { lm_export_error_quark, LM_EXPORT_ERROR_CHANGED, LM_STATUS_REFUSED },
  { lm_import_error_quark, ANY, LM_STATUS_REFUSED },
  { lm_tar_error_quark, ANY, LM_STATUS_REFUSED },
  { lm_unpack_error_quark, LM_UNPACK_ERROR_INVALID, LM_STATUS_REFUSED },
  { lm_unpack_error_quark, LM_UNPACK_ERROR_TOO_BIG, LM_STATUS_REFUSED },
  { lm_base_image_error_quark, LM_BASE_IMAGE_ERROR_REQUEST, LM_STATUS_USAGE },
  { lm_base_image_error_quark, LM_BASE_IMAGE_ERROR_DIFFERENT, LM_STATUS_DIFFERENT },
  { lm_builder_error_quark, LM_BUILDER_ERROR_REQUEST, LM_STATUS_USAGE },
  { lm_builder_error_quark, LM_BUILDER_ERROR_DIFFERENT, LM_STATUS_DIFFERENT },
  { lm_capture_error_quark, LM_CAPTURE_ERROR_REQUEST, LM_STATUS_USAGE },
  { lm_capture_error_quark, LM_CAPTURE_ERROR_UNLISTED, LM_STATUS_NOT_FOUND },
  { lm_capture_error_quark, LM_CAPTURE_ERROR_DIFFERENT, LM_STATUS_DIFFERENT },
  { lm_machine_disk_error_quark, LM_MACHINE_DISK_ERROR_BUSY, LM_STATUS_BUSY },
  { lm_machine_disk_error_quark, LM_MACHINE_DISK_ERROR_MISSING, LM_STATUS_NOT_FOUND },
  { lm_machine_disk_error_quark, LM_MACHINE_DISK_ERROR_STRANGE, LM_STATUS_REFUSED },
  { lm_recipe_lock_error_quark, ANY, LM_STATUS_USAGE },
  { lm_publish_error_quark, LM_PUBLISH_ERROR_UNKNOWN, LM_STATUS_NOT_FOUND },
  { lm_publish_error_quark, LM_PUBLISH_ERROR_MISSING, LM_STATUS_NOT_FOUND },
  { lm_publish_error_quark, LM_PUBLISH_ERROR_DAMAGED, LM_STATUS_REFUSED },
  { lm_publish_error_quark, ANY, LM_STATUS_DIFFERENT },
  { g_io_error_quark, G_IO_ERROR_INVALID_DATA, LM_STATUS_REFUSED },
  { lm_image_file_error_quark, ANY, LM_STATUS_REFUSED },
  { lm_checksum_error_quark, LM_CHECKSUM_ERROR_INVALID, LM_STATUS_USAGE },
  { lm_checksum_error_quark, LM_CHECKSUM_ERROR_NOT_LISTED, LM_STATUS_REFUSED },
  { lm_appliance_error_quark, LM_APPLIANCE_ERROR_IMAGE, LM_STATUS_REFUSED },
  { lm_appliance_error_quark, LM_APPLIANCE_ERROR_NO_SPACE, LM_STATUS_NO_SPACE },
  { lm_packages_error_quark, LM_PACKAGES_ERROR_INVALID, LM_STATUS_SOURCE },
  { lm_packages_error_quark, ANY, LM_STATUS_NOT_FOUND },
  { lm_repository_error_quark, LM_REPOSITORY_ERROR_DIGEST, LM_STATUS_REFUSED },
  { lm_repository_error_quark, ANY, LM_STATUS_SOURCE },
  { lm_url_error_quark, ANY, LM_STATUS_USAGE },
  { lm_yaml_error_quark, ANY, LM_STATUS_USAGE },
};

LmStatus
lm_status_of_error (const GError *error)
{
  for (gsize i = 0; i < G_N_ELEMENTS (mappings); i++)
    if (mappings[i].domain () == error->domain && (mappings[i].code == ANY || mappings[i].code == error->code))
      return mappings[i].status;
  return LM_STATUS_FAILED;
}

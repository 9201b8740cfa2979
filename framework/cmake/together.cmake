# Several sources in one compilation, for builds nobody edits in: most of the work of a source is the headers it shares
# with the others. apus_compile_together(FOLDER) makes every target of FOLDER, and of the folders below it, do so.
#
# Sources of one compilation share their unnamed namespace, so those that keep a name to themselves which another source
# of their target has too are compiled alone: here they are. "redefinition of ..." in such a build means one more line,
# or a better name.
set(APUS_ALONE
  framework/crypto/digest.cpp
  framework/http/head_parser.cpp
  framework/message/text.cpp
  framework/pickle/flat_dict.cpp
  framework/ring/ring.cpp
  framework/ring/ring_file.cpp
  framework/store/db/account_broker.cpp
  framework/store/db/account_schema.cpp
  framework/transport/http_transport.cpp
  middleware/slo/delete.cpp
  middleware/slo/get.cpp
  middleware/slo/walk.cpp
  middleware/versioned_writes/object_versions.cpp
  middleware/versioned_writes/version_listings.cpp
  plugins/container-reconciler/container_policies.cpp
  plugins/drive-audit/mounted_drives.cpp
  servers/proxy/best_response.cpp
  servers/proxy/container_controller.cpp
  servers/proxy/object_controller.cpp
  servers/proxy/shard_ranges.cpp
  tests/unit/commands/ring.cpp
  tests/unit/http/server.cpp
  tests/unit/middleware/encryption.cpp
  tests/unit/middleware/listing_formats.cpp
  tests/unit/object/suffix_hashes.cpp
  tests/unit/object_daemons/expirer.cpp
  tests/unit/object_replicator/passes.cpp
  tests/unit/ring/builder_file.cpp
  tests/unit/ring/rebalance.cpp
  tests/unit/servers_database/containers.cpp
  tests/unit/ssync/protocol.cpp)

function(apus_compile_together folder)
  apus_targets_below(${folder} targets)
  list(TRANSFORM APUS_ALONE PREPEND ${CMAKE_SOURCE_DIR}/ OUTPUT_VARIABLE alone)
  foreach(target IN LISTS targets)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON)
    set_source_files_properties(${alone} TARGET_DIRECTORY ${target}
      PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
  endforeach()
endfunction()

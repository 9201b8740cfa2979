# How a plugin is built: inside this tree and, installed with the SDK, in anyone's.
include_guard(GLOBAL)
include(GNUInstallDirs)

# apus_plugin(NAME SOURCE...): one shared object, NAME.so in lib/apus of the build folder, installed into lib/apus.
# NAME is the name its export line says. The target can be given further sources, folders and libraries.
function(apus_plugin name)
  add_library(${name} MODULE ${ARGN})
  target_link_libraries(${name} PRIVATE apus::apus)
  set_target_properties(${name} PROPERTIES
    PREFIX "" SUFFIX ".so" CXX_EXTENSIONS OFF CXX_VISIBILITY_PRESET hidden VISIBILITY_INLINES_HIDDEN ON
    LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib/apus
    BUILD_RPATH "$ORIGIN/.." INSTALL_RPATH "$ORIGIN/..")
  set_property(GLOBAL APPEND PROPERTY APUS_PLUGINS ${name})
  install(TARGETS ${name} LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR}/apus)
endfunction()

# apus_middleware(NAME SOURCE...): a filter. apus_plugin by the name that deployers know.
function(apus_middleware name)
  apus_plugin(${name} ${ARGN})
endfunction()

# apus_test(NAME SOURCE... [PLUGINS NAME...]): a test program that finds the plugins of this project and the installed
# ones by name; `ctest` runs it.
function(apus_test name)
  cmake_parse_arguments(PARSE_ARGV 1 arg "" "" "PLUGINS")
  add_executable(${name} ${arg_UNPARSED_ARGUMENTS})
  target_link_libraries(${name} PRIVATE apus::apus_testing)
  set_target_properties(${name} PROPERTIES CXX_EXTENSIONS OFF RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
  if(arg_PLUGINS)
    add_dependencies(${name} ${arg_PLUGINS})
  endif()
  add_test(NAME ${name} COMMAND ${name})
endfunction()

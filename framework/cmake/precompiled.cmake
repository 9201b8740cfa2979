# The standard library, parsed once for the whole tree: apus_precompile() makes every target of it start from one
# precompiled header. Only for presets whose builds nobody edits in (a missing #include does not show here: release,
# which has none of this, shows it).
set(APUS_PRECOMPILED <algorithm> <array> <atomic> <charconv> <chrono> <condition_variable> <filesystem> <fstream>
  <functional> <iostream> <map> <memory> <mutex> <optional> <set> <span> <sstream> <stdexcept> <string>
  <string_view> <system_error> <thread> <utility> <variant> <vector>)

# One header serves programs and libraries, with and without what Poco's headers define: all are compiled as libraries
# are, and a definition that the header has and a target has not does no harm.
function(apus_precompile)
  apus_targets_below(${CMAKE_SOURCE_DIR} targets)
  file(CONFIGURE OUTPUT ${CMAKE_BINARY_DIR}/precompiled.cpp CONTENT "")
  add_library(apus_precompiled OBJECT ${CMAKE_BINARY_DIR}/precompiled.cpp)
  target_link_libraries(apus_precompiled PRIVATE Poco::Net)
  target_precompile_headers(apus_precompiled PRIVATE ${APUS_PRECOMPILED})
  foreach(target IN LISTS targets)
    target_compile_options(${target} PRIVATE -fPIC)
    target_precompile_headers(${target} REUSE_FROM apus_precompiled)
  endforeach()
endfunction()

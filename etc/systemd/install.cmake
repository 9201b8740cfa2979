# Run by `cmake --install`: the units name the executable where it was put, whatever the prefix of that install.
# Wants APUS_UNITS (this folder), APUS_BINDIR and APUS_UNITDIR (both below the prefix).
file(READ ${APUS_UNITS}/hardening.in HARDENING)
get_filename_component(BINDIR ${APUS_BINDIR} ABSOLUTE BASE_DIR ${CMAKE_INSTALL_PREFIX})
get_filename_component(UNITDIR ${APUS_UNITDIR} ABSOLUTE BASE_DIR ${CMAKE_INSTALL_PREFIX})

function(write_unit template name)
  message(STATUS "Installing: $ENV{DESTDIR}${UNITDIR}/${name}")
  file(READ ${APUS_UNITS}/${template} text)
  foreach(key SERVER CONF DEFAULT BINDIR CAPABILITIES HARDENING)
    string(REPLACE "@${key}@" "${${key}}" text "${text}")
  endforeach()
  file(WRITE $ENV{DESTDIR}${UNITDIR}/${name} "${text}")
endfunction()

foreach(SERVER proxy account container object)
  set(CAPABILITIES "CapabilityBoundingSet=")
  if(SERVER STREQUAL proxy)  # ports 80 and 443
    set(CAPABILITIES "CapabilityBoundingSet=CAP_NET_BIND_SERVICE\nAmbientCapabilities=CAP_NET_BIND_SERVICE")
  endif()
  write_unit(server.service.in apus-${SERVER}.service)
endforeach()
set(DEFAULT "DefaultInstance=replicator\n")
foreach(SERVER account container object)
  set(CONF ${SERVER}-server)
  write_unit(daemon@.service.in apus-${SERVER}@.service)
endforeach()
set(DEFAULT "")
set(SERVER container)  # the one daemon with a conf of its own
set(CONF container-reconciler)
write_unit(daemon@.service.in apus-container@reconciler.service)
write_unit(drive-audit.service.in apus-drive-audit.service)

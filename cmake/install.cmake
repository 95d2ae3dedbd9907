# Headers, the CMake package and one pkg-config file a component. All of it is independent of the architecture.
include(CMakePackageConfigHelpers)

set(package ${CMAKE_INSTALL_DATADIR}/cmake/tern)
set(pkgconfig ${CMAKE_INSTALL_DATADIR}/pkgconfig)
set(generated ${PROJECT_BINARY_DIR}/package)

install(DIRECTORY include/tern DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN *.hpp PATTERN *.inc)

configure_package_config_file(cmake/tern-config.cmake.in ${generated}/tern-config.cmake INSTALL_DESTINATION ${package})
write_basic_package_version_file(
  ${generated}/tern-config-version.cmake COMPATIBILITY SameMinorVersion ARCH_INDEPENDENT)
install(FILES ${generated}/tern-config.cmake ${generated}/tern-config-version.cmake cmake/dependencies.cmake
              cmake/compiled_kernels.cmake cmake/compiled_kernels.cpp DESTINATION ${package})

file(RELATIVE_PATH pc_to_prefix ${CMAKE_INSTALL_FULL_DATADIR}/pkgconfig ${CMAKE_INSTALL_PREFIX})
foreach(component IN LISTS TERN_AVAILABLE)
  install(TARGETS tern_${component} EXPORT tern-${component})
  install(EXPORT tern-${component} NAMESPACE tern:: DESTINATION ${package})

  set(pc_requires ${TERN_USES_${component}})
  list(TRANSFORM pc_requires PREPEND tern-)
  list(TRANSFORM pc_requires REPLACE "^tern-tern$" tern)
  list(APPEND pc_requires ${TERN_REQUIRES_${component}})
  list(JOIN TERN_LIBRARIES_${component} " " pc_libraries)
  list(JOIN pc_requires " " pc_requires)
  set(pc_name tern-${component})
  set(pc_threads)
  if(component STREQUAL "tern")
    set(pc_name tern)
    set(pc_threads -pthread)
  endif()
  configure_file(cmake/tern.pc.in ${generated}/${pc_name}.pc @ONLY)
  install(FILES ${generated}/${pc_name}.pc DESTINATION ${pkgconfig})
endforeach()

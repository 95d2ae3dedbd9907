# What tern's own programs share, and its users never see.
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${PROJECT_BINARY_DIR}/bin)
set(CMAKE_CXX_EXTENSIONS OFF)

find_program(TERN_CCACHE ccache)
if(TERN_CCACHE AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${TERN_CCACHE})
endif()

add_library(tern_warnings INTERFACE)
target_compile_options(tern_warnings INTERFACE -Wall -Wextra -Wpedantic -Wshadow)
# GCC 12 sees overlaps within std::string's operator+ that are not there (its bug 105651).
target_compile_options(tern_warnings INTERFACE $<$<CXX_COMPILER_ID:GNU>:-Wno-restrict>)

# tern_program(<target> [HEADERS_ALONE] SOURCES <file>... USES <component>...) builds one program into bin/; it is left out
# where a component is. The kernels are those compiled once for all programs, unless HEADERS_ALONE.
function(tern_program target)
  cmake_parse_arguments(PARSE_ARGV 1 arg "HEADERS_ALONE" "" "SOURCES;USES")
  list(TRANSFORM arg_USES PREPEND tern::)
  foreach(used IN LISTS arg_USES)
    if(NOT TARGET ${used})
      message(STATUS "${target} is left out: it needs ${used}")
      return()
    endif()
  endforeach()
  add_executable(${target} ${arg_SOURCES})
  target_link_libraries(${target} PRIVATE ${arg_USES} tern_warnings)
  if(NOT arg_HEADERS_ALONE)
    target_link_libraries(${target} PRIVATE tern::compiled_kernels)
  endif()
endfunction()

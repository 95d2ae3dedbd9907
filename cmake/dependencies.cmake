# What each component stands on. tern's own build and the installed package both read this, so they cannot disagree.
#
#   TERN_COMPONENTS                 every component, each after those it uses
#   TERN_USES_<component>           the components it uses
#   TERN_LINKS_<component>          the targets it links
#   TERN_REQUIRES_<component>       the same for pkg-config
#   TERN_LIBRARIES_<component>      libraries that no pkg-config module speaks for
#   tern_find_dependencies(<component>)
#                                   makes those targets visible everywhere; sets tern_missing to what was not found
#
# Minimum versions are compared here because the packages' own version files refuse every other major version.

set(TERN_COMPONENTS kernels tern io text experiment)

set(TERN_USES_kernels)
set(TERN_LINKS_kernels tern::xsimd)
set(TERN_REQUIRES_kernels xsimd)

set(TERN_USES_tern kernels)
set(TERN_LINKS_tern Eigen3::Eigen Threads::Threads)
set(TERN_REQUIRES_tern eigen3)

set(TERN_USES_io tern)
set(TERN_LINKS_io nlohmann_json::nlohmann_json)
set(TERN_REQUIRES_io nlohmann_json)

set(TERN_USES_text tern)
set(TERN_LINKS_text nlohmann_json::nlohmann_json PkgConfig::TERN_PCRE2 PkgConfig::TERN_ICU PkgConfig::TERN_GMIME
                    PkgConfig::TERN_GUMBO tern::cld2)
set(TERN_REQUIRES_text nlohmann_json libpcre2-8 icu-uc gmime-3.0 gumbo)
set(TERN_LIBRARIES_text -lcld2)

set(TERN_USES_experiment io text)
set(TERN_LINKS_experiment)
set(TERN_REQUIRES_experiment)

macro(tern_find_package name target minimum)
  find_package(${name} QUIET)
  if(NOT TARGET ${target} OR ${name}_VERSION VERSION_LESS ${minimum})
    list(APPEND tern_missing "${name} >= ${minimum}")
  endif()
endmacro()

macro(tern_find_module target module)
  find_package(PkgConfig QUIET)
  if(PkgConfig_FOUND AND NOT TARGET PkgConfig::${target})
    pkg_check_modules(${target} QUIET IMPORTED_TARGET GLOBAL ${module})
  endif()
  if(NOT TARGET PkgConfig::${target})
    list(APPEND tern_missing ${module})
  endif()
endmacro()

# Debian's xsimd target links xtl, which its headers use for complex numbers alone and which it does not bring along:
# take nothing but the headers.
macro(tern_take_xsimd)
  if(TARGET xsimd AND NOT TARGET tern::xsimd)
    get_target_property(tern_xsimd_headers xsimd INTERFACE_INCLUDE_DIRECTORIES)
    add_library(tern::xsimd INTERFACE IMPORTED GLOBAL)
    target_include_directories(tern::xsimd SYSTEM INTERFACE ${tern_xsimd_headers})
  endif()
endmacro()

# CLD2 comes without a package file.
macro(tern_find_cld2)
  find_path(TERN_CLD2_HEADERS cld2/public/compact_lang_det.h)
  find_library(TERN_CLD2_LIBRARY cld2)
  mark_as_advanced(TERN_CLD2_HEADERS TERN_CLD2_LIBRARY)
  if(TERN_CLD2_HEADERS AND TERN_CLD2_LIBRARY)
    if(NOT TARGET tern::cld2)
      add_library(tern::cld2 UNKNOWN IMPORTED GLOBAL)
      set_target_properties(tern::cld2 PROPERTIES IMPORTED_LOCATION ${TERN_CLD2_LIBRARY}
                                                  INTERFACE_INCLUDE_DIRECTORIES ${TERN_CLD2_HEADERS})
    endif()
  else()
    list(APPEND tern_missing cld2)
  endif()
endmacro()

macro(tern_find_dependencies component)
  set(tern_missing)
  set(tern_previous_global ${CMAKE_FIND_PACKAGE_TARGETS_GLOBAL})
  set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ON)
  if("${component}" STREQUAL "kernels")
    tern_find_package(xsimd xsimd 8.1)
    tern_take_xsimd()
  elseif("${component}" STREQUAL "tern")
    tern_find_package(Eigen3 Eigen3::Eigen 3.4)
    find_package(Threads QUIET)
    if(NOT Threads_FOUND)
      list(APPEND tern_missing Threads)
    endif()
  elseif("${component}" STREQUAL "io")
    tern_find_package(nlohmann_json nlohmann_json::nlohmann_json 3.11)
  elseif("${component}" STREQUAL "text")
    tern_find_package(nlohmann_json nlohmann_json::nlohmann_json 3.11)
    tern_find_module(TERN_PCRE2 libpcre2-8)
    tern_find_module(TERN_ICU icu-uc)
    tern_find_module(TERN_GMIME gmime-3.0)
    tern_find_module(TERN_GUMBO gumbo)
    tern_find_cld2()
  endif()
  set(CMAKE_FIND_PACKAGE_TARGETS_GLOBAL ${tern_previous_global})
endmacro()

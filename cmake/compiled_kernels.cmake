# tern::compiled_kernels: the kernels in a library, for programs of many files. Those that link it read declarations
# where they would compile every kernel again. Built only where it is linked; optimised in every configuration.
function(tern_compiled_kernels)
  add_library(tern_compiled_kernels STATIC EXCLUDE_FROM_ALL ${CMAKE_CURRENT_FUNCTION_LIST_DIR}/compiled_kernels.cpp)
  add_library(tern::compiled_kernels ALIAS tern_compiled_kernels)
  target_link_libraries(tern_compiled_kernels PUBLIC tern::kernels)
  target_compile_definitions(tern_compiled_kernels PUBLIC TERN_COMPILED_KERNELS)
  target_compile_options(tern_compiled_kernels PRIVATE $<$<CONFIG:,Debug>:-O2>)
  set_target_properties(tern_compiled_kernels PROPERTIES POSITION_INDEPENDENT_CODE ON)
endfunction()

# Toolchain: AArch64 on Debian's cross compiler, or on Clang with its libraries; programs run under qemu-user.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR aarch64)
if(NOT CMAKE_CXX_COMPILER)
  set(CMAKE_CXX_COMPILER aarch64-linux-gnu-g++)
endif()
set(CMAKE_CXX_COMPILER_TARGET aarch64-linux-gnu)
find_program(TERN_QEMU qemu-aarch64 REQUIRED)
set(CMAKE_CROSSCOMPILING_EMULATOR ${TERN_QEMU} -L /usr/aarch64-linux-gnu)

# Libraries of headers alone are this machine's, found after all that is the compiler's own.
set(CMAKE_CXX_FLAGS_INIT "-idirafter /usr/include")
file(GLOB xsimd_DIR /usr/lib/*/cmake/xsimd)

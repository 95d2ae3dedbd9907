# Pinned sources of the two libraries that tern cannot do without, for machines that lack them.
include(FetchContent)

# Eigen's own tests and documentation stay out.
set(CMAKE_POLICY_DEFAULT_CMP0077 NEW)
set(BUILD_TESTING OFF)
set(EIGEN_BUILD_DOC OFF)
set(EIGEN_BUILD_PKGCONFIG OFF)
FetchContent_Declare(
  Eigen3
  GIT_REPOSITORY https://gitlab.com/libeigen/eigen.git
  GIT_TAG 3147391d946bb4b6c68edd901f2add6ac1f31f8c # 3.4.0
  SYSTEM)
FetchContent_Declare(
  xsimd
  GIT_REPOSITORY https://github.com/xtensor-stack/xsimd.git
  GIT_TAG 1577b02d549cca52aa5e943c16f2600950480289 # 8.1.0
  SYSTEM)

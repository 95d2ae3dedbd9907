#!/bin/sh
# build.sh <compiler> <prefix> <folder>: builds and runs the consumer with pkg-config and no build system.
set -eu
PKG_CONFIG_PATH=$2/share/pkgconfig
export PKG_CONFIG_PATH
mkdir -p "$3"
# shellcheck disable=SC2046
$1 -std=c++20 $(pkg-config --cflags tern) "$(dirname "$0")/../main.cpp" -o "$3/consumer" $(pkg-config --libs tern)
"$3/consumer"

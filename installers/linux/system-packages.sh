#!/usr/bin/env bash
# Installs what PySide6 and the virtual environment need on Debian and Ubuntu, or says the one
# command that does. Prints nothing when everything is there. With --tests also the servers that
# the suite starts for itself; none of them is left running. With the argument `packaging`: what
# builds and tests the installers, instead.
set -euo pipefail

packages=(
  python3-venv
  libegl1 libgl1 libxkbcommon0 libfontconfig1 libfreetype6 libglib2.0-0 libdbus-1-3
  libxkbcommon-x11-0 libxcb-cursor0 libxcb-icccm4 libxcb-image0 libxcb-keysyms1 libxcb-randr0
  libxcb-render-util0 libxcb-shape0 libxcb-xkb1 libx11-xcb1 fonts-dejavu-core
)
test_packages=(postgresql redis-server prometheus)
if [ "${1:-}" = "--tests" ]; then packages+=("${test_packages[@]}"); fi

if [ "${1:-}" = packaging ]; then
  packages=(binutils patchelf dpkg-dev fakeroot debootstrap msitools osslsigncode wixl wine wine64)
fi

command -v dpkg-query >/dev/null 2>&1 || {
  case "$(uname -s)" in
    Linux) echo "Not a Debian system: install Qt 6's runtime libraries (EGL, GL, xkbcommon, fontconfig, xcb)." >&2 ;;
  esac
  exit 0
}

missing=()
for package in "${packages[@]}"; do
  dpkg-query -W -f='${Status}' "$package" 2>/dev/null | grep -q '^install ok installed$' || missing+=("$package")
done
# A Python that brings venv and pip of its own does not need Debian's.
if python3 -c 'import venv, ensurepip' >/dev/null 2>&1; then
  missing=("${missing[@]/python3-venv/}")
fi
missing=(${missing[@]:-})
[ "${#missing[@]}" -eq 0 ] && exit 0

install="apt-get install --yes --no-install-recommends ${missing[*]}"
if [ "$(id -u)" -eq 0 ]; then
  echo "Installing system libraries: ${missing[*]}"
  export DEBIAN_FRONTEND=noninteractive
  apt-get update -qq
  $install -qq >/dev/null
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
  echo "Installing system libraries: ${missing[*]}"
  sudo -n apt-get update -qq
  sudo -n env DEBIAN_FRONTEND=noninteractive $install -qq >/dev/null
else
  echo "Vereda needs system libraries this account may not install. Run once, then try again:" >&2
  echo "  sudo $install" >&2
  exit 1
fi

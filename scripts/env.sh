# Source me, from any folder: puts the built package and `damage-perception` on the path of a shell.
# shellcheck shell=bash
_damage_perception_env() {
  local root="$1" site
  if [[ -n "${ROS_DISTRO:-}" ]]; then
    echo "damage_perception: ROS 2 $ROS_DISTRO is sourced here and must not be mixed with the one in $root/.venv; use a shell without it, or source the install folder of your own \`colcon build\`." >&2
    return 1
  fi
  if [[ ! -x "$root/.venv/bin/python" ]]; then
    echo "damage_perception: $root/.venv is missing; run bash $root/scripts/setup.sh first." >&2
    return 1
  fi
  site="$(echo "$root"/.venv/lib/python3.*/site-packages)"
  # From scratch, so that sourcing twice changes nothing.
  export VIRTUAL_ENV="$root/.venv"
  export AMENT_PREFIX_PATH="$VIRTUAL_ENV"
  export CMAKE_PREFIX_PATH="$VIRTUAL_ENV"
  export PYTHONPATH="$site"
  [[ ":$PATH:" == *":$VIRTUAL_ENV/bin:"* ]] || export PATH="$VIRTUAL_ENV/bin:$PATH"
  [[ "${2:-}" == --base ]] && return
  if [[ ! -f "$root/install/damage_perception/share/damage_perception/package.xml" ]]; then
    echo "damage_perception: the package is not built; run bash $root/scripts/setup.sh first." >&2
    return 1
  fi
  local prefix="$root/install/damage_perception"
  export AMENT_PREFIX_PATH="$prefix:$AMENT_PREFIX_PATH"
  export CMAKE_PREFIX_PATH="$prefix:$CMAKE_PREFIX_PATH"
  export PYTHONPATH="$prefix/${site#"$VIRTUAL_ENV/"}:$PYTHONPATH"
  [[ ":$PATH:" == *":$prefix/bin:"* ]] || export PATH="$prefix/bin:$PATH"
  [[ ":${LD_LIBRARY_PATH:-}:" == *":$prefix/lib:"* ]] || export LD_LIBRARY_PATH="$prefix/lib${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
  # Fast DDS 2 (Jazzy) reads the first, 3 (Kilted) the second; one that the user chose stays.
  export FASTRTPS_DEFAULT_PROFILES_FILE="${FASTRTPS_DEFAULT_PROFILES_FILE:-$prefix/share/damage_perception/config/fastdds.xml}"
  export FASTDDS_DEFAULT_PROFILES_FILE="${FASTDDS_DEFAULT_PROFILES_FILE:-$FASTRTPS_DEFAULT_PROFILES_FILE}"
}
_damage_perception_env "$(cd "$(dirname "${BASH_SOURCE[0]:-$0}")/.." && pwd)" "$@"

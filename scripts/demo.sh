#!/usr/bin/env bash
# Sets everything up, then sends a sample recording through the nodes: results in out/demo/.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash scripts/setup.sh
source scripts/env.sh
exec damage-perception demo "$@"

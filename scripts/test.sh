#!/usr/bin/env bash
# Sets everything up, then checks style, types and behaviour. Arguments go to pytest.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
bash scripts/setup.sh test train
source scripts/env.sh
ruff check .
ruff format --check .
mypy
# `python -m pytest` would put this folder, without the built interfaces, before the install space.
exec pytest "$@"

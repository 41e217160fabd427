#!/usr/bin/env python3
"""Write the scenario recordings; `damage_perception.recording.scenarios` says what is in them.

Call: `python3 scripts/make_scenarios.py OUT [NAME ...] [--seed S]`.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from damage_perception.errors import CallError, UserError
from damage_perception.recording.scenarios import SCENARIOS, write_scenario


def main() -> None:
    """Write those that are named, or all."""
    parser = argparse.ArgumentParser(description='Write the scenario recordings.')
    parser.add_argument('out', type=Path, help='folder that gets a recording a scenario')
    parser.add_argument('names', nargs='*', help=f'any of {", ".join(SCENARIOS)}; all if none')
    parser.add_argument('--seed', type=int, default=0)
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(SCENARIOS):
        parser.error(f'unknown: {", ".join(sorted(unknown))}; there are {", ".join(SCENARIOS)}')
    for name in arguments.names or SCENARIOS:
        try:
            write_scenario(name, arguments.out / name, arguments.seed)
        except (UserError, CallError) as error:
            sys.exit(f'make_scenarios: {error}')
        print(arguments.out / name)


if __name__ == '__main__':
    main()

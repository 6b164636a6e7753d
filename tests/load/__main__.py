"""``python -m tests.load``: see ``--help``."""

from __future__ import annotations

import asyncio
import json
import sys

from tests.load.plan import parse
from tests.load.report import rows, run


def main() -> None:
    """Run the load of the command line."""
    plan = parse(sys.argv[1:])
    report = asyncio.run(run(plan))
    for name, value in rows(report):
        sys.stderr.write(f"{name:<40}{value:>14}\n")
    sys.stdout.write(json.dumps(report, indent=2) + "\n")


if __name__ == "__main__":
    main()

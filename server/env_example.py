"""Writes deploy/env.example from the settings, so that the two never differ.

``python -m server.env_example`` writes it; ``--check`` only says whether it is fresh.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from enum import Enum
from pathlib import Path

from pydantic.fields import FieldInfo

from server.config import PREFIX, Settings, is_secret

ROOT = Path(__file__).parent.parent
FILE = ROOT / "deploy" / "env.example"

_WIDTH = 100  # columns, as everywhere in this project
_SECRETS = "/run/secrets"  # where Compose and systemd's examples put files with secrets

_HEAD = """# Generated from server/config.py by `make protocol`; do not edit this copy.
#
# Every setting with its default. Copy the file, take the `#` away from what you change, and give it
# to systemd (EnvironmentFile=), Compose (env_file:) or a shell (set -a; . ./bedside.env).
# A secret is best named by its _FILE form: then it is in no `env`, `ps` or `docker inspect`.
# Lists are written with commas. An empty value is the same as none.
"""

# TABLE: the first setting of each part, in the order of Settings, and what the part is about.
PARTS: dict[str, str] = {
    "mode": "The server",
    "media_hosts": "Media",
    "turn_urls": "TURN, for networks that block the media port",
    "redis_url": "Many nodes",
    "practice_name": "The practice that the first start creates, and telephone numbers",
    "sip_servers": "Telephones",
    "tls_certificate": "HTTPS without a proxy in front",
    "log_level": "Watching it",
}


def main(arguments: list[str]) -> None:
    """Write the file, or with ``--check`` exit with a sentence when it is stale."""
    made = text()
    if arguments != ["--check"]:
        FILE.write_text(made, encoding="utf-8")
    elif not FILE.is_file() or FILE.read_text(encoding="utf-8") != made:
        sys.exit(f"deploy/{FILE.name} no longer matches the settings: run `make protocol`.")


def text() -> str:
    """The whole file."""
    return "\n".join([_HEAD, *_lines()])


def _lines() -> Iterator[str]:
    for name, field in Settings.model_fields.items():
        if name in PARTS:
            yield f"# ---- {PARTS[name]}\n"
        yield from (f"# {line}" for line in _description(field))
        yield f"#{_assignment(name, field)}\n"


def _description(field: FieldInfo) -> list[str]:
    return textwrap.wrap(field.description or "", _WIDTH - len("# "))


def _assignment(name: str, field: FieldInfo) -> str:
    variable = f"{PREFIX}{name.upper()}"
    if is_secret(field):
        return f"{variable}_FILE={_SECRETS}/{name}"
    return f"{variable}={_written(name, field.default)}"


def _written(name: str, value: object) -> str:
    """A default as people write it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Enum):
        return str(value.value)
    if isinstance(value, tuple):
        return ("-" if name.endswith("_ports") else ",").join(map(str, value))
    return str(value)


if __name__ == "__main__":
    main(sys.argv[1:])

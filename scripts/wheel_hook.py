"""Puts the built browser app into the wheel as ``server/web``.

A wheel without it would install and then serve nothing, so a missing build is an error that says
what to do. An editable install reads ``web_client/dist`` where it is and needs nothing here.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BrowserAppHook(BuildHookInterface):  # type: ignore[type-arg]
    """Adds ``web_client/dist`` to every wheel that is not editable."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version == "editable":
            return
        built = Path(self.root, "web_client", "dist")
        if not built.joinpath("join.html").is_file():
            raise FileNotFoundError("The browser app is not built. Run `make setup` and try again.")
        build_data["force_include"][str(built)] = "server/web"

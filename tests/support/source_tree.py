"""The source tree as data: modules, their imports, and the layout ARCHITECTURE.md states."""

from __future__ import annotations

import ast
import functools
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("rooms", "media", "server")  # from the bottom up


@dataclass(frozen=True)
class Module:
    """One source file; ``path`` is relative to the repository, ``name`` as Python imports it."""

    path: Path

    @property
    def package(self) -> str:
        return self.path.parts[0]

    @property
    def inside(self) -> str:
        """The path inside its package, as the tables of ARCHITECTURE.md write it."""
        return self.path.relative_to(self.package).as_posix()

    @property
    def name(self) -> str:
        return ".".join(self.path.with_suffix("").parts).removesuffix(".__init__")

    @functools.cached_property
    def text(self) -> str:
        return (ROOT / self.path).read_text()

    @functools.cached_property
    def tree(self) -> ast.Module:
        return ast.parse(self.text)

    @property
    def only_says_what_it_is(self) -> bool:
        """Whether the file holds a docstring and nothing else."""
        return all(isinstance(node, ast.Expr) for node in self.tree.body)

    def __str__(self) -> str:
        return self.path.as_posix()


@dataclass(frozen=True)
class Import:
    """``module`` as written, every name taken from it, and the line."""

    module: str
    names: tuple[str, ...]
    line: int

    @property
    def top(self) -> str:
        return self.module.partition(".")[0]


@functools.cache
def modules() -> tuple[Module, ...]:
    """Every source module of the three packages."""
    paths = (path for package in PACKAGES for path in sorted(ROOT.joinpath(package).rglob("*.py")))
    return tuple(Module(path.relative_to(ROOT)) for path in paths)


@functools.cache
def imports(module: Module) -> tuple[Import, ...]:
    """Everything the module imports, wherever in the file it does."""
    return tuple(_imports(module))


def _imports(module: Module) -> Iterator[Import]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, (), node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield Import(node.module or ".", tuple(a.name for a in node.names), node.lineno)


def own_imports(module: Module) -> Iterator[tuple[Import, Module]]:
    """The imports of our own modules, each with the file it means."""
    known = {other.name: other for other in modules()}
    for found in imports(module):
        submodules = [f"{found.module}.{name}" for name in found.names]
        meant = [known[name] for name in submodules if name in known]
        if len(meant) < max(len(found.names), 1) and found.module in known:
            meant.append(known[found.module])
        yield from ((found, other) for other in meant if not other.only_says_what_it_is)


def layout(package: str) -> list[str]:
    """The files of a package in the order of its table in ARCHITECTURE.md, top first."""
    page = (ROOT / "ARCHITECTURE.md").read_text()
    section = re.search(rf"^### `{package}/`.*?(?=^##|\Z)", page, re.MULTILINE | re.DOTALL)
    if section is None:
        return []
    return re.findall(r"^\| `([\w/]+\.py)` \|", section[0], re.MULTILINE)


def committed_files() -> list[Path]:
    """Every file git knows, or would take, relative to the repository."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listing = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [Path(line) for line in listing.splitlines() if (ROOT / line).is_file()]

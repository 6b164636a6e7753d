"""deploy/Dockerfile, as far as it can be tried without building an image."""

import re
import shutil
import subprocess
import sys
import zipfile
from fnmatch import fnmatch
from pathlib import PurePosixPath

import pytest

from server.config import PREFIX, Settings
from server.routes import PAGES
from tests.support.source_tree import ROOT

TEXT = (ROOT / "deploy" / "Dockerfile").read_text()
LINES = re.sub(r"\\\n\s*", " ", re.sub(r"^\s*#.*\n", "", TEXT, flags=re.MULTILINE)).splitlines()
LINES = [line for line in LINES if line]
FINAL = LINES[max(i for i, line in enumerate(LINES) if line.startswith("FROM")) :]
RULES = [line for line in (ROOT / ".dockerignore").read_text().splitlines()
         if line and not line.startswith("#")]  # fmt: skip


def _sources():
    for line in LINES:
        if line.startswith("COPY ") and "--from" not in line:
            yield from line.split()[1:-1]


def _ignored(path):
    """As .dockerignore says it: the last rule that matches the path or a directory above it."""
    ignored = False
    names = [str(each) for each in (PurePosixPath(path), *PurePosixPath(path).parents)][:-1]
    for rule in RULES:
        wanted = rule.removeprefix("!").removeprefix("**/")
        anywhere = "**/" in rule
        if any(fnmatch(PurePosixPath(n).name if anywhere else n, wanted) for n in names):
            ignored = not rule.startswith("!")
    return ignored


@pytest.fixture(scope="module")
def context(tmp_path_factory):
    """What a build gets to see, with the browser app as the step before would have built it."""
    folder = tmp_path_factory.mktemp("context")
    for source in _sources():
        at = ROOT / source
        files = [at] if at.is_file() else [each for each in at.rglob("*") if each.is_file()]
        for file in files:
            inside = file.relative_to(ROOT)
            if not _ignored(inside.as_posix()):
                folder.joinpath(inside.parent).mkdir(parents=True, exist_ok=True)
                shutil.copy(file, folder / inside)
    shutil.copytree(ROOT / "web_client" / "dist", folder / "web_client" / "dist")
    return folder


def test_the_context_makes_a_whole_wheel(context, tmp_path):
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=context, check=True, capture_output=True)
    [wheel] = tmp_path.glob("bedside-*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert {"server/web/join.html", "server/__main__.py", "rooms/visit.py"} <= set(names)
    ours = {p.relative_to(ROOT).as_posix() for p in (ROOT / "server").glob("*.py")}
    assert ours <= set(names)


def test_nothing_else_gets_to_the_builder(context):
    tops = {path.name for path in context.iterdir()}
    assert tops == {"requirements", "web_client", "pyproject.toml", "README.md", "LICENSE",
                    "scripts", "rooms", "media", "server"}  # fmt: skip
    for path in (".git/config", "keys.json", "server/keys.json", "bedside-data/keys.json",
                 "deploy/secrets/turn_secret", "web_client/node_modules/x", ".env"):  # fmt: skip
        assert _ignored(path), path


@pytest.mark.parametrize("source", sorted(set(_sources())))
def test_what_is_copied_exists_and_gets_there(source):
    assert (ROOT / source).exists()
    assert not _ignored(source.rstrip("/"))


def test_every_requirement_is_pinned_by_hash_and_comes_as_a_wheel():
    steps = [step for line in LINES if line.startswith("RUN ") for step in line.split("&&")]
    installs = [step for step in steps if " install " in step and "pip" in step]
    assert installs
    for step in installs:
        assert "--require-hashes" in step or "--no-index" in step, step
    [run] = [step for step in installs if "run.txt" in step]
    assert "--only-binary :all:" in run


def test_it_runs_as_somebody_without_rights():
    [user] = [line.split()[1] for line in FINAL if line.startswith("USER ")]
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", user)  # a number: Kubernetes can tell it is not root
    after = FINAL[FINAL.index(f"USER {user}") :]
    assert not [line for line in after if line.startswith(("RUN ", "COPY "))]


def test_no_layer_holds_a_secret_or_what_only_builds():
    said = [line for line in LINES if line.startswith(("ARG ", "ENV "))]
    secret = re.compile(r"secret|password|token|key", re.IGNORECASE)
    assert not [line for line in said if secret.search(line)]
    assert [line for line in FINAL if line.startswith("COPY ")] == [
        "COPY --from=build /opt/bedside /opt/bedside"
    ]


def test_its_settings_exist_and_its_health_is_asked_where_it_answers():
    named = set(re.findall(rf"{PREFIX}[A-Z_]+", TEXT))
    assert named <= {f"{PREFIX}{name.upper()}" for name in Settings.model_fields}
    [check] = [line for line in FINAL if line.startswith("HEALTHCHECK ")]
    [path] = re.findall(r"\}(/\w+)\\\"", check)
    assert path in {page.path for page in PAGES}
    assert f"{Settings.model_fields['media_port'].default}/udp" in TEXT

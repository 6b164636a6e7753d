"""The little of kustomize that deploy/kubernetes uses: resources, a namespace, images, patches."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

Manifest = dict[str, Any]

_CLUSTER_WIDE = {"Namespace"}
_KNOWN = {"apiVersion", "kind", "namespace", "resources", "images", "patches"}


def render(folder: Path) -> list[Manifest]:
    """What ``kubectl kustomize`` would print. Refuses what it does not know how to do."""
    wish = yaml.safe_load((folder / "kustomization.yaml").read_text())
    assert set(wish) <= _KNOWN, f"{folder}: this merger does not know {set(wish) - _KNOWN}"
    made = [each for name in wish["resources"] for each in _resource(folder / name)]
    for manifest in made:
        if "namespace" in wish and manifest["kind"] not in _CLUSTER_WIDE:
            manifest["metadata"]["namespace"] = wish["namespace"]
    for patch in wish.get("patches", []):
        assert set(patch) == {"path"}
        _apply(made, yaml.safe_load((folder / patch["path"]).read_text()))
    for image in wish.get("images", []):
        _name_image(made, image)
    return made


def _resource(path: Path) -> list[Manifest]:
    if path.is_dir():
        return render(path)
    return [each for each in yaml.safe_load_all(path.read_text()) if each]


def identity(manifest: Manifest) -> tuple[str, str, str]:
    """Kind, namespace and name: what tells one object from another."""
    about = manifest["metadata"]
    return manifest["kind"], about.get("namespace", ""), about["name"]


def _apply(made: list[Manifest], patch: Manifest) -> None:
    [target] = [each for each in made if identity(each) == identity(patch)]
    _merge(target, patch)


def _merge(target: Manifest, patch: Manifest) -> None:
    """A strategic merge patch without lists, each of which is merged by rules of its own."""
    for name, value in patch.items():
        assert not isinstance(value, list), f"this merger does not merge lists ({name})"
        if isinstance(value, dict) and isinstance(target.get(name), dict):
            _merge(target[name], value)
        else:
            target[name] = value


def _name_image(made: list[Manifest], image: dict[str, str]) -> None:
    for manifest in made:
        for container in _containers(manifest):
            if container["image"].partition(":")[0] == image["name"]:
                container["image"] = f"{image['newName']}:{image['newTag']}"


def _containers(manifest: Manifest) -> list[Manifest]:
    template = manifest.get("spec", {}).get("template", {})
    return list(template.get("spec", {}).get("containers", []))

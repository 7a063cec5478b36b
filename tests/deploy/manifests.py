"""What Kustomize makes of deploy/kubernetes."""

import functools
from collections.abc import Iterator
from typing import Any

import yaml

from tests.deploy.checkers import DEPLOY, checked

FOLDER = DEPLOY / "kubernetes"
OVERLAYS = ("dev", "production")

Manifest = dict[str, Any]


@functools.cache
def rendered(overlay: str) -> str:
    said = checked("kubectl", "kustomize", FOLDER / overlay)
    assert said.returncode == 0 and said.stderr == "", said.stderr
    return said.stdout


def manifests(overlay: str) -> list[Manifest]:
    return list(yaml.safe_load_all(rendered(overlay)))


def of_kind(overlay: str, kind: str) -> dict[str, Manifest]:
    """Those of a kind, by name."""
    return {one["metadata"]["name"]: one for one in manifests(overlay) if one["kind"] == kind}


def pods(overlay: str) -> Iterator[tuple[str, Manifest, Manifest]]:
    """Of each Deployment its name, what its pods are, and their only container."""
    for name, deployment in of_kind(overlay, "Deployment").items():
        pod = deployment["spec"]["template"]["spec"]
        [container] = pod["containers"]
        yield name, pod, container


def environment(overlay: str) -> dict[str, str]:
    """What every process is given that is no secret."""
    [settings] = of_kind(overlay, "ConfigMap").values()
    found: dict[str, str] = settings["data"]
    return found

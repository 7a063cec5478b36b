"""Keys come from a folder into a secret into pods as docs/deployment.md says, and are read there."""

import base64
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from tests.deploy.checkers import ROOT, checked
from tests.deploy.manifests import environment, pods
from traffic_tacos.calls import keys
from traffic_tacos.kernel.tokens import key_id
from traffic_tacos.operations import rotations

PAGE = ROOT / "docs" / "deployment.md"


def lines_of(heading: str) -> list[str]:
    """The commands of the first block under a heading."""
    section = PAGE.read_text().partition(f"\n## {heading}\n")[2]
    block = re.findall(r"^```\n(.*?)^```", section, re.DOTALL | re.MULTILINE)[0]
    return block.replace("\\\n", " ").splitlines()


def done(command: str, folder: Path) -> None:
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    subprocess.run(["bash", "-euc", command], cwd=folder, env=os.environ | {"PATH": path}, check=True)


def mounted(overlay: str, secret: dict[str, bytes], at: Path) -> Path:
    """The folder of a pod as the kubelet makes it: only what is named, under its path."""
    shutil.rmtree(at, ignore_errors=True)
    [volume] = {
        str(volume): volume for _, pod, _ in pods(overlay) for volume in pod["volumes"] if volume["name"] == "keys"
    }.values()
    for source in volume["projected"]["sources"]:
        for item in source["secret"]["items"]:
            if item["key"] in secret:
                (at / item["path"]).parent.mkdir(parents=True, exist_ok=True)
                (at / item["path"]).write_bytes(secret[item["key"]])
            else:
                assert source["secret"].get("optional"), f"a pod does not start without {item['key']}"
    return at


def secret_of(folder: Path) -> dict[str, bytes]:
    """What kubectl makes of the folder."""
    said = checked(
        "kubectl",
        "create",
        "secret",
        "generic",
        "tacos-keys",
        f"--from-file={folder}",
        "--dry-run=client",
        "-o",
        "yaml",
    )
    assert said.returncode == 0, said.stderr
    return {name: base64.b64decode(value) for name, value in yaml.safe_load(said.stdout)["data"].items()}


def test_pods_have_the_keys_and_believe_the_one_before_a_rotation(tmp_path):
    made = next(line for line in lines_of("3. Secrets") if "keys create" in line)
    done(made, tmp_path)
    folder = tmp_path / "cluster" / "keys"
    first = keys.read(mounted("production", secret_of(folder), tmp_path / "pod"))
    assert first.signing.private_bytes_raw() == keys.read(tmp_path / "cluster").signing.private_bytes_raw()

    for line in lines_of("Keys"):
        if "kubectl" not in line:
            done(line, tmp_path)
    pod = mounted("production", secret_of(folder), tmp_path / "pod")
    second = keys.read(pod)
    assert set(second.verifying) == {key_id(first.signing.public_key()), key_id(second.signing.public_key())}
    assert len(set(second.verifying)) == 2 and second.waiting == first.waiting
    assert [one.reason for one in rotations.noted(pod / "keys")] == ["the yearly one"]


def test_the_program_looks_where_they_are_mounted():
    for _, _, container in pods("production"):
        [mount] = [one for one in container["volumeMounts"] if one["name"] == "keys"]
        assert mount["readOnly"]
        assert environment("production")["TACOS_KEYS_OF"] == mount["mountPath"]

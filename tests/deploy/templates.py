"""CloudFormation's templates in deploy/aws, read as plain values."""

from pathlib import Path
from typing import Any

import yaml

from tests.deploy.checkers import DEPLOY

PATHS = sorted((DEPLOY / "aws").glob("*.yaml"))


class _Loader(yaml.SafeLoader):
    """Knows the short names of intrinsic functions."""


def _function(loader: yaml.SafeLoader, name: str, node: yaml.Node) -> dict[str, Any]:
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        assert isinstance(node, yaml.MappingNode)
        value = loader.construct_mapping(node, deep=True)
    return {name if name in ("Ref", "Condition") else f"Fn::{name}": value}


_Loader.add_multi_constructor("!", _function)


def read(path: Path) -> dict[str, Any]:
    return yaml.load(path.read_text(), _Loader)


def resources(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    """Those of this type, by their name in the template."""
    return {name: one for name, one in template["Resources"].items() if one.get("Type") == kind}


def with_prefix(value: Any, prefix: str) -> Any:
    """A value in which the parameter Prefix has been put."""
    if isinstance(value, dict):
        if set(value) == {"Fn::Sub"} and isinstance(value["Fn::Sub"], str):
            return value["Fn::Sub"].replace("${Prefix}", prefix)
        return {name: with_prefix(one, prefix) for name, one in value.items()}
    if isinstance(value, list):
        return [with_prefix(one, prefix) for one in value]
    return value

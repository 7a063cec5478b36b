"""Writes src/traffic_tacos/gen from proto/: messages, gRPC stubs and their types.

protoc's Python output imports siblings as `from common.v1 import …`; inside our package they are
`traffic_tacos.gen.common.v1`. That one line is rewritten, nothing else.
"""

import re
import shutil
import sys
from pathlib import Path

import grpc_tools
from grpc_tools import protoc

WELL_KNOWN = Path(grpc_tools.__file__).parent / "_proto"
PROTO = Path(__file__).parent
GEN = PROTO.parent / "src" / "traffic_tacos" / "gen"
SIBLING = re.compile(r"^from (common|gateway|payment|reservation|tacos)\b", re.MULTILINE)


def generate(into: Path) -> None:
    files = sorted(str(path.relative_to(PROTO)) for path in PROTO.rglob("*.proto"))
    shutil.rmtree(into, ignore_errors=True)
    into.mkdir(parents=True)
    outputs = [f"--{plugin}={into}" for plugin in ("python_out", "pyi_out", "grpc_python_out")]
    code = protoc.main(["protoc", f"-I{PROTO}", f"-I{WELL_KNOWN}", *outputs, f"--mypy_grpc_out=quiet:{into}", *files])
    if code:
        sys.exit(code)
    for path in [*into.rglob("*.py"), *into.rglob("*.pyi")]:
        path.write_text(SIBLING.sub(r"from traffic_tacos.gen.\1", path.read_text()))
    for folder in [into, *(path for path in into.rglob("*") if path.is_dir())]:
        (folder / "__init__.py").touch()
    (into / "__init__.py").write_text('"""Generated from proto/ by proto/generate.py. Never edited."""\n')


if __name__ == "__main__":
    generate(Path(sys.argv[1]) if len(sys.argv) > 1 else GEN)

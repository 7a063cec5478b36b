"""Python commands in processes that are forked from one that has loaded the platform already.

Each is a process of its own, with its own arguments, environment, files and end, that anybody may kill; only the half
second or more in which it would load the same modules once more is spared. The installed command itself is run by
`test_command_line.py`.
"""

import contextlib
import gc
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages
from typing import IO, Any

import rich
from rich.markdown import Markdown
from rich.table import Table

import traffic_tacos

ROOT = Path(__file__).parents[2]
# What is loaded where it is needed, by the platform and by what it stands on.
LOADED = ("tests.e2e.dying", "pwd", "pygrpc_native.aio", "typer._adapters", "uvicorn.lifespan.off", "uvloop")
REQUEST_BYTES_MAX = 1 << 17
PASSED = 4  # files: standard input, output and error, and the connection that tells what becomes of the process


class Forked:
    """`main()` of a module, run with these arguments in this folder; used as a `subprocess.Popen`."""

    def __init__(
        self,
        module: str,
        arguments: Sequence[str],
        environment: Mapping[str, str],
        stdout: IO[Any],
        stderr: IO[Any],
        folder: str | Path = "",
    ) -> None:
        self._told, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        request = json.dumps([module, [*arguments], dict(environment), str(folder or os.getcwd())]).encode()
        with theirs, open(os.devnull) as nothing:
            passed = [nothing.fileno(), stdout.fileno(), stderr.fileno(), theirs.fileno()]
            socket.send_fds(_server(), [request], passed)
        self.returncode: int | None = None
        self.pid = int(self._told.recv(20))

    def poll(self) -> int | None:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.wait(0)
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """The exit code; that of a signal is negative. TimeoutExpired after so many seconds."""
        if self.returncode is None:
            self._told.settimeout(timeout)
            try:
                self.returncode = int(self._told.recv(20))
            except (BlockingIOError, TimeoutError):
                raise subprocess.TimeoutExpired("forked", timeout or 0) from None
            self._told.close()
        return self.returncode

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


# Python itself, without what it would load by itself, starts in a fiftieth of the time that the command takes.
_COMMAND = """#!{python} -SE
import json, os, socket, sys
told, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
request = json.dumps(["traffic_tacos.cli", sys.argv[1:], dict(os.environ), os.getcwd()]).encode()
socket.send_fds(socket.socket(fileno={server}), [request], [0, 1, 2, theirs.fileno()])
theirs.close()
told.recv(20)
ended = int(told.recv(20))
sys.exit(ended if ended >= 0 else 128 - ended)
"""


def command(folder: Path) -> tuple[str, int]:
    """Makes a `tacos` in the folder that a shell finds in its path: the folder's path, and the file descriptor that
    the shell has to inherit.
    """
    server = _server().fileno()
    (folder / "tacos").write_text(_COMMAND.format(python=sys.executable, server=server))
    (folder / "tacos").chmod(0o755)
    return str(folder), server


@cache
def _server() -> socket.socket:
    """It ends when nobody can ask it any more."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with theirs:
        subprocess.Popen(
            [sys.executable, "-m", "tests.e2e.forking", str(theirs.fileno())],
            pass_fds=[theirs.fileno()], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            start_new_session=True,  # Ctrl-C reaches what it forks through us, in order, and only once
        )  # fmt: skip
    return ours


def _serve(asked: socket.socket) -> tuple[str, list[str]]:
    """Fork a process for each request. Returns in each of these: what it is to run."""
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # those who watch them are nobody's to wait for
    while True:
        request, files, _, _ = socket.recv_fds(asked, REQUEST_BYTES_MAX, PASSED)
        if not request:
            sys.exit()
        if os.fork() == 0:
            asked.close()
            return _forked(request, files)
        for file in files:
            os.close(file)


def _forked(request: bytes, files: Sequence[int]) -> tuple[str, list[str]]:
    """Fork once more: the one that runs, and the one that tells what becomes of it."""
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    *standard, connection = files
    told = socket.socket(fileno=connection)
    if (running := os.fork()) != 0:
        told.send(b"%d" % running)
        _, status = os.waitpid(running, 0)
        with contextlib.suppress(OSError):  # nobody asks any more
            told.send(b"%d" % os.waitstatus_to_exitcode(status))
        os._exit(0)
    told.close()
    module, arguments, environment, folder = json.loads(request)
    for number, file in enumerate(standard):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.stdout.reconfigure(write_through="PYTHONUNBUFFERED" in environment)  # type: ignore[union-attr]
    return module, arguments


if __name__ == "__main__":
    control = socket.socket(fileno=int(sys.argv[1]))
    of_platform = (module.name for module in walk_packages(traffic_tacos.__path__, "traffic_tacos."))
    for name in (*of_platform, *LOADED):
        with contextlib.suppress(ImportError):  # an extra's, or for another system
            if not name.endswith("__main__"):
                import_module(name)
    rich.print(Table("…"), "[red]…[/]", Markdown("`…`"))  # to nobody: which loads what printing needs
    gc.freeze()  # what nobody collects stays shared
    named, sys.argv[1:] = _serve(control)
    import_module(named).main()

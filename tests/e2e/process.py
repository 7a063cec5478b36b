"""`tacos up` as a process of its own, started, killed and started again on the same data."""

import asyncio
import contextlib
import os
import random
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import grpc

from tests.contract import CONTRACT, Client, is_unsure
from tests.e2e.forking import Forked
from traffic_tacos.cli.options import issued
from traffic_tacos.kernel.calls import Caller, Role

TACOS = "traffic_tacos.cli"
STARTED_WITHIN = 30
ENDED_WITHIN = 60
# Channels to one address share their connection, and one that found a killed platform waits before it tries again.
ROLES = {"user": Role.FAN, "door": Role.DOOR, "service": Role.SERVICE, "admin": Role.ADMIN}
OWN_CONNECTION = [("grpc.use_local_subchannel_pool", 1)]


def tacos(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """What a command of the command line says, and ends with. `environment` is added to this process's."""
    return ran(arguments, {**os.environ, "COLUMNS": "160", **environment})


def ran(arguments: Sequence[str], environment: Mapping[str, str]) -> "subprocess.CompletedProcess[str]":
    """The same in an environment of its own."""
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
        process = Forked(TACOS, arguments, environment, out, errors)
        try:
            code = process.wait(ENDED_WITHIN)
        finally:
            process.kill()
        said = [file.seek(0) or file.read().decode() for file in (out, errors)]
    return subprocess.CompletedProcess([TACOS, *arguments], code, *said)


class UpProcess:
    """`module` is whose `main()` runs, after `before`; or an `executable` instead of it."""

    def __init__(self, data: Path, *arguments: str) -> None:
        self.data = data
        self.grpc, self.http = f"127.0.0.1:{_free_port()}", f"127.0.0.1:{_free_port()}"
        self._arguments = [
            "up", "--data", str(data), "--grpc", self.grpc, "--http", self.http, *arguments
        ]  # fmt: skip
        self.log = data.parent / f"{data.name}.log"
        self._process: Forked | subprocess.Popen[bytes] | None = None
        self.module, self.executable = TACOS, ""
        self.before: tuple[str, ...] = ()
        self.environment: dict[str, str] = {}

    def is_running(self, within: float = 0) -> bool:
        """Whether the process still runs, and goes on running for so many seconds."""
        assert self._process is not None
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(within)
        return self._process.poll() is None

    def start(self) -> "UpProcess":
        environment, arguments = {**os.environ, **self.environment}, [*self.before, *self._arguments]
        with self.log.open("ab") as log:
            if self.executable:
                self._process = subprocess.Popen([self.executable, *arguments], stdout=log, stderr=log, env=environment)
            else:
                self._process = Forked(self.module, arguments, environment, log, log)
        deadline = time.monotonic() + STARTED_WITHIN
        while not _answers(self.grpc):
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"did not start: {self.log.read_text()[-2000:]}")
            time.sleep(0.05)
        while not _answers(self.http) and self._process.poll() is None:  # a moment later, unless it is to crash before
            assert time.monotonic() < deadline, self.log.read_text()[-2000:]
            time.sleep(0.01)
        return self

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def memory_bytes(self) -> int:
        """What the process has in memory now (Linux)."""
        status = Path(f"/proc/{self.pid}/statm").read_text()
        return int(status.split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def kill(self) -> None:
        """SIGKILL: no goodbye."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        self._process.send_signal(number)

    def stop(self) -> int:
        """SIGTERM; the exit code."""
        assert self._process is not None
        self._process.terminate()
        return self._process.wait(timeout=15)

    def ensure_stopped(self) -> None:
        if self._process is not None and self._process.poll() is None:
            self.kill()

    def client(self) -> Client:
        return Client(grpc.insecure_channel(self.grpc, options=OWN_CONNECTION))

    def tacos(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        return tacos(*arguments, **self.environment)

    def token(self, role: str, name: str) -> str:
        """Of a user, a service or an admin."""
        return issued(self.data, Caller(ROLES[role], name))

    def verify(self) -> None:
        """The invariants hold, by the command that users have."""
        answer = self.tacos("verify", "--data", str(self.data))
        assert answer.returncode == 0, answer.stdout + answer.stderr


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _answers(address: str) -> bool:
    """Whether somebody listens there; what was opened for that is closed at the other end, too, and counts no more."""
    host, port = address.split(":")
    try:
        with socket.create_connection((host, int(port)), timeout=0.2) as connection:
            connection.shutdown(socket.SHUT_WR)
            with contextlib.suppress(OSError):
                connection.recv(1)
            return True
    except OSError:
        return False


QUEUE, GATEWAY, PAYMENT = "gateway.v1.QueueService", "gateway.v1.GatewayService", "payment.v1.PaymentService"


# Where a kill cut the news of a payment off, it is looked for after half a minute (decision 59).
OWN_AFTER_A_KILL_SECONDS = 45


class Shopper:
    """The walk from the line to the ticket, with a client made from the contract table alone."""

    def __init__(self, client: Client, token: str, user: str, event: str) -> None:
        self.client, self.token, self.user, self.event = client, token, user, event
        self.acknowledged: dict[str, Any] = {}

    def join(self) -> None:
        fields = {"event_id": self.event, "user_id": self.user, "session_id": self.user}
        joined = self.client(QUEUE, "JoinQueue", fields, self.token)
        assert joined.waiting_token, joined.error
        self.acknowledged["waiting_token"] = joined.waiting_token

    def wait_for_turn(self, seconds: float = 20) -> None:
        fields = {"waiting_token": self.acknowledged["waiting_token"]}
        deadline = time.monotonic() + seconds
        while not self.client(QUEUE, "GetQueueStatus", fields).admission_ready:
            assert time.monotonic() < deadline
            time.sleep(0.05)

    def be_admitted(self) -> None:
        fields = {"waiting_token": self.acknowledged["waiting_token"], "event_id": self.event, "user_id": self.user}
        admission = self.client(QUEUE, "RequestAdmission", fields, self.token)
        assert admission.reservation_token, admission
        self.acknowledged["reservation_token"] = admission.reservation_token

    def reserve(self, quantity: int = 2, seats: Sequence[str] = ()) -> Any:
        fields = {
            "event_id": self.event,
            "quantity": quantity,
            "seat_ids": seats,
            "user_id": self.user,
            "reservation_token": self.acknowledged["reservation_token"],
            "idempotency_key": f"{self.user}-reserve",
        }
        held = self.client(GATEWAY, "CreateReservation", fields, self.token)
        if not held.HasField("error"):
            self.acknowledged["held"] = held
        return held

    def pay(self) -> None:
        held = self.acknowledged["held"]
        fields = {
            "reservation_id": held.reservation_id,
            "amount": held.total_amount,
            "user_id": self.user,
            "method": 1,
            "scenario": 1,
            "idempotency_key": f"{self.user}-intent",
        }
        intent = self.client(GATEWAY, "CreatePaymentIntent", fields, self.token)
        assert not intent.HasField("error"), intent.error
        fields = {"payment_intent_id": intent.payment_intent_id, "idempotency_key": f"{self.user}-pay"}
        assert self.client(PAYMENT, "ProcessPayment", fields, self.token).status == 2
        self.acknowledged["paid"] = intent.payment_intent_id

    def reservation(self) -> Any:
        fields = {"reservation_id": self.acknowledged["held"].reservation_id}
        return self.client(GATEWAY, "GetReservation", fields, self.token).reservation

    def own(self, seconds: float = 20) -> Any:
        deadline = time.monotonic() + seconds
        while (reservation := self.reservation()).status != 3:
            assert time.monotonic() < deadline, reservation
            time.sleep(0.05)
        self.acknowledged["order"] = reservation.order_id
        return reservation


def connected(platform: UpProcess) -> grpc.aio.Channel:
    """A channel of one's own, as another process would have."""
    return grpc.aio.insecure_channel(platform.grpc, options=OWN_CONNECTION)


def asker(channel: Any) -> Any:
    """Calls by name, at once with others, asked again while the platform cannot say."""

    async def ask(service, name, fields, token="", *more):
        rpc = CONTRACT.rpc(service, name)
        call = channel.unary_unary(
            rpc.path,
            request_serializer=lambda message: message.SerializeToString(),
            response_deserializer=CONTRACT.message(rpc.response).FromString,
        )
        metadata = (*more, ("authorization", f"Bearer {token}")) if token else more
        while is_unsure(answer := await call(CONTRACT.message(rpc.request)(**fields), timeout=20, metadata=metadata)):
            await asyncio.sleep(chance.uniform(0.1, 1))
        return answer

    chance = random.Random(1)
    return ask


def refused_code(answer: Any) -> str:
    names = CONTRACT.message("common.v1.Error").DESCRIPTOR.fields_by_name["code"].enum_type.values_by_number
    return names[answer.error.code].name.removeprefix("ERROR_CODE_")

"""`python -m bench`: every RPC that everybody or a fan may call, beside bare echoes, in one run.

Rate, times and CPU per request, with the specification's targets and the design's budgets. CPU is the platform's own
process (user and system), so the load generator on the same cores costs rate and time but not CPU. Machines are
noisy: compare the ratios to the echoes (of the same load: h2load's, or so many callers'), not the figures of two runs.
Streams are in `bench.streams`; medians of several runs, of one checkout or of some turn about, in `bench.compare`.
"""

import argparse
import asyncio
import base64
import hashlib
import hmac
import math
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from rich.console import Console

from bench import load, servers
from bench.echo import PATH as ECHO
from traffic_tacos.calls import keys
from traffic_tacos.calls.policy import SCOPES
from traffic_tacos.cli.shown import Listing
from traffic_tacos.engines.clock import SystemClock
from traffic_tacos.gen.gateway.v1 import gateway_pb2 as g
from traffic_tacos.gen.gateway.v1 import queue_pb2 as q
from traffic_tacos.gen.gateway.v1 import webhook_pb2 as w
from traffic_tacos.gen.payment.v1 import payment_pb2 as p
from traffic_tacos.gen.reservation.v1 import reservation_pb2 as r
from traffic_tacos.kernel.calls import Caller, Role
from traffic_tacos.kernel.instants import MINUTE, SECOND, Instant
from traffic_tacos.kernel.limits import HOLD_SECONDS
from traffic_tacos.kernel.tokens import ReservationToken, UserToken, seal_reservation, sign_user
from traffic_tacos.ports.webhooks import PAYMENT_SOURCE

EVENT = "evt_bench"
ROWS, SEATS = 250, 80
FANS = 200
BANK_SECONDS = 7  # two more than the slowest answer of the simulated bank
WAITED_AT_MOST = 5  # times, on a busy machine
QUEUE, GATEWAY, WEBHOOK = "gateway.v1.QueueService", "gateway.v1.GatewayService", "gateway.v1.WebhookService"
PAYMENT, RESERVATION = "payment.v1.PaymentService", "reservation.v1.ReservationService"
# The specification's P95 by service, ms; and the design's budgets of CPU by RPC, us.
TARGET_MS = {QUEUE: 50, GATEWAY: 100, WEBHOOK: 100, PAYMENT: 100, RESERVATION: 200}
BUDGET_US = {
    "GetQueueStatus": 35,
    "JoinQueue": 120,
    "RequestAdmission": 150,
    "CreateReservation": 450,
    "CreatePaymentIntent": 250,
}
console = Console(stderr=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench")
    parser.add_argument("--requests", type=int, default=3000, help="prepared requests of each call")
    parser.add_argument("--status-requests", type=int, default=60000, help="repeated requests of h2load")
    parser.add_argument("--at-once", type=int, default=64)
    parser.add_argument("--json", action="store_true", help="the table as JSON")
    asked = parser.parse_args()
    heads = ("load", "per s", "CPU us", "echoes", "budget", "p50 ms", "p95 ms", "p99 ms", "target")
    table = Listing("RPC", *heads)
    base: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        for kind in ("native", "uvloop", "grpcio"):
            with servers.echo(kind) as (pid, address):
                _echo(kind, pid, address, asked, table, base)
        event, data = event_file(Path(folder)), Path(folder) / "data"
        with servers.platform(data, "--event", str(event)) as (pid, address):
            Run(pid, address, data, asked, table, base).all()
    table.print(as_json=asked.json)
    if load.H2LOAD is None:
        console.print("h2load was not found: only the Python callers were used, and they limit the rate.")


def _echo(kind: str, pid: int, address: str, asked, table: Listing, base: dict[str, float]) -> None:
    console.print(f"bare {kind} echo …")
    body = b"x" * 60
    if load.H2LOAD:
        cpu, measured = servers.cpu_us(pid, lambda: load.h2load(address, ECHO, body, asked.status_requests))
        base.setdefault("h2load", cpu)
        _row(table, "", f"echo on {kind}", "h2load", cpu, measured, base["h2load"])
    run = load.callers(address, ECHO, [body] * asked.requests, (), asked.at_once)
    cpu, (measured, _) = servers.cpu_us(pid, lambda: asyncio.run(run))
    base.setdefault("callers", cpu)
    _row(table, "", f"echo on {kind}", str(asked.at_once), cpu, measured, base["callers"])


class Run:
    """The calls of a sale, in the order in which it makes them."""

    def __init__(self, pid: int, address: str, data: Path, asked, table: Listing, base: dict[str, float]) -> None:
        self.pid, self.address, self.data, self.asked, self.table, self.base = pid, address, data, asked, table, base
        self.count = asked.requests
        self.fans = [f"fan{number % FANS}" for number in range(self.count)]

    def all(self) -> None:
        self.queue()
        self.sale()
        self.others()

    def queue(self) -> None:
        joins = [q.JoinQueueRequest(event_id=EVENT, session_id=f"s{number}") for number in range(self.count)]
        joined = self.measure(QUEUE, "JoinQueue", joins, answer=q.JoinQueueResponse)
        places = [one.waiting_token for one in joined]
        statuses = [q.GetQueueStatusRequest(waiting_token=place) for place in places]
        if load.H2LOAD:
            console.print("GetQueueStatus by h2load …")
            path, body = f"/{QUEUE}/GetQueueStatus", statuses[-1].SerializeToString()
            cpu, measured = servers.cpu_us(
                self.pid, lambda: load.h2load(self.address, path, body, self.asked.status_requests)
            )
            _row(self.table, QUEUE, "GetQueueStatus", "h2load", cpu, measured, self.base["h2load"])
        self.measure(QUEUE, "GetQueueStatus", statuses, answer=q.GetQueueStatusResponse)
        self.measure(QUEUE, "GetQueueStats", [q.GetQueueStatsRequest()] * self.count, answer=q.GetQueueStatsResponse)
        half = self.count // 2
        self.measure(
            QUEUE, "LeaveQueue", [q.LeaveQueueRequest(waiting_token=place) for place in places[half:]],
            answer=q.LeaveQueueResponse,
        )  # fmt: skip
        admissions = [q.RequestAdmissionRequest(waiting_token=place, event_id=EVENT) for place in places[:half]]
        granted = self.measure(QUEUE, "RequestAdmission", admissions, answer=q.RequestAdmissionResponse)
        assert all(one.reservation_token for one in granted), "not everybody was admitted"

    def sale(self) -> None:
        console.print("admissions …")
        bodies, tokens = reservations(self.data, self.count)
        one = len(bodies) - self.count
        self.measure(
            GATEWAY, "CreateReservation", bodies[:one], tokens[:one], answer=g.CreateReservationResponse, at_once=1
        )
        held = self.measure(
            GATEWAY, "CreateReservation", bodies[one:], tokens[one:], answer=g.CreateReservationResponse
        )
        tokens = tokens[one:]
        fans = [g.CreateReservationRequest.FromString(body).user_id for body in bodies[one:]]
        ids = [one.reservation_id for one in held]
        intents = self.measure(
            GATEWAY, "CreatePaymentIntent",
            [
                g.CreatePaymentIntentRequest(
                    reservation_id=one.reservation_id, amount=one.total_amount, user_id=fan, method=1, scenario=1,
                    idempotency_key=f"i{one.reservation_id}",
                )
                for one, fan in zip(held, fans, strict=True)
            ],
            tokens, answer=g.CreatePaymentIntentResponse,
        )  # fmt: skip
        paying = [one.payment_intent_id for one in intents]
        third = self.count // 3
        self.measure(
            PAYMENT, "ProcessPayment",
            [p.ProcessPaymentRequest(payment_intent_id=one, idempotency_key=f"p{one}") for one in paying[:third]],
            tokens[:third], answer=p.ProcessPaymentResponse,
        )  # fmt: skip
        self.what_follows(ids[:third], tokens[:third])
        shows = [g.GetReservationRequest(reservation_id=one) for one in ids]
        self.measure(GATEWAY, "GetReservation", shows, tokens, answer=g.GetReservationResponse)
        self.measure(
            GATEWAY, "GetPaymentStatus", [g.GetPaymentStatusRequest(payment_intent_id=one) for one in paying], tokens,
            answer=g.GetPaymentStatusResponse,
        )  # fmt: skip
        self.measure(
            RESERVATION, "ExtendHold",
            [
                r.ExtendHoldRequest(reservation_id=one, user_id=fan, extension_seconds=60, idempotency_key=f"e{one}")
                for one, fan in zip(ids[third : 2 * third], fans[third : 2 * third], strict=True)
            ],
            tokens[third : 2 * third], answer=r.ExtendHoldResponse,
        )  # fmt: skip
        self.measure(
            GATEWAY, "ConfirmReservation",
            [
                g.ConfirmReservationRequest(
                    reservation_id=one, payment_intent_id=intent, user_id=fan, idempotency_key=f"c{one}"
                )
                for one, intent, fan in zip(ids[:third], paying[:third], fans[:third], strict=True)
            ],
            tokens[:third], answer=g.ConfirmReservationResponse,
        )  # fmt: skip
        self.measure(
            GATEWAY, "CancelReservation",
            [
                g.CancelReservationRequest(reservation_id=one, user_id=fan, idempotency_key=f"x{one}")
                for one, fan in zip(ids[third:], fans[third:], strict=True)
            ],
            tokens[third:], answer=g.CancelReservationResponse,
        )  # fmt: skip
        lists = [r.ListReservationsRequest(user_id=fan) for fan in fans[:third]]
        self.measure(RESERVATION, "ListReservations", lists, tokens[:third], answer=r.ListReservationsResponse)
        self.webhooks(ids[:third], paying[:third])
        self.token = tokens[0]

    def what_follows(self, ids: Sequence[str], tokens: Sequence[str]) -> None:
        """The bank answers after two to five seconds: a webhook, signed and verified, and the seats are sold. Nobody
        calls meanwhile, so the CPU is what these take.
        """
        console.print("what follows ProcessPayment …")
        path, spent = f"/{GATEWAY}/GetReservation", 0.0
        bodies = [g.GetReservationRequest(reservation_id=one).SerializeToString() for one in ids]
        for _ in range(WAITED_AT_MOST):
            before = servers.cpu_seconds(self.pid)
            time.sleep(BANK_SECONDS)
            spent += servers.cpu_seconds(self.pid) - before
            _, answers = asyncio.run(load.callers(self.address, path, bodies, tokens, self.asked.at_once))
            statuses = {g.GetReservationResponse.FromString(one).reservation.status for one in answers}
            if statuses == {r.RESERVATION_STATUS_CONFIRMED}:
                break
        else:
            raise AssertionError("the payments did not arrive")
        measured = load.Measured(len(ids), *[math.nan] * 4)
        cpu = spent * 1e6 / len(ids)
        _row(self.table, "", "what follows ProcessPayment", "", cpu, measured, self.base["callers"])

    def webhooks(self, ids: Sequence[str], paying: Sequence[str]) -> None:
        """Each signed, each new: verified, recorded, applied."""
        secret = base64.b64decode(keys.read(self.data).webhook[0].removeprefix("whsec_"))
        requests, now = [], SystemClock().now() // SECOND
        for reservation_id, intent in zip(ids, paying, strict=True):
            data = w.PaymentWebhookData(payment_intent_id=intent, reservation_id=reservation_id)
            signed = f"w{intent}.{now}.".encode() + data.SerializeToString(deterministic=True)
            signature = "v1," + base64.b64encode(hmac.digest(secret, signed, hashlib.sha256)).decode()
            request = w.PaymentWebhookRequest(
                webhook_id=f"w{intent}", event_type=1, data=data, signature=signature, source=PAYMENT_SOURCE
            )
            request.timestamp.seconds = now
            requests.append(request)
        self.measure(WEBHOOK, "ReceivePaymentWebhook", requests, answer=w.PaymentWebhookResponse)

    def others(self) -> None:
        availability = [g.GetEventAvailabilityRequest(event_id=EVENT)] * self.count
        self.measure(GATEWAY, "GetEventAvailability", availability, answer=g.GetEventAvailabilityResponse)
        tokens = [g.ValidateTokenRequest(token=self.token)] * self.count
        self.measure(GATEWAY, "ValidateToken", tokens, answer=g.ValidateTokenResponse)
        self.measure(GATEWAY, "HealthCheck", [g.HealthCheckRequest()] * self.count, answer=g.HealthCheckResponse)

    def measure(
        self,
        service: str,
        name: str,
        requests: Sequence[Any],
        tokens: Sequence[str] = (),
        *,
        answer: Any,
        at_once: int = 0,
    ) -> list[Any]:
        """Send them all; their answers, none of which may be a refusal."""
        console.print(f"{name} …")
        at_once = at_once or self.asked.at_once
        bodies = [one if isinstance(one, bytes) else one.SerializeToString() for one in requests]
        run: Callable[[], Any] = lambda: asyncio.run(  # noqa: E731
            load.callers(self.address, f"/{service}/{name}", bodies, tokens, at_once)
        )
        cpu, (measured, answers) = servers.cpu_us(self.pid, run)
        told = [answer.FromString(one) for one in answers]
        refused = [one.error for one in told if one.HasField("error")]
        assert not refused, f"{len(refused)} of {len(told)} were refused: {refused[0]}"
        how = str(at_once)
        _row(self.table, service, name, how, cpu, measured, self.base["callers"])
        return told


def event_file(folder: Path, rows: int = ROWS, hold_seconds: int = HOLD_SECONDS) -> Path:
    """A house of so many rows of 80 seats, with a line that lets in whoever comes."""
    event = folder / "event.yaml"
    listed = ", ".join(f"{{id: R{number}, seats: {SEATS}, aisles: [20, 60]}}" for number in range(rows))
    event.write_text(
        f"id: {EVENT}\nname: Bench\ncurrency: KRW\nhold_seconds: {hold_seconds}\n"
        f"admission: {{rate_per_second: 100000, active_max: 1000000}}\n"
        f"sections: [{{id: MAIN, name: Main, price: 1000, rows: [{listed}]}}]\n"
    )
    return event


def reservations(data: Path, count: int) -> tuple[list[bytes], list[str]]:
    """Requests of fans who were all admitted, and their tokens; both are made with the platform's keys.

    Fans come again, so that their own tokens are known to the platform, as they are by the time somebody who joined and
    was admitted makes a reservation.
    """
    known, now = keys.read(data), SystemClock().now()
    bodies, tokens = [], []
    signed: dict[str, str] = {}
    for number in range(count + count // 6):
        fan = f"fan{number % FANS}"
        mine = ReservationToken(f"{EVENT}/{10**9 + number}", EVENT, fan, now + 5 * MINUTE)
        request = g.CreateReservationRequest(
            event_id=EVENT,
            quantity=2 if number * 2 < ROWS * SEATS * 0.8 else 1,
            user_id=fan,
            reservation_token=seal_reservation(mine, now, known.sealing),
            idempotency_key=f"k{number}",
        )
        bodies.append(request.SerializeToString())
        if fan not in signed:
            signed[fan] = fan_token(known.signing, fan, now)
        tokens.append(signed[fan])
    return bodies, tokens


def fan_token(signing: Ed25519PrivateKey, fan: str, now: Instant) -> str:
    """A fan's own token, signed with the platform's key and good for an hour."""
    return sign_user(signing, UserToken(Caller(Role.FAN, fan), SCOPES[Role.FAN], now + 60 * MINUTE), now)


def _row(table: Listing, service: str, what: str, how: str, cpu: float, measured: load.Measured, base: float) -> None:
    times = (measured.p50_ms, measured.p95_ms, measured.p99_ms)
    table.add(
        what,
        how,
        "" if math.isnan(measured.seconds) else f"{measured.requests / measured.seconds:,.0f}",
        f"{cpu:.0f}",
        f"{cpu / base:.1f}",
        str(BUDGET_US.get(what, "")),
        *("" if math.isnan(ms) else f"{ms:.1f}" for ms in times),
        str(TARGET_MS.get(service, "")),
    )


if __name__ == "__main__":
    main()

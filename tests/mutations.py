"""`python -m tests.mutations` breaks the program in one place after the other and shows which tests notice.

Each mutation is made in a copy of the tree, on which the tests named beside it are run. It is *caught* when they fail,
and *survives* when they pass: then a test is missing. Exit code 1 when one survives. `--only TEXT` runs those whose
file or tests have the text in them.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
COPIED = ("src", "tests", "examples", "proto", "docs", "deploy", "pyproject.toml", "README.md", "CHANGELOG.md")
LEFT_OUT = shutil.ignore_patterns("node_modules", "__pycache__", ".pytest_cache")
SECONDS_MAX = 300


class Mutation(NamedTuple):
    """`old` stands once in the file, which is under src/traffic_tacos; `tests` are files, folders or single tests
    under tests.
    """

    file: str
    old: str
    new: str
    tests: str


STOPPED = "rpc/test_stopped_payments.py"
REPLICAS = "simulation/test_replicas.py::"
SEVERAL = REPLICAS + "test_no_promise_is_broken_by_several_processes_that_crash_freeze_and_have_clocks_apart"
UNHEARD = REPLICAS + "test_nobody_buys_after_the_end_or_at_a_price_of_which_their_process_has_not_heard"
OVER_A_WIRE = REPLICAS + "test_none_is_broken_where_each_reads_decides_and_commits_over_a_slow_wire_to_dynamodb"

MUTATIONS = [
    # The kernel, and what every service stands on.
    Mutation("kernel/signatures.py", "> TOLERANCE_SECONDS:", "> 2 * TOLERANCE_SECONDS:", "unit/kernel"),
    Mutation("kernel/circuit.py", "after.failures < policy", "after.failures <= policy", "unit/kernel"),
    Mutation("kernel/circuit.py", "open_until=now + round(seconds * SECOND)", "open_until=now", "unit/kernel"),
    Mutation("kernel/domain_events.py", '"payment.changed"', '"payment.altered"', "golden unit/kernel"),
    Mutation("kernel/webhook_types.py", '"payment.failed"', '"payment.fails"', "unit/kernel"),
    Mutation("transport/native_server.py", "if len(data) <= most:", "if True:", "unit/transport"),
    Mutation("transport/native_server.py", "running.cancel()  #", "pass  #", "unit/transport"),
    Mutation("kernel/tokens.py", "_mac(body, secret)) or raw", "raw[:_MAC_BYTES]) or raw", "unit/calls/test_keys.py"),
    Mutation("calls/keys.py", "if revoke or _retired_at", "if _retired_at", "unit/calls/test_keys.py"),
    Mutation("ports/idempotency.py", "record.request_digest != self.digest", "False", "rpc/test_idempotency.py"),
    Mutation("ports/idempotency.py", "self._now >= record.expires_at", "False", "unit/test_idempotency.py"),
    Mutation(
        "engines/sqlite.py",
        "if len(batch.waiters) == self._awaited:",
        "if False:",
        "conformance/test_sqlite_crashes.py",
    ),
    Mutation("ports/audit.py", "previous=head.digest", 'previous=""', "unit/test_audit.py"),
    Mutation(
        "ports/store.py",
        "(size := sum(of_each.values())) > COMMIT",
        "(size := 0) > COMMIT",
        "conformance/test_store.py",
    ),
    # Services.
    Mutation("rooms/catalog/service.py", "not same_promise(changed, known)", "False", "rpc/test_catalog.py"),
    Mutation(
        "rooms/inventory/model.py",
        "gone=state.gone | seats,\n        )\n    sold",
        "gone=state.gone,\n        )\n    sold",
        "unit/inventory",
    ),
    Mutation(
        "rooms/inventory/model.py",
        "claim.quantity > left:",
        "claim.quantity > left + 1:",
        "unit/inventory rpc/test_person_limit.py",
    ),
    Mutation("rooms/inventory/model.py", "_held_by(state, hold.reservation_id) != seats", "False", "unit/inventory"),
    Mutation("rooms/inventory/passed_over.py", " or now >= self._until:", ":", "unit/inventory"),
    Mutation("rooms/inventory/passed_over.py", "not all(map(is_", "not any(map(is_", "unit/inventory"),
    Mutation("rooms/inventory/rows.py", "if now < hold.deadline:", "if now <= hold.deadline:", "unit/inventory"),
    Mutation("rooms/inventory/rows.py", "free(row, state, now) & ~row.kept", "free(row, state, now)", "unit/inventory"),
    Mutation(
        "rooms/inventory/best_available.py",
        "if now >= state.lapses_at and state.held:",
        "if False:",
        "unit/inventory",
    ),
    Mutation(
        "rooms/reservation/model.py",
        "now >= reservation.hold_expires_at",
        "now > reservation.hold_expires_at",
        "unit/reservation",
    ),
    Mutation("rooms/reservation/model.py", "use.state is AdmissionState.SPENT:", "False:", "unit/reservation"),
    Mutation(
        "rooms/reservation/model.py",
        "if use.user_id != user_id:",
        "if False:",
        "unit/reservation rpc/test_whose_place.py",
    ),
    Mutation("rooms/reservation/rpc.py", "known[0] == reservation:", "True:", "unit/reservation"),
    Mutation("rooms/reservation/service.py", "if was_bought else stop.rule", "if True else stop.rule", STOPPED),
    Mutation(
        "rooms/reservation/service.py",
        "for payment_intent_id in stopped.reply:",
        "for payment_intent_id in ():",
        STOPPED,
    ),
    Mutation("rooms/reservation/ending.py", "max(1, room // RECORDS_OF_A_STOP)", "COMMIT_RECORDS_MAX", STOPPED),
    Mutation(
        "rooms/payment/stopping.py",
        "if payment.status in model.UNDER_WAY:",
        "if True:",
        STOPPED,
    ),
    Mutation("rooms/payment/stopping.py", "drop_job(payment_job_id(after.id))", "drop_job(after.id)", STOPPED),
    Mutation("rooms/payment/service.py", "if due_at >= payment.expires_at:", "if False:", "rpc/test_payment_jobs.py"),
    Mutation("rooms/payment/service.py", "and job.attempts and now", "and now", "rpc/test_payment_jobs.py"),
    Mutation(
        "rooms/reservation/confirming.py",
        "payment.amount != reservation.total",
        "False",
        "rpc/test_holds_and_payments.py rpc/test_giving_back.py",
    ),
    Mutation(
        "rooms/reservation/confirming.py",
        "not payment.is_completed and not already",
        "False",
        "rpc/test_holds_and_payments.py rpc/test_giving_back.py",
    ),
    Mutation(
        "rooms/reservation/confirming.py",
        ".beside(sold).beside(noted)",
        ".beside(sold)",
        "rpc/test_webhooks_and_health.py",
    ),
    Mutation(
        "rooms/reservation/confirming.py",
        "Decision(bought).beside(noted)",
        "Decision(bought)",
        "rpc/test_webhooks_and_health.py",
    ),
    Mutation(
        "engines/sqs.py",
        " or self._queues.queue_of(job) != queue",
        "",
        "conformance/test_job_runners.py",
    ),
    # The queue of several processes.
    Mutation(
        "engines/redis_log.py", "            if self._replicas:", "            if False:", "engines/test_redis.py"
    ),
    Mutation("engines/redis_log.py", "if {_SERVER} ~= ARGV[1] then return 'changed' end", "", "engines/test_redis.py"),
    Mutation(
        "rooms/waiting_room/line_log.py",
        "        machine.skip(self._clock.now())\n        log",
        "        log",
        "engines/test_redis.py",
    ),
    Mutation(
        "rooms/waiting_room/line_log.py",
        "if commands := new.machine.lacks(before):",
        "if commands := []:",
        "engines/test_redis.py",
    ),
    Mutation(
        "rooms/waiting_room/line_log.py",
        "if entries is not None and machine.rules != self._process.rules:",
        "if False:",
        "unit/waiting_room/test_rules.py",
    ),
    Mutation(
        "engines/redis_log.py",
        "if ARGV[1] ~= '' and last and is_before",
        "if false and is_before",
        "conformance/test_log.py",
    ),
    Mutation("rooms/waiting_room/machine.py", "joining=-missing", "joining=0", "unit/waiting_room/test_machine.py"),
    Mutation("rooms/waiting_room/frozen.py", '    "_turn_ends": tuple,\n', "", "unit/waiting_room/test_machine.py"),
    Mutation("rooms/payment/model.py", "payment.status is not PaymentStatus.PROCESSING", "False", "unit/payment"),
    Mutation("rooms/payment/model.py", "now >= payment.expires_at", "now > payment.expires_at", "unit/payment"),
    Mutation(
        "rooms/payment/model.py",
        "total <= payment.refunded < payment",
        "total < payment.refunded < payment",
        "unit/payment",
    ),
    Mutation(
        "rooms/payment/service.py", '":refunded" if', '"" if', "rpc/test_holds_and_payments.py rpc/test_giving_back.py"
    ),
    Mutation("rooms/webhook/model.py", "before.registered_by != asked.registered_by", "False", "unit/webhook"),
    Mutation("rooms/webhook/model.py", "if not secret.until or now < secret.until", "if True", "unit/webhook"),
    Mutation(
        "rooms/webhook/endpoints.py",
        "for job in jobs if view.get(JOB.key(job.id)) is None",
        "for job in jobs",
        "rpc/test_endpoints.py",
    ),
    Mutation("rooms/webhook/endpoints.py", "OF_RESERVATION.get(event.new)", "None", "rpc/test_endpoints.py"),
    Mutation("rooms/worker/model.py", "retry_count < RETRIES_MAX", "retry_count <= RETRIES_MAX", "unit/worker"),
    Mutation("rooms/worker/model.py", "all(action.success", "any(action.success", "unit/worker"),
    Mutation("rooms/realtime/model.py", "_age(update) <= _age(known)", "_age(update) < _age(known)", "unit/realtime"),
    Mutation("rooms/realtime/service.py", "update.subject is self.subject and", "", "rpc/test_realtime.py"),
    Mutation(
        "rooms/waiting_room/pacing.py", "[0][0] <= now - self._span", "[0][0] < now - self._span", "unit/waiting_room"
    ),
    Mutation(
        "rooms/waiting_room/draw.py", "commitment(published.seed) != published.commitment", "False", "unit/waiting_room"
    ),
    Mutation(
        "rooms/waiting_room/lines.py",
        "if (state := ENDINGS.get(event.new)) is not None:",
        "if (state := None) is not None:",
        "rpc/test_waiting_room.py rpc/test_queue_states.py",
    ),
    Mutation(
        "rooms/waiting_room/decisions.py",
        "record.user_id and user_id and record.user_id != user_id",
        "False",
        "rpc/test_whose_place.py conformance/test_line.py",
    ),
    Mutation(
        "rooms/gateway/clients.py",
        "fault.status is grpc.StatusCode.DEADLINE_EXCEEDED or left <= pause",
        "left <= pause",
        "rpc/test_gateway.py",
    ),
    Mutation("rooms/gateway/clients.py", "if seconds == SERVICE_SECONDS:", "if True:", "rpc/test_gateway.py"),
    Mutation(
        "rooms/admin/emergency.py",
        "        required_reason(reason)\n        act, names",
        "        act, names",
        "unit/admin",
    ),
    Mutation(
        "rooms/admin/emergency.py",
        '"" if resume else "true", reason, call)\n        return Outcome(f"admissions',
        '"true", reason, call)\n        return Outcome(f"admissions',
        "unit/admin",
    ),
    # Calls, and how they come.
    Mutation(
        "calls/policy.py",
        '"tacos.catalog.v1.CatalogService/CreateEvent": ADMIN',
        '"tacos.catalog.v1.CatalogService/CreateEvent": FAN',
        "rpc/test_who_may_call.py rpc/test_catalog.py",
    ),
    Mutation("calls/limits.py", "if full_at > now + burst:", "if full_at > now + 2 * burst:", "unit/calls"),
    Mutation("calls/deadlines.py", "self._moments.pop(moment)", "self._moments[moment]", "unit/calls"),
    Mutation(
        "calls/dispatch.py",
        "self._take(ANONYMOUS, headers, peer, now)  # checking",
        "pass  # checking",
        "rpc/test_limits.py rpc/test_hostile_tokens.py",
    ),
    Mutation(
        "transport/bodies.py",
        "if not member.eof:",
        "if False:",
        "rpc/test_http_door.py rpc/test_connect_conformance.py",
    ),
    Mutation(
        "transport/bodies.py", "if len(body) > bytes_max:", "if False:", "rpc/test_http_door.py rpc/test_bounds.py"
    ),
    Mutation(
        "transport/connect.py",
        "if len(fields) != len(pairs):",
        "if False:",
        "rpc/test_http_door.py rpc/test_connect_conformance.py",
    ),
    Mutation(
        "transport/http.py",
        "503 if worst is Health.UNHEALTHY else 200",
        "200",
        "unit/app",
    ),
    # Engines and operations.
    Mutation(
        "engines/sqlite.py",
        "        self._ranges.clear()\n        self._next",
        "        self._next",
        "conformance/test_sqlite_crashes.py",
    ),
    Mutation("engines/sqlite.py", "        self._dirty.clear()\n", "", "conformance/test_sqlite_crashes.py"),
    Mutation("engines/outbox.py", "if bugs == BUGS_MAX:", "if bugs > BUGS_MAX:", "unit/engines/test_outbox.py"),
    Mutation("engines/shared_outbox.py", "if key.path in self._delivered:", "if False:", "unit/engines/test_peers.py"),
    Mutation(
        "engines/shared_outbox.py",
        "            if key.path not in self._unpublished:\n",
        "            if True:\n",
        "unit/engines/test_eventbridge.py",
    ),
    Mutation(
        "engines/sqs.py",
        "        try:\n            taken = await self._taken(job, key)\n",
        "        self._forget(wake)\n        try:\n            taken = await self._taken(job, key)\n",
        "conformance/test_sqs.py",
    ),
    Mutation("engines/leases.py", "now >= lease.until + SKEW_MAX", "now >= lease.until", "unit/engines/test_leases.py"),
    Mutation("engines/leases.py", "fence.number != number", "False", "unit/engines/test_leases.py"),
    Mutation(
        "engines/jobs.py",
        "self._busy[limit] < limit.places",
        "self._busy[limit] <= limit.places",
        "conformance/test_jobs_and_events.py",
    ),
    Mutation(
        "engines/dynamodb.py", "self._clock.now() < known.at + MIRRORED_FOR", "True", "unit/engines/test_dynamodb.py"
    ),
    Mutation(
        "rooms/waiting_room/line_store.py", 'seed=seed if is_closed else b""', "seed=seed", "conformance/test_line.py"
    ),
    Mutation(
        "rooms/waiting_room/recovery.py",
        "if record.granted_at is not None:",
        "if False:",
        "conformance/test_line.py",
    ),
    Mutation("calls/limits.py", "near, key=itemgetter(0))", "near, key=lambda one: -one[0])", "unit/calls"),
    Mutation("operations/reconciler.py", "elif all_.buys_nothing(one):", "elif False:", "rpc/test_reconciler.py"),
    Mutation("operations/reconciler.py", "if view.get(JOB.key(job.id)) is None", "", "rpc/test_reconciler.py"),
    # What only several processes can break, with whole sales on several of them as the only judge: prices and ends of
    # sales that change under those who remember them,
    Mutation("rooms/catalog/service.py", "not same_promise(changed, known)", "False", SEVERAL),
    Mutation("rooms/catalog/service.py", "put(key, changed), put(sale_at, sale), ", "put(key, changed), ", UNHEARD),
    Mutation("ports/sales.py", "return known if sale is None else sale.now.window", "return known", UNHEARD),
    # a guard left out,
    Mutation("rooms/reservation/service.py", "if is_stopped(view, request.event_id):", "if False:", SEVERAL),
    Mutation("engines/dynamodb.py", "condition = _condition(*look.version(path))", "condition: Any = {}", OVER_A_WIRE),
    Mutation(
        "engines/dynamodb.py", "    if token is None:\n", "    if token is None:\n        return {}\n", OVER_A_WIRE
    ),
    # and a lease without fencing.
    Mutation("engines/leases.py", "fence.number != number", "False", SEVERAL),
    Mutation("engines/leases.py", "taken = Fence(fence.number + 1)", "taken = Fence(1)", SEVERAL),
    Mutation(
        "engines/peers.py", "return store if lease is None else FencedStore(store, lease)", "return store", SEVERAL
    ),
]


def mutated(tree: Path, mutation: Mutation) -> str:
    """The source of the file with the mutation in it. Raises ValueError where what it changes does not stand once."""
    source = (tree / "src" / "traffic_tacos" / mutation.file).read_text()
    if source.count(mutation.old) != 1:
        raise ValueError(f"{mutation.file}: {mutation.old!r} stands there {source.count(mutation.old)} times")
    return source.replace(mutation.old, mutation.new)


def copied(to: Path) -> Path:
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, to / name, ignore=LEFT_OUT)
        else:
            shutil.copy(source, to / name)
    (to / ".venv-engines").symlink_to(ROOT / ".venv-engines")
    return to


def tested(tree: Path, tests: Iterable[str], seconds: float | None = None) -> tuple[int, str]:
    """What pytest's exit code is on these tests: 0 when all passed, 1 when one failed or they took too long; and how
    its output ends.
    """
    environment = {**os.environ, "PYTHONPATH": f"{tree / 'src'}:{tree}", "PYTHONDONTWRITEBYTECODE": "1"}
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *(f"tests/{one}" for one in tests)]
    try:
        done = subprocess.run(command, cwd=tree, env=environment, capture_output=True, text=True, timeout=seconds)
    except subprocess.TimeoutExpired:
        return 1, ""  # a test that hangs has noticed
    return done.returncode, done.stdout[-2000:]


def run(tree: Path, mutations: Sequence[Mutation]) -> int:
    """Make and undo one after the other; how many were not caught."""
    missed = 0
    for number, mutation in enumerate(mutations, 1):
        file = tree / "src" / "traffic_tacos" / mutation.file
        before, began = file.read_text(), time.monotonic()
        file.write_text(mutated(tree, mutation))
        code, _ = tested(tree, mutation.tests.split(), SECONDS_MAX)
        file.write_text(before)
        outcome = {0: "SURVIVED", 1: "caught"}.get(code, f"pytest ended with {code}")
        missed += code != 1
        what = f"{mutation.old.strip()!r} -> {mutation.new.strip()!r}"
        print(f"{number:3} {outcome:10} {time.monotonic() - began:5.1f} s  {mutation.file}: {what}", flush=True)
    return missed


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutations")
    parser.add_argument("--only", default="", help="those whose file or tests have this text in them")
    only = parser.parse_args().only
    chosen = [one for one in MUTATIONS if only in one.file or only in one.tests]
    with tempfile.TemporaryDirectory() as folder:
        tree = copied(Path(folder))
        code, said = tested(tree, sorted({name for one in chosen for name in one.tests.split()}))
        if code:
            print(f"{said}\nThese tests fail as it is, so they show nothing.")
            return 1
        missed = run(tree, chosen)
    print(f"{len(chosen)} mutations: {len(chosen) - missed} caught, {missed} not")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())

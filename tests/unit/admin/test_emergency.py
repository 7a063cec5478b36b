"""Emergency actions and operations: what each sets, how it is undone, and what is refused before anything is done."""

import pytest

from tests.clocks import HandClock
from traffic_tacos.engines.memory import MemoryStore
from traffic_tacos.engines.settings import StoredSettings
from traffic_tacos.gen.common.v1 import admin_pb2
from traffic_tacos.kernel.calls import Call, Caller, Role
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.ports.settings import CIRCUITS, MAINTENANCE
from traffic_tacos.rooms.admin.clients import LineChange, LineView, Stopped
from traffic_tacos.rooms.admin.emergency import CLOSED, DEFAULT_MESSAGE, STOPPED, Emergencies, Operations

CALL = Call(Caller(Role.ADMIN, "op"), "trace")
AT = 1_800_000_000_000
CACHES = {"keys": 3, "answers": 12_000}


class Rooms:
    """The rooms that an operator's actions reach, which note what they are asked for."""

    def __init__(self, line: LineView) -> None:
        self.line = line
        self.asked: list[tuple[object, ...]] = []

    async def configure(self, event_id, setting, value, reason, call):
        self.asked.append(("configure", event_id, setting, value, reason, call.caller.name))
        return LineChange("", value, AT)

    async def view(self, event_id, call):
        return self.line

    async def stop(self, event_id, reason, call, *, resume):
        self.asked.append(("stop", event_id, reason, call.caller.name, resume))
        return Stopped(0 if resume else 4, AT)

    def caches(self):
        return CACHES

    async def clear(self, names, reason, call):
        self.asked.append(("clear", names, reason, call.caller.name))
        return AT

    async def refresh(self, reason, call):
        self.asked.append(("refresh", reason, call.caller.name))
        return AT


class Desk:
    def __init__(self, line: LineView) -> None:
        self.rooms = Rooms(line)
        store = MemoryStore()
        self.settings = StoredSettings(store, HandClock(AT))
        store.on_commit = self.settings.committed
        self.emergencies = Emergencies(self.rooms, self.rooms, self.settings)
        self.operations = Operations(self.rooms, self.rooms)

    async def pull(self, action, reason="why", **parameters):
        return await self.emergencies.act(action, parameters, reason, CALL)

    async def trigger(self, operation, target="", reason="why", dry_run=False, **parameters):
        return await self.operations.trigger(operation, target, parameters, reason, CALL, dry_run=dry_run)

    def set_by_hand(self):
        """The settings that are not as they are by default."""
        names = (MAINTENANCE, *CIRCUITS.values())
        return {name: self.settings.shown(name) for name in names if self.settings.shown(name) not in ("", "false")}


@pytest.fixture
def desk():
    return Desk(LineView(1200, 100.0))


ALL_CIRCUITS = dict.fromkeys(CIRCUITS.values(), "true")

# An action with its parameters, what the rooms are asked for, and what is set then.
ACTIONS = [
    ("STOP_ADMISSIONS", {}, [("configure", "", STOPPED, "true", "why", "op")], {}),
    ("STOP_ADMISSIONS", {"event_id": "e1"}, [("configure", "e1", STOPPED, "true", "why", "op")], {}),
    ("STOP_ADMISSIONS", {"event_id": "e1", "resume": "false"}, [("configure", "e1", STOPPED, "true", "why", "op")], {}),
    ("STOP_ADMISSIONS", {"event_id": "e1", "resume": "true"}, [("configure", "e1", STOPPED, "", "why", "op")], {}),
    ("CANCEL_RESERVATIONS", {}, [("stop", "", "why", "op", False)], {}),
    ("CANCEL_RESERVATIONS", {"event_id": "e1"}, [("stop", "e1", "why", "op", False)], {}),
    ("CANCEL_RESERVATIONS", {"event_id": "e1", "resume": "true"}, [("stop", "e1", "why", "op", True)], {}),
    ("CIRCUIT_BREAKER", {}, [], ALL_CIRCUITS),
    *(("CIRCUIT_BREAKER", {"service": room}, [], {name: "true"}) for room, name in CIRCUITS.items()),
    ("MAINTENANCE_MODE", {}, [], {MAINTENANCE: DEFAULT_MESSAGE}),
    ("MAINTENANCE_MODE", {"message": ""}, [], {MAINTENANCE: DEFAULT_MESSAGE}),
    ("MAINTENANCE_MODE", {"message": "a new stage"}, [], {MAINTENANCE: "a new stage"}),
]


@pytest.mark.parametrize(("action", "parameters", "asked", "then_set"), ACTIONS, ids=str)
async def test_an_action_does_this_and_nothing_else(desk, action, parameters, asked, then_set):
    pulled = await desk.pull(action, **parameters)
    assert (desk.rooms.asked, desk.set_by_hand(), pulled.at) == (asked, then_set, AT)


@pytest.mark.parametrize(
    ("action", "parameters", "resumed", "still_set"),
    [
        ("CIRCUIT_BREAKER", {}, {}, {}),
        ("CIRCUIT_BREAKER", {}, {"service": "payment"}, {k: v for k, v in ALL_CIRCUITS.items() if "payment" not in k}),
        ("CIRCUIT_BREAKER", {"service": "payment"}, {}, {}),
        ("MAINTENANCE_MODE", {"message": "a new stage"}, {}, {}),
        ("MAINTENANCE_MODE", {}, {"message": "is not taken when it is over"}, {}),
    ],
    ids=str,
)
async def test_an_action_is_undone_by_resume(desk, action, parameters, resumed, still_set):
    await desk.pull(action, **parameters)
    await desk.pull(action, resume="true", **resumed)
    assert desk.set_by_hand() == still_set


@pytest.mark.parametrize(
    ("action", "parameters", "reason", "code", "field"),
    [
        ("NO_SUCH_THING", {}, "why", Code.INVALID_ARGUMENT, "action"),
        ("UNSPECIFIED", {}, "why", Code.INVALID_ARGUMENT, "action"),
        ("FORCE_FAILOVER", {}, "why", Code.FAILED_PRECONDITION, None),
        ("STOP_ADMISSIONS", {}, "", Code.INVALID_ARGUMENT, "reason"),
        ("CANCEL_RESERVATIONS", {}, "  ", Code.INVALID_ARGUMENT, "reason"),
        ("STOP_ADMISSIONS", {"service": "payment"}, "why", Code.INVALID_ARGUMENT, "parameters"),
        ("CANCEL_RESERVATIONS", {"message": "x"}, "why", Code.INVALID_ARGUMENT, "parameters"),
        ("CIRCUIT_BREAKER", {"event_id": "e1"}, "why", Code.INVALID_ARGUMENT, "parameters"),
        ("MAINTENANCE_MODE", {"event_id": "e1"}, "why", Code.INVALID_ARGUMENT, "parameters"),
        ("CIRCUIT_BREAKER", {"service": "gateway"}, "why", Code.INVALID_ARGUMENT, "parameters.service"),
        *(
            (action, {"resume": value}, "why", Code.INVALID_ARGUMENT, "parameters.resume")
            for action in ("STOP_ADMISSIONS", "CANCEL_RESERVATIONS", "CIRCUIT_BREAKER", "MAINTENANCE_MODE")
            for value in ("yes", "TRUE", "1", " true")
        ),
        ("MAINTENANCE_MODE", {"message": "x" * 201}, "why", Code.INVALID_ARGUMENT, "config_value"),
    ],
    ids=str,
)
async def test_a_wrong_action_is_refused_and_nothing_is_done(desk, action, parameters, reason, code, field):
    with pytest.raises(Refusal) as refused:
        await desk.pull(action, reason, **parameters)
    assert refused.value.code is code
    assert [detail.field for detail in refused.value.details] == ([field] if field else [])
    assert (desk.rooms.asked, desk.set_by_hand()) == ([], {})


# An operation with its target and parameters, what it is to say, and what the rooms are asked for.
OPERATIONS = [
    (
        ("DRAIN_QUEUE", ""),
        {"event_id": "e1"},
        "e1 takes no newcomers; 1,200 in the queue go on, about 12 s at the present rate",
        ("configure", "e1", CLOSED, "true", "why", "op"),
    ),
    (
        ("DRAIN_QUEUE", "queue"),
        {"event_id": "e1", "resume": "true"},
        "e1 takes newcomers again",
        ("configure", "e1", CLOSED, "", "why", "op"),
    ),
    (("CLEAR_CACHE", ""), {}, "cleared keys (3), answers (12,000)", ("clear", ("keys", "answers"), "why", "op")),
    (("CLEAR_CACHE", "answers"), {}, "cleared answers (12,000)", ("clear", ("answers",), "why", "op")),
    (
        ("REFRESH_CONFIG", ""),
        {},
        "settings, keys, events and the issuer's keys are read again",
        ("refresh", "why", "op"),
    ),
]


@pytest.mark.parametrize(("operation", "parameters", "result", "asked"), OPERATIONS, ids=str)
async def test_an_operation_says_what_it_does_and_a_dry_run_only_says_it(desk, operation, parameters, result, asked):
    dry = await desk.trigger(*operation, reason="", dry_run=True, **parameters)
    assert (dry.result, dry.at, desk.rooms.asked) == (result, None, [])
    done = await desk.trigger(*operation, **parameters)
    assert (done.result, done.at, desk.rooms.asked) == (result, AT, [asked])


@pytest.mark.parametrize(
    ("waiting", "per_second", "ending"),
    [
        (0, 0.0, "0 in the queue go on"),
        (0, 5.0, "0 in the queue go on"),
        (7, 0.0, "7 in the queue go on"),
        (10, 4.0, "10 in the queue go on, about 2 s at the present rate"),
        (90_000, 0.5, "90,000 in the queue go on, about 180,000 s at the present rate"),
    ],
)
async def test_a_time_is_told_only_where_somebody_waits_and_the_line_moves(waiting, per_second, ending):
    desk = Desk(LineView(waiting, per_second))
    drained = await desk.trigger("DRAIN_QUEUE", event_id="e1")
    assert drained.result.endswith(f"; {ending}")


@pytest.mark.parametrize(
    ("operation", "parameters", "code", "field"),
    [
        (("NO_SUCH_THING", ""), {}, Code.INVALID_ARGUMENT, "operation"),
        (("RESTART_SERVICE", ""), {}, Code.FAILED_PRECONDITION, None),
        (("FORCE_SCALE", ""), {}, Code.FAILED_PRECONDITION, None),
        (("DRAIN_QUEUE", ""), {}, Code.INVALID_ARGUMENT, "parameters.event_id"),
        (("DRAIN_QUEUE", "payment"), {"event_id": "e1"}, Code.INVALID_ARGUMENT, "target_service"),
        (("DRAIN_QUEUE", ""), {"event_id": "e1", "resume": "no"}, Code.INVALID_ARGUMENT, "parameters.resume"),
        (("DRAIN_QUEUE", ""), {"event": "e1"}, Code.INVALID_ARGUMENT, "parameters"),
        (("CLEAR_CACHE", "no such cache"), {}, Code.INVALID_ARGUMENT, "target_service"),
        (("CLEAR_CACHE", "keys"), {"resume": "true"}, Code.INVALID_ARGUMENT, "parameters"),
        (("REFRESH_CONFIG", "keys"), {}, Code.INVALID_ARGUMENT, "target_service"),
        (("REFRESH_CONFIG", ""), {"x": ""}, Code.INVALID_ARGUMENT, "parameters"),
    ],
    ids=str,
)
@pytest.mark.parametrize("dry_run", [False, True])
async def test_a_wrong_operation_is_refused_dry_or_not(desk, operation, parameters, code, field, dry_run):
    with pytest.raises(Refusal) as refused:
        await desk.trigger(*operation, dry_run=dry_run, **parameters)
    assert refused.value.code is code
    assert [detail.field for detail in refused.value.details] == ([field] if field else [])
    assert desk.rooms.asked == []


@pytest.mark.parametrize("operation", [operation for (operation, _), *_ in OPERATIONS])
async def test_an_operation_that_is_done_wants_a_reason(desk, operation):
    with pytest.raises(Refusal, match="reason"):
        await desk.trigger(operation, reason="", event_id="e1")
    assert desk.rooms.asked == []


@pytest.mark.parametrize(
    ("enum", "prefix", "ask"),
    [
        (admin_pb2.EmergencyActionType, "EMERGENCY_ACTION_TYPE_", Desk.pull),
        (admin_pb2.OperationType, "OPERATION_TYPE_", Desk.trigger),
    ],
    ids=["actions", "operations"],
)
async def test_everything_that_the_contract_names_is_known(desk, enum, prefix, ask):
    for name in (name for name, number in enum.items() if number):
        try:
            await ask(desk, name.removeprefix(prefix))
        except Refusal as refused:  # of something else than its name
            assert {detail.field for detail in refused.details} <= {"parameters.event_id"}, name

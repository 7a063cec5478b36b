"""What an operator can do when it burns, and set going: emergency actions and operations, one table each.

Every action is undone by the parameter `resume` `true`, and audited by whoever it changes something of.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import TypeAlias

import msgspec

from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.ids import required_reason
from traffic_tacos.kernel.instants import Instant
from traffic_tacos.ports.cache_admin import CacheAdmin
from traffic_tacos.ports.settings import CIRCUITS, MAINTENANCE, Settings
from traffic_tacos.rooms.admin.clients import LineClient, ReservationClient

STOPPED, CLOSED = "admission.stopped", "admission.closed"
DEFAULT_MESSAGE = "back soon"


class Outcome(msgspec.Struct, frozen=True):
    """What was done, for a person; and when."""

    result: str
    at: Instant | None = None


Action: TypeAlias = Callable[[Mapping[str, str], str, Call], Awaitable[Outcome]]


class Emergencies:
    """By the name that the contract's EmergencyActionType has without its prefix."""

    def __init__(self, lines: LineClient, reservations: ReservationClient, settings: Settings) -> None:
        self._lines = lines
        self._reservations = reservations
        self._settings = settings
        self._actions: dict[str, tuple[Action, frozenset[str]]] = {
            "STOP_ADMISSIONS": (self._stop_admissions, frozenset({"event_id", "resume"})),
            "CANCEL_RESERVATIONS": (self._cancel_reservations, frozenset({"event_id", "resume"})),
            "CIRCUIT_BREAKER": (self._circuit_breaker, frozenset({"service", "resume"})),
            "MAINTENANCE_MODE": (self._maintenance_mode, frozenset({"message", "resume"})),
        }

    async def act(self, action: str, parameters: Mapping[str, str], reason: str, call: Call) -> Outcome:
        if action == "FORCE_FAILOVER":
            raise Refusal(Code.FAILED_PRECONDITION, "action: there is no second platform to fail over to")
        if action not in self._actions:
            known = (*self._actions, "FORCE_FAILOVER")
            raise Refusal.of_field("action", f"must be one of {', '.join(known)}", action)
        required_reason(reason)
        act, names = self._actions[action]
        _check_names(parameters, names)
        return await act(parameters, reason, call)

    async def _stop_admissions(self, given: Mapping[str, str], reason: str, call: Call) -> Outcome:
        resume, event_id = _switch(given), given.get("event_id", "")
        changed = await self._lines.configure(event_id, STOPPED, "" if resume else "true", reason, call)
        return Outcome(f"admissions {'resumed' if resume else 'stopped'} for {_named(event_id)}", changed.at)

    async def _cancel_reservations(self, given: Mapping[str, str], reason: str, call: Call) -> Outcome:
        resume, event_id = _switch(given), given.get("event_id", "")
        stopped = await self._reservations.stop(event_id, reason, call, resume=resume)
        if resume:
            return Outcome(f"reservations go on for {_named(event_id)}", stopped.at)
        return Outcome(
            f"{stopped.cancelled} pending reservations cancelled and new ones stopped for {_named(event_id)}",
            stopped.at,
        )

    async def _circuit_breaker(self, given: Mapping[str, str], reason: str, call: Call) -> Outcome:
        resume, service = _switch(given), given.get("service", "")
        if service not in ("", *CIRCUITS):
            raise Refusal.of_field("parameters.service", f"must be one of {', '.join(CIRCUITS)}, or nothing", service)
        at = None
        for name in [CIRCUITS[service]] if service else CIRCUITS.values():
            at = (await self._settings.change(name, "" if resume else "true", reason, call)).at
        return Outcome(f"circuit {'closed' if resume else 'open'}: {service or ', '.join(CIRCUITS)}", at)

    async def _maintenance_mode(self, given: Mapping[str, str], reason: str, call: Call) -> Outcome:
        resume = _switch(given)
        message = "" if resume else given.get("message", "") or DEFAULT_MESSAGE
        changed = await self._settings.change(MAINTENANCE, message, reason, call)
        if resume:
            return Outcome("maintenance is over", changed.at)
        return Outcome("maintenance: nobody begins anything, what was begun is finished", changed.at)


class Operations:
    """By the name that the contract's OperationType has without its prefix. With `dry_run` nothing is done: the
    result says what would be.
    """

    def __init__(self, lines: LineClient, cache_admin: CacheAdmin) -> None:
        self._lines = lines
        self._cache_admin = cache_admin

    async def trigger(
        self, operation: str, target: str, parameters: Mapping[str, str], reason: str, call: Call, *, dry_run: bool
    ) -> Outcome:
        if not dry_run:
            required_reason(reason)
        match operation:
            case "DRAIN_QUEUE":
                return await self._drain(target, parameters, reason, call, dry_run=dry_run)
            case "CLEAR_CACHE":
                return await self._clear(target, parameters, reason, call, dry_run=dry_run)
            case "REFRESH_CONFIG":
                return await self._refresh(target, parameters, reason, call, dry_run=dry_run)
            case "RESTART_SERVICE" | "FORCE_SCALE":
                raise Refusal(
                    Code.FAILED_PRECONDITION,
                    f"operation: {operation} is done where the processes are run, not by the platform itself",
                )
        known = "DRAIN_QUEUE, CLEAR_CACHE, REFRESH_CONFIG, RESTART_SERVICE, FORCE_SCALE"
        raise Refusal.of_field("operation", f"must be one of {known}", operation)

    async def _drain(self, target: str, given: Mapping[str, str], reason: str, call: Call, *, dry_run: bool) -> Outcome:
        """Nobody new may join; whoever is in the queue goes on until it is empty."""
        _check_target(target, ("queue",))
        _check_names(given, frozenset({"event_id", "resume"}))
        resume, event_id = _switch(given), given.get("event_id", "")
        if not event_id:
            raise Refusal.of_field("parameters.event_id", "is required")
        line = await self._lines.view(event_id, call)
        if resume:
            what = f"{_named(event_id)} takes newcomers again"
        else:
            moving = line.moving_per_second
            time = f", about {line.waiting / moving:,.0f} s at the present rate" if moving and line.waiting else ""
            what = f"{_named(event_id)} takes no newcomers; {line.waiting:,} in the queue go on{time}"
        if dry_run:
            return Outcome(what)
        changed = await self._lines.configure(event_id, CLOSED, "" if resume else "true", reason, call)
        return Outcome(what, changed.at)

    async def _clear(self, target: str, given: Mapping[str, str], reason: str, call: Call, *, dry_run: bool) -> Outcome:
        caches = self._cache_admin.caches()
        _check_target(target, tuple(caches))
        _check_names(given, frozenset())
        names = (target,) if target else tuple(caches)
        what = "cleared " + ", ".join(f"{name} ({caches[name]:,})" for name in names)
        return Outcome(what, None if dry_run else await self._cache_admin.clear(names, reason, call))

    async def _refresh(
        self, target: str, given: Mapping[str, str], reason: str, call: Call, *, dry_run: bool
    ) -> Outcome:
        _check_target(target, ())
        _check_names(given, frozenset())
        what = "settings, keys, events and the issuer's keys are read again"
        return Outcome(what, None if dry_run else await self._cache_admin.refresh(reason, call))


def _switch(given: Mapping[str, str]) -> bool:
    """Whether the action is to be undone."""
    resume = given.get("resume", "")
    if resume not in ("", "true", "false"):
        raise Refusal.of_field("parameters.resume", "must be true or false", resume)
    return resume == "true"


def _check_names(given: Mapping[str, str], known: frozenset[str]) -> None:
    if unknown := sorted(set(given) - known):
        what = f"must be {' or '.join(sorted(known))}" if known else "must be empty"
        raise Refusal.of_field("parameters", what, unknown[0])


def _check_target(target: str, known: tuple[str, ...]) -> None:
    if target and target not in known:
        what = f"must be one of {', '.join(known)}, or nothing" if known else "must be nothing"
        raise Refusal.of_field("target_service", what, target)


def _named(event_id: str) -> str:
    return event_id or "all events"

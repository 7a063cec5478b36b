"""What happens around every call, whichever way it came: who calls, what they may, and how it ends.

Each method is wrapped once, when the platform is built, rather than passed through interceptors on
every call: this costs a few microseconds, and local calls get the very same treatment
(docs/decisions/0006). Unary calls answer with gRPC status OK and an `error` field, unless their caller asks for
statuses (transport/grpc_server.py); a stream that is refused ends with a gRPC status, and the same error in its
details.
"""

import hashlib
import inspect
import random
import re
from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from contextlib import aclosing, nullcontext
from functools import lru_cache
from typing import Any, NamedTuple

import structlog
from google.protobuf.descriptor import ServiceDescriptor
from google.protobuf.message_factory import GetMessageClass

from traffic_tacos import wire
from traffic_tacos.calls.authentication import Authenticator
from traffic_tacos.calls.bounds import checker
from traffic_tacos.calls.deadlines import Deadlines
from traffic_tacos.calls.limits import FORWARDED_FOR, Limits
from traffic_tacos.calls.metrics import OK, Metrics
from traffic_tacos.calls.policy import BEGINNINGS, DEAR, INVENTORY, INVENTORY_TOO, POLICY, PUBLIC
from traffic_tacos.kernel.calls import ANONYMOUS, Call, Caller, Role
from traffic_tacos.kernel.errors import Code, Damaged, Fault, Refusal
from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.kernel.tokens import WAITING_TOKEN_LENGTH_MAX
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.settings import MAINTENANCE, Settings

CALL_SECONDS_MAX = 10.0
CALLS_AT_ONCE_MAX = 10_000
STREAMS_AT_ONCE_MAX = 50_000
TRACE_ID_LENGTH_MAX = 64
TRACEPARENT, TRACEPARENT_LENGTH_MAX = "traceparent", 256
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}(?![0-9a-f])")  # W3C Trace Context, 3.2

log = structlog.get_logger()

Handler = Callable[..., Any]
Metadata = tuple[tuple[str, str], ...]
Beside = Callable[[Any, Any], Metadata]  # of a request and its response


class Method:
    """One RPC: its path, its messages, its handler, and who may call it.

    A *plain* method takes nothing but its request: it does not ask who calls, and waits for nothing. So
    nothing has to be found out about the call, unless it is refused.

    `beside` is what is said beside the response, for which the contract has no field: response metadata, which is
    headers over HTTP.

    One that `passes_on` is answered by another process, which looks at the caller's token itself.
    """

    def __init__(
        self,
        path: str,
        request: type[Any],
        response: type[Any],
        handler: Handler,
        metrics: Metrics,
        beside: Beside | None = None,
        *,
        passes_on: bool = False,
    ) -> None:
        self.path = path
        self.beside = beside
        self.passes_on = passes_on
        self.request = request
        self.response = response
        self.handler = handler
        self.roles = POLICY[path.removeprefix("/")]
        self.begins = path.removeprefix("/") in BEGINNINGS
        self.has_ticket = "waiting_token" in request.DESCRIPTOR.fields_by_name
        self.is_dear = path.removeprefix("/") in DEAR
        self.has_key = "idempotency_key" in request.DESCRIPTOR.fields_by_name
        self.is_async, self.is_stream, parameters = _kind(getattr(handler, "__func__", handler))
        self.is_plain = parameters - inspect.ismethod(handler) == 1
        if self.is_plain and (self.is_async or self.roles is not PUBLIC or not self.has_ticket):
            raise TypeError(
                f"{path}: only a public method with a ticket that waits for nothing may leave its caller out"
            )
        self.figures = metrics.method(path)
        self.check = checker(request.DESCRIPTOR)


class _Said(NamedTuple):
    """What the headers of a call say. It `is_counted` where another process has passed it on."""

    caller: Caller
    traceparent: str
    ticket: str
    token: str
    is_counted: bool


@lru_cache(1024)
def _kind(function: Handler) -> tuple[bool, bool, int]:
    """Whether it is a coroutine, whether it is a stream, and how many parameters it has. Looking takes most of the time
    in which a platform is built.
    """
    parameters = len(inspect.signature(function).parameters)
    return inspect.iscoroutinefunction(function), inspect.isasyncgenfunction(function), parameters


def methods_of(servicer: object, service: ServiceDescriptor, metrics: Metrics) -> list[Method]:
    """The methods of a service that the servicer answers; the rest stay UNIMPLEMENTED."""
    return [
        Method(
            f"/{service.full_name}/{method.name}",
            GetMessageClass(method.input_type),
            GetMessageClass(method.output_type),
            getattr(servicer, method.name),
            metrics,
            getattr(servicer, "beside", {}).get(method.name),
            passes_on=getattr(servicer, "passes_on", False),
        )
        for method in service.methods
        if hasattr(servicer, method.name)
    ]


class Calls:
    """Every method of a platform by path, and the one way to call it. `is_ticket` says if a waiting token is ours."""

    def __init__(
        self,
        clock: Clock,
        randomness: random.Random,
        authenticator: Authenticator,
        limits: Limits,
        settings: Settings,
        is_ticket: Callable[[str], bool],
    ) -> None:
        self.methods: dict[str, Method] = {}
        self.metrics = Metrics()
        self.under_way = 0
        self.streams = 0
        self.is_verbose = False  # each call is logged
        self.clock = clock
        self.deadlines = Deadlines(clock)
        # Trace ids must differ, not be unguessable: a system call for each would cost more than the rest.
        self._random = random.Random(randomness.getrandbits(128))  # noqa: S311
        self._authenticator = authenticator
        self.limits = limits
        self._settings = settings
        self._is_ticket = is_ticket

    def add(self, servicer: object, *services: ServiceDescriptor) -> None:
        for service in services:
            self.methods.update((method.path, method) for method in methods_of(servicer, service, self.metrics))

    def services(self) -> dict[str, dict[str, Method]]:
        """Methods by service and name; inventory under both its names."""
        found: dict[str, dict[str, Method]] = {}
        for path, method in self.methods.items():
            _, service, name = path.split("/")
            found.setdefault(service, {})[name] = method
        if INVENTORY in found:
            found[INVENTORY_TOO] = found[INVENTORY]
        return found

    def call(
        self,
        method: Method,
        request: Any,
        headers: Sequence[tuple[str, str | bytes]],
        peer: Callable[[], str],
        seconds: float | None = None,
    ) -> Call:
        """The call from outside that these headers make; `peer` says what address it came from, when that matters.

        UNAUTHENTICATED when they carry a token that is not good, RATE_LIMITED when the caller has had their calls,
        UNAVAILABLE when nothing may be begun now.
        """
        repeated = (method.path, request.SerializeToString(deterministic=True)) if method.has_key else ()
        trace_id, now = self.trace_id(headers, *repeated), self.clock.now()
        try:
            said = self._read(headers, peer, now)
            caller = said.caller
            if said.is_counted:
                pass  # by the process that passed it on
            elif caller is ANONYMOUS and method.has_ticket and self._is_ticket(request.waiting_token):
                self.limits.take_ticket(request.waiting_token, now)
                if method.is_dear:
                    self._take(caller, headers, peer, now)
            else:
                self._take(caller, headers, peer, now)
            if method.begins and caller.role is not Role.ADMIN and (why := self._settings.text(MAINTENANCE)):
                raise Refusal(Code.UNAVAILABLE, f"maintenance: {why}")
        except Refusal as refusal:
            refusal.trace_id = trace_id
            raise
        except Exception as error:  # noqa: BLE001 - whatever failed, a transport gets a refusal; bugs are logged
            met = _refusal(error, method, trace_id)
            met.trace_id = trace_id
            raise met from None
        if not method.is_stream:
            seconds = CALL_SECONDS_MAX if seconds is None else min(seconds, CALL_SECONDS_MAX)
        deadline = None if seconds is None else now + round(seconds * SECOND)
        return Call(caller, trace_id, deadline, said.traceparent, said.ticket, said.token if method.passes_on else "")

    def _read(self, headers: Sequence[tuple[str, str | bytes]], peer: Callable[[], str], now: Instant) -> "_Said":
        caller, traceparent, ticket, token, is_counted = ANONYMOUS, "", "", "", False
        for name, value in headers:
            if name == TRACEPARENT and isinstance(value, str):
                traceparent = value[:TRACEPARENT_LENGTH_MAX] if _TRACEPARENT.match(value) else ""
            elif name == wire.WAITING_TOKEN_HEADER and isinstance(value, str):
                ticket = value[:WAITING_TOKEN_LENGTH_MAX]
            elif name == "authorization":
                token = value if isinstance(value, str) else value.decode("latin-1")
                try:
                    caller = self._caller(token)
                except Refusal:
                    self._take(ANONYMOUS, headers, peer, now)  # checking one is dear, whoever sends it
                    raise
            elif name == wire.PASSED_ON_BY and isinstance(value, str):
                is_counted = self._is_service(value)
        return _Said(caller, traceparent, ticket, token, is_counted)

    def check(self, method: Method, headers: Sequence[tuple[str, str | bytes]], peer: Callable[[], str]) -> None:
        """Whether these headers may make the call at all, before its request is read: UNAUTHENTICATED or FORBIDDEN, and
        RATE_LIMITED for an address that was refused too often.
        """
        try:
            caller = ANONYMOUS
            for name, value in headers:
                if name == "authorization":
                    caller = self._caller(value if isinstance(value, str) else value.decode("latin-1"))
            if caller.role not in method.roles:
                raise _not_allowed(caller)
        except Exception as error:  # noqa: BLE001 - whatever failed, a transport gets a refusal; bugs are logged
            raise _refusal(self.counted(error, headers, peer), method, self.trace_id(headers)) from None

    def count_visitor(self, headers: Sequence[tuple[str, str | bytes]], peer: Callable[[], str]) -> None:
        """Count for an address what no token is known for: a page, or a request that cannot be read. RATE_LIMITED when
        the address has had its calls.
        """
        self._take(ANONYMOUS, headers, peer, self.clock.now())

    def count_ticket(self, token: str, now: Instant) -> None:
        """Count a plain call, which is made with nothing but a waiting token: once that has been found to be ours."""
        self.limits.take_ticket(token, now)

    def counted(
        self, error: Exception, headers: Sequence[tuple[str, str | bytes]], peer: Callable[[], str]
    ) -> Exception:
        """What is answered to a plain call that failed. Without a good token it counts for the address it came from."""
        if isinstance(error, Refusal) and error.code in (Code.UNAUTHENTICATED, Code.INVALID_ARGUMENT):
            try:
                self.count_visitor(headers, peer)
            except Refusal as limited:
                return limited
        return error

    async def answer(self, method: Method, request: Any, call: Call) -> Any:
        """The response, with its `error` set when the call was refused, failed, or came upon a bug."""
        started = self.clock.now()
        self.under_way += 1
        try:
            if self.under_way > CALLS_AT_ONCE_MAX:
                raise Refusal(Code.UNAVAILABLE, "too many calls at once; try again in a second")
            if call.caller.role not in method.roles:
                raise _not_allowed(call.caller)
            method.check(request)
            if method.is_async:
                assert call.deadline is not None
                with self.deadlines.until(call.deadline):
                    response = await method.handler(request, call)
            else:
                response = method.handler(request) if method.is_plain else method.handler(request, call)
        except Exception as error:  # noqa: BLE001 - this is where calls end; bugs are logged and counted
            response = method.response(error=wire.error(_refusal(error, method, call.trace_id), call.trace_id))
        finally:
            self.under_way -= 1
        code = wire.code_name(Code(response.error.code)) if response.HasField("error") else OK
        took = self.clock.now() - started
        method.figures.count(code, call.trace_id)
        method.figures.took(took, call.trace_id)
        if self.is_verbose:
            self.log_call(method, call.caller.role.value, code, took, call.trace_id)
        return response

    def log_call(self, method: Method, role: str, code: str, ms: Instant, trace_id: str) -> None:
        """Log one call, at the level debug."""
        log.debug("call", method=method.path, role=role, code=code, ms=ms, trace_id=trace_id)

    async def stream(self, method: Method, request: Any, call: Call) -> AsyncGenerator[Any, None]:
        """The messages of a stream. Raises a Refusal, with its trace, when it is refused, fails, or meets a bug."""
        code, started = OK, self.clock.now()
        self.streams += 1
        try:
            if self.streams > STREAMS_AT_ONCE_MAX:
                raise Refusal(Code.UNAVAILABLE, "too many streams at once; try again in a second")
            if call.caller.role not in method.roles:
                raise _not_allowed(call.caller)
            method.check(request)
            async with aclosing(method.handler(request, call)) as messages:
                while True:
                    with nullcontext() if call.deadline is None else self.deadlines.until(call.deadline):
                        message = await anext(messages, None)
                    if message is None:
                        break
                    yield message
        except Exception as error:  # noqa: BLE001 - this is where streams end; bugs are logged and counted
            refusal = _refusal(error, method, call.trace_id)
            refusal.trace_id = refusal.trace_id or call.trace_id
            code = wire.code_name(refusal.code)
            raise refusal from None
        finally:
            self.streams -= 1
            method.figures.count(code, call.trace_id)
            if self.is_verbose:
                self.log_call(method, call.caller.role.value, code, self.clock.now() - started, call.trace_id)

    def refused(self, method: Method, error: Exception, headers: Iterable[tuple[str, str | bytes]] = ()) -> Any:
        """The response to a plain call that failed, or to any call that could not even be begun."""
        trace_id = (error.trace_id if isinstance(error, Refusal) else "") or self.trace_id(headers)
        refusal = _refusal(error, method, trace_id)
        code = wire.code_name(refusal.code)
        method.figures.count(code, trace_id)
        if self.is_verbose:
            self.log_call(method, Role.ANONYMOUS.value, code, 0, trace_id)
        return method.response(error=wire.error(refusal, trace_id))

    def trace_id(self, headers: Iterable[tuple[str, str | bytes]], *repeated: str | bytes) -> str:
        """The trace that the headers name, else a new one. A request that may be repeated under an idempotency key, of
        which `repeated` is all, keeps its trace: so its refusal is the same each time, byte for byte.
        """
        for name, value in headers:
            if name == wire.TRACE_HEADER and isinstance(value, str) and value.isascii() and value.isprintable():
                if value:
                    return value[:TRACE_ID_LENGTH_MAX]
            elif name == TRACEPARENT and isinstance(value, str) and (found := _TRACEPARENT.match(value)):
                return found[1]
        if repeated:
            parts = [part.encode() if isinstance(part, str) else part for part in repeated]
            return hashlib.sha256(b"\x00".join(parts)).hexdigest()[:32]
        return self.new_trace_id()

    def new_trace_id(self) -> str:
        return f"{self._random.getrandbits(128):032x}"

    def _caller(self, authorization: str) -> Caller:
        scheme, _, token = authorization.partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise Refusal(Code.UNAUTHENTICATED, "authorization: must be `Bearer` and a token")
        return self._authenticator.user(token).caller

    def _is_service(self, token: str) -> bool:
        try:
            return self._authenticator.user(token).caller.role is Role.SERVICE
        except Refusal:
            return False

    def _take(
        self, caller: Caller, headers: Sequence[tuple[str, str | bytes]], peer: Callable[[], str], now: Instant
    ) -> None:
        if caller is not ANONYMOUS:
            self.limits.take(caller, "", (), now)
            return
        forwarded = [value for name, value in headers if name == FORWARDED_FOR and isinstance(value, str)]
        self.limits.take(caller, peer(), forwarded, now)


def _not_allowed(caller: Caller) -> Refusal:
    if caller.role is Role.ANONYMOUS:
        return Refusal(Code.UNAUTHENTICATED, "authorization: a token is required")
    return Refusal(Code.FORBIDDEN, f"authorization: a {caller.role.value} may not call this")


def _refusal(error: Exception, method: Method, trace_id: str) -> Refusal:
    """What the caller is answered: of a fault only that it may pass, of a bug only its trace."""
    match error:
        case Refusal():
            return error
        case TimeoutError():
            log.warning("call_timed_out", method=method.path, trace_id=trace_id)
            return Refusal(Code.TIMEOUT, "the deadline passed; the call may or may not have been carried out")
        case Damaged():
            log.debug("call_met_damage", method=method.path, trace_id=trace_id, error=str(error))
            return Refusal(Code.DATA_CORRUPTION, str(error))
        case Fault():
            log.warning("call_failed", method=method.path, trace_id=trace_id, error=str(error))
            return Refusal(Code.UNAVAILABLE, "try again in a second, with the same idempotency key")
        case _:
            log.error("bug", method=method.path, trace_id=trace_id, exc_info=error)
            return Refusal(Code.INTERNAL, "internal error; the log has it under this trace_id")

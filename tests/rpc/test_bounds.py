"""Every field of every request of every call has a bound, kept before anything happens, and shown by /openapi.json."""

import pytest
from google.protobuf.descriptor import FieldDescriptor

from tests.rpc.desk import code, on_platform
from traffic_tacos.calls.bounds import FIELDS, TIMESTAMP, Items, Number, Pairs, Text, bound_of, is_map
from traffic_tacos.kernel.calls import Role
from traffic_tacos.kernel.errors import Refusal

HUGE = "x" * 3_000_000
DOCUMENTS = ("document", "seating_plan")


def paths(message, before=()):
    """Every field of a message and of the messages in it."""
    for field in message.fields:
        yield (*before, field)
        if field.message_type and not is_map(field) and field.message_type.full_name != TIMESTAMP:
            yield from paths(field.message_type, (*before, field))


def too_much(field):
    """What is over the bound of a field."""
    bound = bound_of(field)
    if isinstance(bound, Pairs):
        yield {f"k{n}": "v" for n in range(bound.pairs_max + 1)}
        yield from ({HUGE: "v"}, {"k": HUGE}, {"k\x00": "v"}, {"k": "v\n"})
    elif isinstance(bound, Items):
        valid = "a" if field.type == FieldDescriptor.TYPE_STRING else 1
        yield [valid] * (bound.items_max + 1)
        if isinstance(bound.each, Text):
            yield from ([HUGE], ["a\x00"])
    elif field.message_type is not None:
        yield "time" if field.message_type.full_name == TIMESTAMP else None
    elif field.enum_type is not None:
        yield 9999
    elif isinstance(bound, Text):
        yield "x" * (bound.length_max + 1)
        if not bound.is_document:
            yield from (HUGE, "a\x00b", "\x1b[2J", "a\x7f")
    elif isinstance(bound, Number) and bound.minimum == 0:
        yield -1


def filled(request_type, path, value):
    request = request_type()
    at = request
    for field in path[:-1]:
        at = getattr(at, field.name).add() if field.is_repeated else getattr(at, field.name)
    last = path[-1]
    if isinstance(value, dict):
        getattr(at, last.name).update(value)
    elif isinstance(value, list):
        getattr(at, last.name).extend(value)
    elif value == "time":
        getattr(at, last.name).seconds = -1
    else:
        setattr(at, last.name, value)
    return request


async def refusal_of(desk, method, request, token):
    if not method.is_stream:
        answer = await desk.ask(method.path[1:], request, token)
        return answer.ByteSize(), code(answer), [detail.field for detail in answer.error.details]
    try:
        await anext(desk.stream(method.path[1:], request, token))
    except Refusal as refusal:
        return len(refusal.message), refusal.code.name, [detail.field for detail in refusal.details]
    raise AssertionError(method.path)


@on_platform
async def test_whatever_is_over_a_bound_is_refused_with_its_field_and_nothing_is_kept(desk):
    admin, tried = desk.token(Role.ADMIN, "op"), 0
    await desk.clock.sleep(1)
    before = len(desk.trace)
    for method in desk.platform.calls.methods.values():
        if method.is_plain:
            continue  # its one field is its token, which is looked at first of all
        for path in paths(method.request.DESCRIPTOR):
            if path[-1].name in DOCUMENTS:
                continue  # 40 MB each: below
            for value in too_much(path[-1]):
                if value is None:
                    continue
                size, refused, fields = await refusal_of(desk, method, filled(method.request, path, value), admin)
                named = ".".join(field.name for field in path)
                assert (refused, fields) == ("INVALID_ARGUMENT", [named]), (method.path, named)
                assert size < 1000, (method.path, named, size)
                tried += 1
    assert tried > 500
    assert not [line for line in desk.trace[before:] if "put once/" in line or "put waiting" in line]


def test_no_name_in_the_table_is_of_no_field():
    """A bound whose field was renamed would bound nothing."""

    @on_platform
    async def on_desk(desk):
        fields = [
            path[-1] for method in desk.platform.calls.methods.values() for path in paths(method.request.DESCRIPTOR)
        ]
        known = {field.name for field in fields} | {field.full_name for field in fields}
        assert set(FIELDS) <= known
        assert all(
            bound_of(field) is not None
            for field in fields
            if field.type in (FieldDescriptor.TYPE_STRING, FieldDescriptor.TYPE_BYTES) or field.is_repeated
        )

    on_desk()


@on_platform
async def test_the_openapi_document_shows_the_same_bounds(desk):
    described = (await desk.http("GET", "/openapi.json")).json()["components"]["schemas"]
    join = described["gateway.v1.JoinQueueRequest"]
    assert join["required"] == ["event_id", "session_id"]
    assert join["properties"]["session_id"]["maxLength"] == 200
    assert join["properties"]["event_id"]["pattern"].startswith("^(?:[A-Za-z0-9]")
    headers = described["gateway.v1.QueueMetadata"]["properties"]["headers"]
    assert (headers["maxProperties"], headers["additionalProperties"]["maxLength"]) == (30, 500)
    made = described["gateway.v1.CreateReservationRequest"]["properties"]
    assert (made["seat_ids"]["maxItems"], made["seat_ids"]["items"]["maxLength"]) == (100, 128)
    assert made["quantity"]["minimum"] == 0


@pytest.mark.parametrize("field", ["user_id", "target_user_id"])
def test_users_are_whatever_openid_connect_allows_wherever_they_are_named(field):
    assert FIELDS[field].length_max == 255

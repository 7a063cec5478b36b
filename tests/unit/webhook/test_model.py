"""Endpoints: whose they are, which secrets sign and until when, and what is taken of secrets and headers."""

import base64

import msgspec
import pytest

from traffic_tacos.gen.gateway.v1 import webhook_pb2
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.limits import WEBHOOK_HEADER_LENGTH_MAX, WEBHOOK_HEADERS_MAX
from traffic_tacos.rooms.webhook.model import (
    OLD_SECRET_SIGNS_FOR,
    OWN_HEADERS,
    Endpoint,
    EventType,
    Secret,
    checked_headers,
    checked_secret,
    registered,
)

NOW = 1_800_000_000_000
LATER = NOW + OLD_SECRET_SIGNS_FOR
A, B, C = Secret("a"), Secret("b"), Secret("c")


def endpoint(*secrets, by="box-office", at=NOW, **fields):
    kinds = (EventType.PAYMENT_APPROVED,)
    return Endpoint("e1", "shop", "https://shop.example/", kinds, secrets or (A,), by, at, **fields)


def until(secret, at):
    return msgspec.structs.replace(secret, until=at)


@pytest.mark.parametrize(
    ("secrets", "now", "expected"),
    [
        ((A,), NOW, ("a",)),
        ((A,), 10 * LATER, ("a",)),
        ((B, until(A, LATER)), NOW, ("b", "a")),
        ((B, until(A, LATER)), LATER - 1, ("b", "a")),
        ((B, until(A, LATER)), LATER, ("b",)),
        ((B, until(A, LATER)), LATER + 1, ("b",)),
    ],
    ids=str,
)
def test_an_old_secret_signs_beside_the_new_one_until_its_time(secrets, now, expected):
    assert endpoint(*secrets).signing(now) == expected


# The secrets before, the one that is asked for, and the secrets then.
@pytest.mark.parametrize(
    ("before", "asked", "after"),
    [
        ((A,), A, (A,)),
        ((A,), B, (B, until(A, LATER))),
        ((B, until(A, NOW + 1)), B, (B, until(A, NOW + 1))),
        ((B, until(A, NOW + 1)), C, (C, until(B, LATER))),
        ((B, until(A, NOW + 1)), A, (A, until(B, LATER))),
    ],
    ids=str,
)
def test_under_a_new_secret_the_one_before_it_signs_for_a_day(before, asked, after):
    assert registered(endpoint(*before), endpoint(asked), NOW).secrets == after


def test_registering_again_takes_the_new_wishes_and_keeps_since_when():
    first = endpoint(at=NOW - 5, gone_at=NOW - 1, headers={"x-old": "1"}, attempts_max=3)
    asked = endpoint(headers={"x-new": "2"}, seconds=7)
    assert registered(None, asked, NOW) == asked
    assert registered(first, asked, NOW) == msgspec.structs.replace(asked, registered_at=NOW - 5)


def test_an_endpoint_of_another_service_is_not_changed():
    with pytest.raises(Refusal, match="registered by another service") as refused:
        registered(endpoint(by="box-office"), endpoint(B, by="somebody"), NOW)
    assert refused.value.code is Code.FORBIDDEN


def encoded(size, prefix="whsec_"):
    return prefix + base64.b64encode(bytes(size)).decode()


@pytest.mark.parametrize("secret", [encoded(24), encoded(25), encoded(32), encoded(64)])
def test_a_secret_of_24_to_64_bytes_is_taken_as_it_is(secret):
    assert checked_secret(secret) == secret


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        encoded(23),
        encoded(65),
        encoded(32, prefix=""),
        encoded(32, prefix="WHSEC_"),
        encoded(32, prefix="whsec_whsec_"),
        encoded(32)[:-1],
        encoded(32) + "\n",
        encoded(32).replace("A", "-", 1),
        encoded(32).replace("A", "é", 1),
        "whsec_" + "é" * 44,
        "ключ",
    ],
    ids=ascii,
)
def test_any_other_secret_is_refused_by_its_field_and_not_repeated(secret):
    with pytest.raises(Refusal) as refused:
        checked_secret(secret)
    (detail,) = refused.value.details
    assert (refused.value.code, detail.field, detail.value) == (Code.INVALID_ARGUMENT, "secret", "")
    assert not secret or secret == "whsec_" or secret not in refused.value.message


LONGEST = "v" * (WEBHOOK_HEADER_LENGTH_MAX - 1)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"x-tenant": "7"},
        {"X-Tenant": "seven of nine"},
        {"Authorization": "Bearer abc"},
        {"x-empty": ""},
        {"!#$%&'*+-.^_`|~": "1"},
        {"x": LONGEST},
        {"x-webhook-id": "mine"},
        {f"x-{number}": "1" for number in range(WEBHOOK_HEADERS_MAX)},
    ],
    ids=lambda headers: str(headers)[:40],
)
def test_headers_of_a_receivers_own_are_taken_as_they_are(headers):
    assert checked_headers(headers) == headers


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({f"x-{number}": "1" for number in range(WEBHOOK_HEADERS_MAX + 1)}, "at most"),
        ({"x": LONGEST + "v"}, "characters each"),
        ({"": "1"}, "names of letters"),
        ({"x y": "1"}, "names of letters"),
        ({"x:": "1"}, "names of letters"),
        ({"x\r\ny": "1"}, "names of letters"),
        ({"é": "1"}, "names of letters"),
        *(({name: "1"}, "the platform sets itself") for name in sorted(OWN_HEADERS)),
        ({"Content-Type": "text/plain"}, "the platform sets itself"),
        ({"webhook-id": "1"}, "the platform sets itself"),
        ({"Webhook-Anything": "1"}, "the platform sets itself"),
        ({"x-a": "1", "X-A": "2"}, "once"),
        ({"x": " 1"}, "printable ASCII"),
        ({"x": "1 "}, "printable ASCII"),
        ({"x": "1\r\nhost: other"}, "printable ASCII"),
        ({"x": "1\n"}, "printable ASCII"),
        ({"x": "\x00"}, "printable ASCII"),
        ({"x": "é"}, "printable ASCII"),
    ],
    ids=lambda part: ascii(part)[:40],
)
def test_headers_that_cannot_be_sent_or_are_ours_are_refused(headers, reason):
    with pytest.raises(Refusal, match=reason) as refused:
        checked_headers(headers)
    assert refused.value.details[0].field == "config.headers"


def test_types_of_events_are_those_of_the_contract_number_for_number():
    prefix = "WEBHOOK_EVENT_TYPE_"
    theirs = {name.removeprefix(prefix): number for name, number in webhook_pb2.WebhookEventType.items() if number}
    assert {one.name: one.value for one in EventType} == theirs

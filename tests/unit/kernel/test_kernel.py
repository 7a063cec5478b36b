"""Tokens, signatures, ids and money: what is accepted, and what is not."""

import base64
import random

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from traffic_tacos.kernel import signatures
from traffic_tacos.kernel.calls import Caller, Role
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.ids import checked_id, checked_idempotency_key, derived_id, derived_id_at, new_id, order_id
from traffic_tacos.kernel.money import Money, total
from traffic_tacos.kernel.tokens import (
    AUDIENCE,
    Ticket,
    TicketToken,
    UserToken,
    key_id,
    open_ticket,
    seal_ticket,
    session_hash,
    sign_ticket,
    sign_user,
)

SECRET = "whsec_" + base64.b64encode(b"k" * 32).decode()
WAITING_SECRET = b"s" * 32


@given(st.text("abc_1", min_size=1, max_size=40), st.integers(1, 2**40), st.text(max_size=20))
def test_a_waiting_token_opens_to_what_it_was_sealed_with(event_id, number, session):
    ticket = Ticket(event_id, number, session_hash(session))
    assert open_ticket(seal_ticket(ticket, WAITING_SECRET), WAITING_SECRET) == ticket


@given(st.data())
def test_a_waiting_token_with_any_changed_character_is_refused(data):
    token = seal_ticket(Ticket("evt", 7, session_hash("s")), WAITING_SECRET)

    index = data.draw(st.integers(0, len(token) - 1))
    other = data.draw(st.sampled_from("ABCxyz019-_!é ").filter(lambda character: character != token[index]))
    with pytest.raises(Refusal) as refused:
        open_ticket(token[:index] + other + token[index + 1 :], WAITING_SECRET)
    assert refused.value.code is Code.UNAUTHENTICATED


@pytest.mark.parametrize("token", ["x", "AAAA", "A" * 301, "é" * 20, "=" * 8])
def test_what_is_no_waiting_token_is_refused(token):
    with pytest.raises(Refusal):
        open_ticket(token, WAITING_SECRET)


@pytest.mark.parametrize(
    ("webhook_id", "seconds", "body", "signature", "good"),
    [
        ("m", 1000, b"b", "{right}", True),
        ("m", 1000, b"b", "v1,AAAA {right}", True),
        ("m", 1300, b"b", "{right}", True),
        ("m", 1301, b"b", "{right}", False),
        ("m", 699, b"b", "{right}", False),
        ("m", 1000, b"b", "", False),
        ("m", 1000, b"b", "v1,é", False),
    ],
)
def test_a_signature_is_good_for_five_minutes_either_way(webhook_id, seconds, body, signature, good):
    right = signatures.sign(SECRET, webhook_id, seconds, body)
    given_ = signature.replace("{right}", right)
    if good:
        signatures.verify((SECRET,), webhook_id, seconds, body, given_, 1_000_000)
        for wrong in [("n", seconds, body), (webhook_id, seconds + 1, body), (webhook_id, seconds, b"c")]:
            with pytest.raises(Refusal):
                signatures.verify((SECRET,), *wrong, given_, 1_000_000)
    else:
        with pytest.raises(Refusal):
            signatures.verify((SECRET,), webhook_id, seconds, body, given_, 1_000_000)


@pytest.mark.parametrize("value", ["", "a/b", "a b", ".a", "a\n", "x" * 129, "é"])
def test_ids_that_cannot_be_are_refused(value):
    with pytest.raises(Refusal) as refused:
        checked_id("field", value)
    assert refused.value.details[0].field == "field"


def test_ids_are_random_or_always_the_same():
    chance = random.Random(1)
    assert len({new_id("x", 5, chance) for _ in range(1000)}) == 1000
    assert derived_id("x", "a", "b") == derived_id("x", "a", "b") != derived_id("x", "ab", "")
    same = derived_id_at("x", 5, "a", "b")
    assert same == derived_id_at("x", 5, "a", "b")
    assert len({same, derived_id_at("x", 5, "ab", ""), derived_id_at("x", 6, "a", "b")}) == 3


def test_no_two_reservations_become_one_order():
    assert order_id("rsv_01aryz6s41") == "ord_01aryz6s41"
    assert len({order_id(one) for one in ("rsv_1", "1", "ord_1", "rsv_rsv_1", "rsv_")}) == 5


def test_ids_are_in_the_order_of_their_making():
    # The specification's own example: github.com/ulid/spec, "Encode Time".
    assert new_id("x", 1469918176385, random.Random(1)).startswith("x_01aryz6s41")
    chance = random.Random(1)
    made = [new_id("x", at, chance) for at in (0, 1, 31, 32, 1023, 1024, 10**12, 2**48 - 1)]
    assert made == sorted(made)
    assert {len(one) for one in made} == {len("x_") + 26}


@pytest.mark.parametrize(
    ("key", "code"),
    [("", Code.IDEMPOTENCY_REQUIRED), ("x" * 201, Code.INVALID_ARGUMENT), ("a\x00", Code.INVALID_ARGUMENT)],
)
def test_idempotency_keys_are_checked(key, code):
    with pytest.raises(Refusal) as refused:
        checked_idempotency_key(key)
    assert refused.value.code is code


def test_money_of_two_currencies_is_never_added():
    assert total([Money(1, "KRW"), Money(2, "KRW")], "KRW") == Money(3, "KRW")
    with pytest.raises(ValueError, match="EUR"):
        total([Money(1, "EUR")], "KRW")


@pytest.mark.parametrize("name", ["ana", 'a "quoted" \\ name|with/everything', "x" * 255])
def test_our_tokens_are_written_as_pyjwt_writes_them(name):
    key = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
    token = sign_user(key, UserToken(Caller(Role.FAN, name), ("read",), 60_000), 1_000)
    claims = jwt.decode(token, key.public_key(), ["EdDSA"], options={"verify_exp": False}, audience=AUDIENCE)
    assert token == jwt.encode(claims, key, algorithm="EdDSA", headers={"kid": key_id(key.public_key())})
    ticket = sign_ticket(key, TicketToken("evt", "rsv_1", name, 1_000))
    claims = jwt.decode(ticket, key.public_key(), ["EdDSA"], options={"verify_exp": False}, audience="evt")
    headers = {"kid": key_id(key.public_key()), "typ": "ticket"}
    assert ticket == jwt.encode(claims, key, algorithm="EdDSA", headers=headers)

"""Admissions that this process has signed: known again without their signature, and never believed beyond it."""

import random

import pytest

from traffic_tacos.calls import keys
from traffic_tacos.kernel import tokens
from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.kernel.instants import MINUTE, SECOND
from traffic_tacos.kernel.tokens import ReservationToken, verify_reservation

NOW = 1_800_000_000_500
ADMISSION = ReservationToken("evt/1", "evt", "ana", NOW + 5 * MINUTE)


@pytest.fixture
def ring():
    return keys.Keyring(keys.made(random.Random(1)))


@pytest.fixture
def signatures(monkeypatch) -> list[str]:
    """The tokens whose signature was looked at."""
    looked_at: list[str] = []

    def verify(token, *given):
        looked_at.append(token)
        return verify_reservation(token, *given)

    monkeypatch.setattr(keys, "verify_reservation", verify)
    return looked_at


def outcome(ask):
    try:
        return ask()
    except Refusal as refusal:
        return refusal.code, refusal.message


def test_what_was_signed_here_is_known_again_as_its_signature_says_it(ring, signatures):
    token = ring.sign_admission(ADMISSION, NOW)
    assert ring.admission_of(token, "evt", NOW) == verify_reservation(token, ring.verifying, "evt", NOW)
    assert not signatures


@pytest.mark.parametrize(
    ("event_id", "now"),
    [
        ("evt", NOW),
        ("evt", NOW + 5 * MINUTE - 501),
        ("evt", NOW + 5 * MINUTE - 500),
        ("evt", NOW + 6 * MINUTE),
        ("evt", NOW - SECOND),
        ("evt", NOW - 6 * SECOND),
        ("another", NOW),
    ],
)
def test_the_answer_is_the_signatures_whenever_and_for_whatever_it_is_asked(ring, event_id, now):
    token = ring.sign_admission(ADMISSION, NOW)
    asked = outcome(lambda: ring.admission_of(token, event_id, now))
    assert asked == outcome(lambda: verify_reservation(token, ring.verifying, event_id, now))


@pytest.mark.parametrize("place", [0, 30, 90, -1])
def test_a_changed_token_is_no_token(ring, place):
    token = ring.sign_admission(ADMISSION, NOW)
    changed = list(token)
    changed[place] = "A" if changed[place] != "A" else "B"
    with pytest.raises(Refusal):
        ring.admission_of("".join(changed), "evt", NOW)


def test_a_token_of_a_revoked_key_is_refused_and_one_of_a_retired_key_is_not(ring, signatures):
    token, old = ring.sign_admission(ADMISSION, NOW), ring.verifying
    fresh = keys.made(random.Random(2))
    ring.take(keys.Keys(fresh.signing, fresh.waiting, fresh.webhook, {**fresh.verifying, **old}))
    assert ring.admission_of(token, "evt", NOW).admission_id == "evt/1"
    assert signatures == [token]
    ring.take(fresh)
    with pytest.raises(Refusal):
        ring.admission_of(token, "evt", NOW)


def test_the_oldest_are_forgotten_first(ring, signatures, monkeypatch):
    monkeypatch.setattr(keys, "SIGNED_REMEMBERED_MAX", 2)
    admissions = [ReservationToken(f"evt/{number}", "evt", "ana", NOW + MINUTE) for number in range(3)]
    signed = [ring.sign_admission(one, NOW) for one in admissions]
    for token in signed:
        ring.admission_of(token, "evt", NOW)
    assert signatures == signed[:1]


def test_what_is_remembered_of_a_token_is_its_digest(ring):
    token = ring.sign_admission(ADMISSION, NOW)
    assert token not in repr(vars(ring))
    assert tokens.issuer_of(token)

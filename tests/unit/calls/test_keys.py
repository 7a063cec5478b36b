"""Reservation tokens: sealed with what follows from the signing key, and good as long as that is believed."""

import random
from types import SimpleNamespace

import jwt
import pytest

from traffic_tacos.calls import keys
from traffic_tacos.kernel.errors import Code, Refusal
from traffic_tacos.kernel.instants import MINUTE, SECOND
from traffic_tacos.kernel.tokens import TOKEN_LENGTH_MAX, ReservationToken

NOW = 1_800_000_000_500
ADMISSION = ReservationToken("evt/1", "evt", "ana", NOW + 5 * MINUTE)
SAID = ReservationToken("evt/1", "evt", "ana", NOW - 500 + 5 * MINUTE)  # in whole seconds


@pytest.fixture
def ring():
    return keys.Keyring(keys.made(random.Random(1)))


def signed(ring: keys.Keyring) -> str:
    """The token of the same admission as version 0.1.0 made it."""
    claims = {"iss": "traffic-tacos", "aud": "evt", "sub": "ana", "jti": "evt/1"}
    times = {"nbf": NOW // SECOND, "exp": ADMISSION.expires_at // SECOND}
    return jwt.encode(claims | times, ring.signing, "EdDSA", {"kid": ring.signing_id})


@pytest.mark.parametrize("make", [lambda ring: ring.seal_admission(ADMISSION, NOW), signed], ids=["sealed", "signed"])
@pytest.mark.parametrize(
    ("event_id", "now", "code"),
    [
        ("evt", NOW, None),
        ("evt", NOW + 5 * MINUTE - 501, None),
        ("evt", NOW + 5 * MINUTE - 500, Code.UNAUTHENTICATED),
        ("evt", NOW + 6 * MINUTE, Code.UNAUTHENTICATED),
        ("evt", NOW - SECOND, None),  # whoever made it may have a clock that goes before
        ("evt", NOW - 6 * SECOND, Code.UNAUTHENTICATED),
        ("another", NOW, Code.FORBIDDEN),
    ],
)
def test_a_token_is_good_for_its_event_and_its_time(ring, make, event_id, now, code):
    token = make(ring)
    if code is None:
        assert ring.admission_of(token, event_id, now) == SAID
    else:
        with pytest.raises(Refusal) as refused:
            ring.admission_of(token, event_id, now)
        assert refused.value.code is code


@pytest.mark.parametrize("user", ["", "ana", "소라", 'a "quoted" \\ name|with/everything', "x" * 255])
def test_whoever_was_admitted_is_found_again_and_the_same_admission_has_the_same_token(ring, user):
    admission = ReservationToken("evt/7", "evt", user, NOW - 500 + MINUTE)
    token = ring.seal_admission(admission, NOW)
    assert ring.admission_of(token, "evt", NOW) == admission
    assert ring.seal_admission(admission, NOW + 499) == token


def test_one_other_character_anywhere_makes_it_no_token(ring):
    token = ring.seal_admission(ADMISSION, NOW)
    for place, letter in enumerate(token):
        for other in ("0" if letter != "0" else "1", letter.upper(), " ", "é"):
            if other != letter:
                with pytest.raises(Refusal) as refused:
                    ring.admission_of(token[:place] + other + token[place + 1 :], "evt", NOW)
                assert refused.value.code is Code.UNAUTHENTICATED


@pytest.mark.parametrize("token", ["", "00", "00" * 16, "00" * 24, "0" * (TOKEN_LENGTH_MAX + 2), "é" * 40, "nonsense"])
def test_what_is_hardly_a_token_is_refused(ring, token):
    with pytest.raises(Refusal) as refused:
        ring.admission_of(token, "evt", NOW)
    assert refused.value.code is Code.UNAUTHENTICATED


def test_who_has_another_key_makes_none_of_ours(ring):
    stranger = keys.Keyring(keys.made(random.Random(2)))
    with pytest.raises(Refusal):
        ring.admission_of(stranger.seal_admission(ADMISSION, NOW), "evt", NOW)
    sealed = bytes.fromhex(stranger.seal_admission(ADMISSION, NOW))
    with pytest.raises(Refusal):  # under the name of our key
        ring.admission_of((sealed[:16] + bytes.fromhex(ring.signing_id) + sealed[24:]).hex(), "evt", NOW)


def test_a_token_outlives_the_rotation_of_its_key_also_elsewhere_and_not_its_revocation(tmp_path):
    chance = random.Random(1)
    ring = keys.Keyring(keys.opened(tmp_path, chance), tmp_path)
    other = keys.Keyring(keys.read(tmp_path), tmp_path)
    old = ring.seal_admission(ADMISSION, NOW)
    keys.rotate(tmp_path, chance, NOW)
    assert ring.refresh()
    new = ring.seal_admission(ADMISSION, NOW)
    assert new != old
    for one in (ring, other, keys.Keyring(keys.read(tmp_path))):  # the other has not looked since
        assert one.admission_of(new, "evt", NOW) == one.admission_of(old, "evt", NOW) == SAID
    keys.rotate(tmp_path, chance, NOW, revoke=True)
    assert ring.refresh()
    for token in (old, new):
        with pytest.raises(Refusal):
            ring.admission_of(token, "evt", NOW)


def test_a_key_that_an_older_version_retired_is_still_believed(tmp_path):
    chance = random.Random(1)
    ring = keys.Keyring(keys.opened(tmp_path, chance), tmp_path)
    token = signed(ring)
    keys.rotate(tmp_path, chance, NOW)
    (file,) = (tmp_path / "keys" / "retired").glob("*.pem")
    file.write_text(file.read_text().partition("-----BEGIN TACOS")[0])
    after = keys.read(tmp_path)
    assert (len(after.verifying), len(after.sealing)) == (2, 1)
    assert keys.Keyring(after).admission_of(token, "evt", NOW) == SAID


def test_a_retired_key_is_read_with_its_secret_or_not_at_all(tmp_path):
    chance = random.Random(1)
    ring = keys.Keyring(keys.opened(tmp_path, chance), tmp_path)
    token = ring.seal_admission(ADMISSION, NOW)
    keys.rotate(tmp_path, chance, NOW)
    (file,) = (tmp_path / "keys" / "retired").glob("*.pem")
    whole = file.read_text()
    public = whole.partition("-----BEGIN TACOS")[0]
    file.write_text(whole.replace("\n", "\r\n") + "\r\n")
    assert keys.Keyring(keys.read(tmp_path)).admission_of(token, "evt", NOW) == SAID
    for length in range(len(public) + 1, len(whole) - 1):
        file.write_text(whole[:length])
        with pytest.raises(Refusal) as refused:
            keys.read(tmp_path)
        assert file.name in refused.value.message
    file.write_text(whole.replace(whole.splitlines()[-2], "AAAA"))
    with pytest.raises(Refusal):
        keys.read(tmp_path)
    assert not ring.refresh()
    assert ring.admission_of(token, "evt", NOW) == SAID  # what cannot be read leaves the keys in force


def test_a_token_that_names_no_key_of_ours_makes_the_files_be_read_only_when_they_have_changed(tmp_path, monkeypatch):
    chance = random.Random(1)
    ring = keys.Keyring(keys.opened(tmp_path, chance), tmp_path)
    stranger = keys.Keyring(keys.made(random.Random(2))).seal_admission(ADMISSION, NOW)
    keys.rotate(tmp_path, chance, NOW)
    reads = []
    read = keys.read
    monkeypatch.setattr(keys, "read", lambda data: reads.append(data) or read(data))
    for _ in range(3):
        with pytest.raises(Refusal):
            ring.admission_of(stranger, "evt", NOW)
    assert len(reads) == 1


def test_a_folder_that_cannot_be_read_is_logged_once_however_many_wrong_tokens_come(tmp_path, monkeypatch):
    chance = random.Random(1)
    ring = keys.Keyring(keys.opened(tmp_path, chance), tmp_path)
    stranger = keys.Keyring(keys.made(random.Random(2))).seal_admission(ADMISSION, NOW)
    signing = tmp_path / "keys" / "signing.pem"
    whole = signing.read_bytes()
    logged = []
    monkeypatch.setattr(keys, "log", SimpleNamespace(warning=lambda event, **_: logged.append(event)))
    for content in (b"nothing", whole, b"nothing"):
        signing.write_bytes(content)
        for _ in range(3):
            with pytest.raises(Refusal):
                ring.admission_of(stranger, "evt", NOW)
    assert logged == ["keys_unreadable"] * 2  # once more, for it could be read in between

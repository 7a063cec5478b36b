"""Our signatures, held against the two libraries that receivers use: `standardwebhooks` and `svix`."""

import base64
import time
from datetime import UTC, datetime

import pytest
import standardwebhooks.webhooks
import svix.webhooks
from hypothesis import given
from hypothesis import strategies as st

from traffic_tacos.kernel import signatures

OLD, NEW = ("whsec_" + base64.b64encode(letter * 32).decode() for letter in (b"o", b"n"))
BODY = b'{"type":"payment.approved","timestamp":"2027-01-15T08:00:00+00:00","data":{}}'
LIBRARIES = [
    pytest.param(
        standardwebhooks.webhooks.Webhook, standardwebhooks.webhooks.WebhookVerificationError, id="standardwebhooks"
    ),
    pytest.param(svix.webhooks.Webhook, svix.webhooks.WebhookVerificationError, id="svix"),
]


def headers(body: bytes = BODY, age: int = 0, secrets: tuple[str, ...] = (NEW,)) -> dict[str, str]:
    seconds = int(time.time()) - age
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(seconds),
        "webhook-signature": signatures.sign_all(secrets, "msg_1", seconds, body),
    }


def is_good(library, error, secret: str, body: bytes, given_headers: dict[str, str]) -> bool:
    try:
        library(secret).verify(body.decode("latin-1"), given_headers)
    except error:
        return False
    return True


@pytest.mark.parametrize(("library", "error"), LIBRARIES)
def test_receivers_take_what_is_signed_for_them_within_five_minutes_and_nothing_else(library, error):
    def good(secret, *given_, **more):
        return is_good(library, error, secret, BODY, headers(*given_, **more))

    assert good(NEW)
    assert good(NEW, age=295)
    assert not good(NEW, age=302)
    assert not good(NEW, age=-302)
    assert good(OLD, secrets=(NEW, OLD))  # while the one replaces the other
    assert good(NEW, secrets=(NEW, OLD))
    assert not good(OLD)  # afterwards


@pytest.mark.parametrize(("library", "error"), LIBRARIES)
def test_every_changed_byte_is_noticed(library, error):
    given_headers = headers()
    for place in range(len(BODY)):
        changed = bytearray(BODY)
        changed[place] ^= 1
        assert not is_good(library, error, NEW, bytes(changed), given_headers)
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        value = given_headers[name]
        for place in range(3 if name == "webhook-signature" else 0, len(value) - (1 if "=" in value else 0)):
            letter = "1" if value[place] != "1" else "2"
            if name == "webhook-signature":  # of its last letter two bits say nothing
                letter = "A" if value[place] not in "ABCD" else "Z"
            if name == "webhook-timestamp" and place < len(value) - 2:
                continue  # minutes off: refused for its age, above
            changed = {**given_headers, name: value[:place] + letter + value[place + 1 :]}
            assert not is_good(library, error, NEW, BODY, changed), (name, place)


@given(st.text(), st.binary(max_size=200))
def test_we_sign_as_the_standards_own_library_does(text, key):
    secret = "whsec_" + base64.b64encode(key + b"k" * 24).decode()
    now = datetime.now(tz=UTC)
    theirs = standardwebhooks.webhooks.Webhook(secret).sign("msg_1", now, text)
    assert signatures.sign(secret, "msg_1", int(now.timestamp()), text.encode()) == theirs

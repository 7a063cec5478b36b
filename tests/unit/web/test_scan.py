"""The scanner's own check of tickets, under Node: a second implementation beside the one that has made them."""

import base64
import json
import shutil
import subprocess
from pathlib import Path

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from traffic_tacos.kernel.calls import Caller, Role
from traffic_tacos.kernel.ids import derived_id
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.kernel.tokens import (
    TicketToken,
    UserToken,
    key_id,
    sign_ticket,
    sign_user,
)
from traffic_tacos.web import assets

NODE = shutil.which("node")
TICKET_JS = Path(str(assets.STATIC)) / "scan" / "ticket.js"
KEY, OTHER = Ed25519PrivateKey.from_private_bytes(b"k" * 32), Ed25519PrivateKey.from_private_bytes(b"o" * 32)
EVENT, NOW = "evt_taco", 1_800_000_000
HEAD = {"kid": key_id(KEY.public_key()), "typ": "ticket"}
# Reads {keys, tickets, now} and says of each text what the page would: the ticket, or null.
SCRIPT = f"""
const {{ keysOf, opened }} = await import({json.dumps(TICKET_JS.as_uri())});
const {{ keys, texts, now }} = JSON.parse(await new Response(process.stdin).text());
const known = await keysOf(keys);
const said = [];
for (const text of texts) said.push(await opened(text, known, now));
console.log(JSON.stringify(said));
"""

pytestmark = pytest.mark.skipif(NODE is None, reason="Node is not here")


def opened(*texts: str, now: int = NOW) -> list[dict[str, str] | None]:
    public = base64.urlsafe_b64encode(KEY.public_key().public_bytes_raw()).decode().rstrip("=")
    keys = {"keys": [{"kty": "OKP", "crv": "Ed25519", "x": public, "kid": HEAD["kid"]}]}
    asked = json.dumps({"keys": keys, "texts": texts, "now": now * 1000})
    done = subprocess.run(
        [str(NODE), "--input-type=module", "--no-warnings", "-e", SCRIPT],
        input=asked,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def ticket(number: int = 0, key: Ed25519PrivateKey = KEY) -> str:
    return sign_ticket(key, TicketToken(EVENT, derived_id("rsv", str(number)), f"MAIN-A-{number}", NOW * SECOND))


def test_ten_thousand_tickets_are_read_as_they_were_made():
    said = opened(*(ticket(number) for number in range(10_000)))
    assert said == [
        {"event": EVENT, "reservation": derived_id("rsv", str(number)), "seat": f"MAIN-A-{number}"}
        for number in range(10_000)
    ]


def test_no_letter_of_a_ticket_can_be_changed():
    good = ticket()
    texts = [
        good[:place] + ("A" if letter != "A" else "B") + good[place + 1 :]
        for place, letter in enumerate(good[:-1])  # of the last letter some bits mean nothing
        if letter != "."
    ]
    assert opened(good, *texts) == [*opened(good), *[None] * len(texts)]
    assert opened(good) != [None]


def claims(**changed: object) -> dict[str, object]:
    known = {"iss": "traffic-tacos", "aud": EVENT, "sub": "rsv_1", "seat": "MAIN-A-1", "nbf": NOW, "exp": NOW + 60}
    return {name: value for name, value in {**known, **changed}.items() if value is not None}


@pytest.mark.parametrize(
    ("text", "is_a_ticket"),
    [
        (jwt.encode(claims(), KEY, "EdDSA", HEAD), True),
        (jwt.encode(claims(nbf=NOW + 600), KEY, "EdDSA", HEAD), True),  # the device's clock may be behind
        (jwt.encode(claims(exp=NOW), KEY, "EdDSA", HEAD), False),
        (jwt.encode(claims(exp=None), KEY, "EdDSA", HEAD), False),
        (jwt.encode(claims(exp="9999999999"), KEY, "EdDSA", HEAD), False),
        (jwt.encode(claims(iss="somebody"), KEY, "EdDSA", HEAD), False),
        (jwt.encode(claims(seat=None), KEY, "EdDSA", HEAD), False),
        (jwt.encode(claims(aud=[EVENT]), KEY, "EdDSA", HEAD), False),
        (jwt.encode(claims(), KEY, "EdDSA", {**HEAD, "typ": "JWT"}), False),
        (jwt.encode(claims(), KEY, "EdDSA", {**HEAD, "kid": "none"}), False),
        (jwt.encode(claims(), OTHER, "EdDSA", HEAD), False),
        (jwt.encode(claims(), "k" * 32, "HS256", HEAD), False),
        (jwt.encode(claims(), None, "none", HEAD), False),
        (jwt.encode({**claims(), "jti": "adm_1"}, KEY, "EdDSA", {"kid": HEAD["kid"]}), False),
        (
            sign_user(
                KEY, UserToken(Caller(Role.SERVICE, "door"), ("platform:serve",), (NOW + 60) * SECOND), NOW * SECOND
            ),
            False,
        ),
        *(
            (text, False)
            for text in ("", ".", "..", "a.b.c", "https://example.com/", "bnVsbA.bnVsbA.bnVsbA", "x" * 9000)
        ),
    ],
)
def test_only_what_was_signed_as_a_ticket_is_one(text, is_a_ticket):
    assert (opened(text) != [None]) is is_a_ticket

"""Keys are rotated under way; another issuer's users are fans; a token says why it is not good."""

import json
import random

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from tests.rpc.desk import GATEWAY, QUEUE, code, on_platform
from tests.simulation.world import EVENT_ID
from traffic_tacos.calls import keys
from traffic_tacos.calls.authentication import DISCOVERY, ISSUER_ASKED_EVERY_SECONDS
from traffic_tacos.calls.policy import SCOPES
from traffic_tacos.gen.common.v1 import admin_pb2
from traffic_tacos.gen.gateway.v1 import gateway_pb2, queue_pb2
from traffic_tacos.kernel.calls import Caller, Role
from traffic_tacos.kernel.instants import DAY, SECOND
from traffic_tacos.kernel.tokens import LIFETIME_SECONDS_MAX, UserToken, sign_user

SHOW = gateway_pb2.GetReservationRequest(reservation_id="rsv_none")
ISSUER = "https://login.example"
NAMES = {"rsa": ("RS256", RSAAlgorithm), "ec": ("ES256", ECAlgorithm), "ed": ("EdDSA", OKPAlgorithm)}


def fan_token(signing, now, name="ana"):
    return sign_user(signing, UserToken(Caller(Role.FAN, name), SCOPES[Role.FAN], now + DAY), now)


async def reads(desk, token):
    return code(await desk.ask(GATEWAY + "GetReservation", SHOW, token))


def test_old_tokens_stay_good_after_a_rotation_unless_the_key_is_revoked(tmp_path):
    @on_platform
    async def on_desk(desk):
        chance = random.Random(1)
        first = keys.opened(tmp_path, chance)
        ring = keys.Keyring(first, tmp_path)
        desk.keyring = ring
        desk.keys = first
        await desk.crash()
        held = await desk.held("ana", 1)
        now = desk.clock.now()
        old = fan_token(first.signing, now)
        assert await reads(desk, old) == "NOT_FOUND"
        name = keys.rotate(tmp_path, chance, now)
        second = keys.read(tmp_path)
        new = fan_token(second.signing, now)
        assert await reads(desk, new) == "NOT_FOUND"  # taken up at once: the key's name was not known
        assert await reads(desk, old) == "NOT_FOUND"
        shown = (await desk.http("GET", "/.well-known/jwks.json")).json()["keys"]
        assert [key["kid"] for key in shown] == [name, next(iter(first.verifying))]
        assert ring.signing.private_bytes_raw() == second.signing.private_bytes_raw()
        admission = await desk.admitted("ben")  # sealed with the new key, as is whatever is sealed from now on
        assert bytes.fromhex(admission)[16:24].hex() == name
        keys.rotate(tmp_path, chance, now, revoke=True)
        await desk.clock.sleep(3)
        assert await reads(desk, old) == await reads(desk, new) == "UNAUTHENTICATED"
        shown = (await desk.http("GET", "/.well-known/jwks.json")).json()["keys"]
        assert len(shown) == 1
        desk.keys = keys.read(tmp_path)
        desk.tokens.clear()
        assert await reads(desk, desk.token(Role.FAN, "ana")) == "NOT_FOUND"
        assert held.reservation_id

    on_desk()


def test_a_retired_key_goes_once_nothing_can_rest_on_it(tmp_path):
    chance, now = random.Random(1), 1_800_000_000_000
    keys.opened(tmp_path, chance)
    keys.rotate(tmp_path, chance, now)
    keys.rotate(tmp_path, chance, now + SECOND)
    assert len(keys.read(tmp_path).verifying) == 3
    keys.rotate(tmp_path, chance, now + (LIFETIME_SECONDS_MAX + 1) * SECOND)
    assert len(keys.read(tmp_path).verifying) == 3  # the first is gone, the newest has come
    assert not [file for file in (tmp_path / "keys").rglob("*") if file.stat().st_mode & 0o077]


def test_secrets_for_webhooks_are_taken_up_as_well(tmp_path):
    chance = random.Random(1)
    ring = keys.Keyring(keys.opened(tmp_path, chance), tmp_path)
    assert not ring.refresh()
    keys.rotate_webhook(tmp_path, chance)
    assert ring.refresh()
    assert len(ring.webhook) == 2
    keys.drop_old_webhook(tmp_path)
    assert ring.refresh()
    assert len(ring.webhook) == 1


def test_a_folder_that_cannot_be_read_leaves_the_keys_in_force(tmp_path):
    ring = keys.Keyring(keys.opened(tmp_path, random.Random(1)), tmp_path)
    before = ring.verifying
    signing = tmp_path / "keys" / "signing.pem"
    kept = signing.read_bytes()
    signing.write_text("no key at all")
    assert not ring.refresh()
    signing.unlink()
    assert not ring.refresh()
    assert ring.verifying is before
    signing.write_bytes(kept)
    assert ring.refresh()
    assert list(ring.verifying) == list(before)


class Login:
    """Another issuer: its keys, and how it is found."""

    def __init__(self):
        self.private = {
            "rsa": rsa.generate_private_key(65537, 2048),
            "ec": ec.generate_private_key(ec.SECP256R1()),
            "ed": Ed25519PrivateKey.generate(),
        }
        self.shown = list(self.private)
        self.issuer = ISSUER
        self.is_down = False
        self.asked = []

    async def fetch(self, url):
        self.asked.append(url)
        if self.is_down:
            raise ValueError("down")
        if url == ISSUER + DISCOVERY:
            return {"issuer": self.issuer, "jwks_uri": ISSUER + "/keys"}
        assert url == ISSUER + "/keys"
        shown = []
        for name in self.shown:
            algorithm, kind = NAMES[name]
            public = json.loads(kind.to_jwk(self.private[name].public_key()))
            shown.append({**public, "kid": name, "alg": algorithm, "use": "sig"})
        return {"keys": shown}

    def token(self, name, now, **claims):
        claims = {
            "iss": ISSUER, "aud": "traffic-tacos", "sub": "auth0|ana", "exp": now // SECOND + 600, **claims
        }  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(claims, self.private[name], algorithm=NAMES[name][0], headers={"kid": name})


def with_login(test):
    login = Login()

    @on_platform
    async def on_desk(desk):
        desk.issuer, desk.fetch = ISSUER, login.fetch
        await desk.crash()
        await desk.clock.sleep(1)
        await test(desk, login)

    on_desk()


@pytest.mark.parametrize("name", NAMES)
def test_a_user_of_the_issuer_is_a_fan_by_their_subject(name):
    async def test(desk, login):
        token = login.token(name, desk.clock.now())
        assert await reads(desk, token) == "NOT_FOUND"
        join = queue_pb2.JoinQueueRequest(event_id=EVENT_ID, user_id="auth0|ana", session_id="s")
        assert code(await desk.ask(QUEUE + "JoinQueue", join, token)) == ""
        join.user_id = "auth0|ben"
        assert code(await desk.ask(QUEUE + "JoinQueue", join, token)) == "FORBIDDEN"
        shown = await desk.ask(GATEWAY + "ValidateToken", gateway_pb2.ValidateTokenRequest(token=token))
        assert (shown.valid, shown.user.user_id, list(shown.user.roles)) == (True, "auth0|ana", ["fan"])

    with_login(test)


def test_what_is_wrong_with_an_issuers_token_is_said():
    async def test(desk, login):
        now = desk.clock.now()
        other = Login()
        for token, expected, reason in [
            (login.token("rsa", now, exp=now // SECOND - 1), "UNAUTHENTICATED", "token: has expired"),
            (login.token("rsa", now, nbf=now // SECOND + 60), "UNAUTHENTICATED", "token: is not valid yet"),
            (login.token("rsa", now, aud="another"), "FORBIDDEN", "token: was issued for something else"),
            (login.token("rsa", now, aud=None), "UNAUTHENTICATED", "token: the claim aud is missing"),
            (login.token("rsa", now, sub="é"), "UNAUTHENTICATED", "token: sub: must have only printable ASCII"),
            (login.token("rsa", now, sub="a\n"), "UNAUTHENTICATED", "token: sub: must have only printable ASCII"),
            (login.token("rsa", now, sub="x" * 256), "UNAUTHENTICATED", "token: sub: must have at most 255"),
            (other.token("rsa", now), "UNAUTHENTICATED", "token: the signature is wrong"),
            (login.token("rsa", now, iss="https://evil.example"), "UNAUTHENTICATED", "token: was signed with a key"),
        ]:
            answer = await desk.ask(GATEWAY + "ValidateToken", gateway_pb2.ValidateTokenRequest(token=token))
            assert (answer.valid, code(answer)) == (False, expected), reason
            assert answer.error.message.startswith(reason), answer.error.message
        admin = login.token("rsa", now, role="admin", scope="platform:admin")
        assert await reads(desk, admin) == "NOT_FOUND"  # a fan, whatever it says
        assert (
            code(await desk.ask("common.v1.AdminService/GetSystemHealth", admin_pb2.SystemHealthRequest(), admin))
            == "FORBIDDEN"
        )
        # Signed by the issuer with the name of our own key, or by a shared secret that is its public key.
        ours = next(iter(desk.keys.verifying))
        claims = {"iss": ISSUER, "aud": "traffic-tacos", "sub": "ana", "exp": now // SECOND + 60}
        assert await reads(desk, jwt.encode(claims, login.private["ed"], "EdDSA", {"kid": ours})) == "UNAUTHENTICATED"
        assert await reads(desk, jwt.encode(claims, "s" * 64, "HS256", {"kid": "rsa"})) == "UNAUTHENTICATED"

    with_login(test)


def test_a_new_key_of_the_issuer_is_found_and_its_being_down_changes_nothing():
    async def test(desk, login):
        login.shown = ["rsa"]
        await desk.clock.sleep(ISSUER_ASKED_EVERY_SECONDS)
        asked = len(login.asked)
        assert await reads(desk, login.token("ec", desk.clock.now())) == "UNAUTHENTICATED"
        login.shown = ["rsa", "ec"]
        await desk.clock.sleep(40)
        assert await reads(desk, login.token("ec", desk.clock.now())) == "UNAUTHENTICATED"  # which asks again
        await desk.clock.sleep(1)
        assert await reads(desk, login.token("ec", desk.clock.now())) == "NOT_FOUND"
        for _ in range(50):  # tokens with made-up keys do not make us ask the issuer over and over
            await reads(desk, login.token("ed", desk.clock.now()))
        assert len(login.asked) <= asked + 4
        login.is_down = True
        await desk.clock.sleep(2 * ISSUER_ASKED_EVERY_SECONDS)
        assert await reads(desk, login.token("rsa", desk.clock.now())) == "NOT_FOUND"

    with_login(test)


def test_an_issuer_that_calls_itself_something_else_is_not_believed():
    async def test(desk, login):
        login.issuer = "https://evil.example"
        desk.fetch = login.fetch
        await desk.crash()
        await desk.clock.sleep(1)
        assert await reads(desk, login.token("rsa", desk.clock.now())) == "UNAUTHENTICATED"

    with_login(test)

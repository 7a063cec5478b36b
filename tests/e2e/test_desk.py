"""The operator's desk as an operator has it: `tacos admin …`, and keys that are rotated under a running platform."""

import functools
import http.server
import json
import threading
import time

import jwt
from cryptography.hazmat.primitives.asymmetric import rsa
from jwt.algorithms import RSAAlgorithm

from tests.e2e.process import Shopper

EVENT = "evt_hundred"


def test_everything_is_seen_and_steered_from_the_command_line(up):
    platform = up()
    where = ["--data", str(platform.data), "--grpc", platform.grpc]
    why = ["--reason", "a test", "--as", "ana.operator"]

    def admin(*arguments, fails=0):
        answer = platform.tacos("admin", *arguments, *where)
        assert answer.returncode == fails, answer.stdout + answer.stderr
        return answer.stdout + answer.stderr

    def pull(action, *arguments, fails=0):
        return admin("emergency", action, "--reason", "a test", "--yes", *arguments, fails=fails)

    assert platform.tacos("buy", EVENT, *where).returncode == 0
    health = admin("health")
    for name in ("waiting_room", "worker", "store", "event_loop", "disk", "healthy"):
        assert name in health
    figures = admin("metrics", "--service", "GatewayService")
    assert "gateway.v1.GatewayService/CreateReservation" in figures
    assert "QueueService" not in figures
    assert "tacos_jobs_pending" in admin("metrics")
    assert "limits.fan_per_second" in admin("settings")
    assert "limits.fan_per_second: 100 → 7" in admin("set", "limits.fan_per_second", "7", *why)
    assert "must be a whole number" in admin("set", "limits.fan_per_second", "seven", *why, fails=2)
    assert "reason" in admin("set", "maintenance", "back at nine", fails=2)
    assert "reason" in platform.tacos("queue", "stop", EVENT, *where).stderr
    assert "→ 3" in admin("set", f"events/{EVENT}/admission.active_max", "3", *why)
    assert "would be: evt_hundred takes no newcomers" in admin("drain", EVENT, "--dry-run")
    assert "takes no newcomers" in admin("drain", EVENT, *why)
    assert "the queue is closed" in platform.tacos("buy", EVENT, *where).stderr
    assert "takes newcomers again" in admin("drain", EVENT, "--resume", *why)
    assert "nobody begins anything" in pull("maintenance-mode", "--message", "back at nine")
    assert "maintenance: back at nine" in platform.tacos("buy", EVENT, *where).stderr
    assert "degraded" in admin("health")
    pull("maintenance-mode", "--resume")
    assert "pending reservations cancelled" in pull("cancel-reservations", "--event", EVENT)
    assert "reservations are stopped" in platform.tacos("buy", EVENT, *where).stderr
    pull("cancel-reservations", "--event", EVENT, "--resume")
    assert "circuit open: payment" in pull("circuit-breaker", "--service", "payment")
    pull("circuit-breaker", "--resume")
    assert "no second platform to fail over to" in pull("force-failover", fails=1)
    assert "must be one of" in pull("dance", fails=2)
    assert platform.tacos("admin", "emergency", "stop-admissions", "--reason", "x", *where).returncode == 1  # no yes
    assert "cleared" in admin("clear-cache", *why)
    assert "read again" in admin("refresh", *why)
    assert platform.tacos("buy", EVENT, *where).returncode == 0
    assert "ana.operator" in admin("overrides")
    log = admin("audit")
    assert "ana.operator" in log
    assert "maintenance" in log
    assert "SHA-256 of the last entry" in log
    admin("logs", "--level", "warn")
    platform.verify()


def test_a_key_is_rotated_under_a_running_platform(up):
    platform = up()
    where = ["--data", str(platform.data)]
    client, old = platform.client(), platform.token("user", "ana")
    show = {"reservation_id": "rsv_none"}

    def code(token):
        return client("gateway.v1.GatewayService", "GetReservation", show, token).error.code

    assert code(old) == 5
    assert platform.tacos("keys", "rotate", *where).returncode == 0
    new = platform.token("user", "ana")
    assert (code(new), code(old)) == (5, 5)
    assert platform.tacos("keys", "rotate", "--revoke", *where).returncode == 0
    deadline = time.monotonic() + 20
    while code(new) != 1:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    assert (code(old), code(platform.token("user", "ana"))) == (1, 5)
    assert platform.tacos("keys", "rotate-webhook", "--as", "ben", "--reason", "a leak", *where).returncode == 0
    platform.kill()
    platform.start()
    assert platform.client()("gateway.v1.GatewayService", "GetReservation", show, old).error.code == 1
    assert platform.tacos("keys", "rotate", "--as", "ana", *where).returncode == 0
    deadline = time.monotonic() + 20
    while len(log := rotations(platform)) < 4:
        assert time.monotonic() < deadline, log
        time.sleep(0.2)
    assert [one["what"] for one in log] == ["rotate key", "revoke key", "rotate secret", "rotate key"]
    assert (log[2]["who"], log[2]["why"], log[3]["who"]) == ("ben", "a leak", "ana")
    assert log[0]["after"] == log[1]["before"]
    platform.verify()


def rotations(platform):
    """What the audit log says of keys."""
    answer = platform.tacos("admin", "audit", "--json", "--data", str(platform.data), "--grpc", platform.grpc)
    return [one for one in json.loads(answer.stdout)["entries"] if one["of"] in ("signing key", "webhook secrets")]


class Login(http.server.SimpleHTTPRequestHandler):
    """An issuer's files, as any web server shows them."""

    def log_message(self, *_):
        pass


def test_the_users_of_a_companys_own_login_are_fans(up, tmp_path):
    folder = tmp_path / "login"
    (folder / ".well-known").mkdir(parents=True)
    private = rsa.generate_private_key(65537, 2048)
    public = json.loads(RSAAlgorithm.to_jwk(private.public_key()))
    (folder / "keys.json").write_text(json.dumps({"keys": [{**public, "kid": "k1", "alg": "RS256", "use": "sig"}]}))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Login, directory=folder)) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        issuer = f"http://127.0.0.1:{server.server_port}"
        described = {"issuer": issuer, "jwks_uri": f"{issuer}/keys.json"}
        (folder / ".well-known" / "openid-configuration").write_text(json.dumps(described))
        platform = up("--issuer", issuer, "--issuer-audience", "tickets")
        claims = {"iss": issuer, "aud": "tickets", "sub": "auth0|ana", "exp": int(time.time()) + 60}
        token = jwt.encode(claims, private, "RS256", {"kid": "k1"})
        client = platform.client()
        deadline = time.monotonic() + 20
        while not (shown := client("gateway.v1.GatewayService", "ValidateToken", {"token": token})).valid:
            assert time.monotonic() < deadline, shown
            time.sleep(0.1)
        assert (shown.user.user_id, list(shown.user.roles)) == ("auth0|ana", ["fan"])
        shopper = Shopper(client, token, "auth0|ana", EVENT)
        for step in (shopper.join, shopper.wait_for_turn, shopper.be_admitted):
            step()
        assert shopper.reserve().reservation_id
        server.shutdown()

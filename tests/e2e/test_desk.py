"""The operator's desk as an operator has it: `tacos admin …`, and keys that are rotated under a running platform."""

import time

EVENT = "evt_hundred"


def test_everything_is_seen_and_steered_from_the_command_line(up):
    platform = up()
    where = ["--data", str(platform.data), "--grpc", platform.grpc]

    def admin(*arguments, fails=0):
        answer = platform.tacos("admin", *arguments, *where)
        assert answer.returncode == fails, answer.stdout + answer.stderr
        return answer.stdout + answer.stderr

    def pull(action, *arguments, fails=0):
        return admin("emergency", action, "--reason", "a test", "--yes", *arguments, fails=fails)

    assert platform.tacos("buy", EVENT, *where).returncode == 0
    health = admin("health")
    for name in ("waiting_room", "worker", "store", "engine", "disk", "healthy"):
        assert name in health
    figures = admin("metrics", "--service", "GatewayService")
    assert "gateway.v1.GatewayService/CreateReservation" in figures
    assert "QueueService" not in figures
    assert "tacos_jobs_pending" in admin("metrics")
    assert "limits.fan_per_second" in admin("settings")
    assert "limits.fan_per_second: 100 → 7" in admin("set", "limits.fan_per_second", "7")
    assert "must be a whole number" in admin("set", "limits.fan_per_second", "seven", fails=2)
    assert "→ 3" in admin("set", f"events/{EVENT}/admission.active_max", "3")
    assert "would be: evt_hundred takes no newcomers" in admin("drain", EVENT, "--dry-run")
    assert "takes no newcomers" in admin("drain", EVENT)
    assert "the line is closed" in platform.tacos("buy", EVENT, *where).stderr
    assert "takes newcomers again" in admin("drain", EVENT, "--resume")
    assert "nobody begins anything" in pull("maintenance-mode", "--message", "back at nine")
    assert "maintenance: back at nine" in platform.tacos("buy", EVENT, *where).stderr
    assert "degraded" in admin("health")
    pull("maintenance-mode", "--resume")
    assert "pending reservations cancelled" in pull("cancel-reservations", "--event", EVENT)
    assert "reservations are stopped" in platform.tacos("buy", EVENT, *where).stderr
    pull("cancel-reservations", "--event", EVENT, "--resume")
    assert "leaves in peace payment" in pull("circuit-breaker", "--service", "payment")
    pull("circuit-breaker", "--resume")
    assert "nothing to fail over to" in pull("force-failover", fails=1)
    assert "must be one of" in pull("dance", fails=2)
    assert platform.tacos("admin", "emergency", "stop-admissions", "--reason", "x", *where).returncode == 1  # no yes
    assert "cleared" in admin("clear-cache")
    assert "read again" in admin("refresh")
    assert platform.tacos("buy", EVENT, *where).returncode == 0
    log = admin("audit")
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
    platform.kill()
    platform.start()
    assert platform.client()("gateway.v1.GatewayService", "GetReservation", show, old).error.code == 1

"""`python -m bench.streams`: a line that admits somebody every millisecond, and who watches it hears it.

10,000 fans wait, every fifth of them with an open stream; then they are let in at 1,000 a second for ten
seconds. The k-th fan's turn is due k milliseconds after the start: lateness is from there to the moment
when the reader has the message, with the reader on the same two cores.
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

import grpc
from rich.console import Console
from rich.table import Table

from bench import load, servers
from traffic_tacos.app import keys
from traffic_tacos.app.policy import SCOPES
from traffic_tacos.engines.clock import SystemClock
from traffic_tacos.gen.common.v1 import admin_pb2, admin_pb2_grpc
from traffic_tacos.gen.gateway.v1 import queue_pb2, websocket_pb2, websocket_pb2_grpc
from traffic_tacos.kernel.calls import Caller, Role
from traffic_tacos.kernel.instants import MINUTE
from traffic_tacos.kernel.tokens import UserToken, sign_user

EVENT = "evt_streams"
RATE = 1000
FILE = f"""
id: {EVENT}
name: Bench
currency: KRW
admission: {{rate_per_second: {RATE}, active_max: 100000, offer_seconds: 600}}
sections: [{{id: PIT, name: Pit, price: 1000, standing: 50000}}]
"""
CHANNELS = 4
console = Console()


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.streams")
    parser.add_argument("--fans", type=int, default=10_000)
    parser.add_argument("--every", type=int, default=5, help="one in so many fans has a stream")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        event, data = Path(folder) / "event.yaml", Path(folder) / "data"
        event.write_text(FILE)
        with servers.platform(data, "--event", str(event)) as (pid, address):
            asyncio.run(_run(pid, address, data, asked.fans, asked.every))


async def _run(pid: int, address: str, data: Path, fans: int, every: int) -> None:
    admin = _admin(data)
    async with grpc.aio.insecure_channel(address) as channel:
        desk = admin_pb2_grpc.AdminServiceStub(channel)
        await desk.EmergencyAction(_stop(resume=False), metadata=admin)
        console.print(f"{fans:,} fans join …")
        bodies = [
            queue_pb2.JoinQueueRequest(event_id=EVENT, session_id=f"s{number}").SerializeToString()
            for number in range(fans)
        ]
        _, answers = await load.callers(address, "/gateway.v1.QueueService/JoinQueue", bodies, (), 1)
        joined = [queue_pb2.JoinQueueResponse.FromString(answer) for answer in answers]
        before = servers.memory_bytes(pid)
        watching = range(every - 1, fans, every)
        console.print(f"{len(watching):,} streams are opened …")
        channels = [
            grpc.aio.insecure_channel(address, options=[("grpc.use_local_subchannel_pool", 1)]) for _ in range(CHANNELS)
        ]
        stubs = [websocket_pb2_grpc.WebSocketServiceStub(one) for one in channels]
        heard: dict[int, float] = {}
        messages = 0
        opened = 0

        async def watch(number: int) -> None:
            nonlocal messages, opened
            request = websocket_pb2.StreamQueueRequest(
                waiting_token=joined[number].waiting_token, session_id=f"s{number}"
            )
            first = True
            async for update in stubs[number % CHANNELS].StreamQueueUpdates(request):
                opened += first
                first = False
                messages += 1
                if update.queue_update.event_type == websocket_pb2.QUEUE_EVENT_TYPE_ADMISSION_READY:
                    heard[number] = time.perf_counter()
                    return

        readers = [asyncio.create_task(watch(number)) for number in watching]
        while opened < len(watching):
            await asyncio.sleep(0.1)
        memory = servers.memory_bytes(pid)
        cpu, messages = servers.cpu_seconds(pid), 0
        started = time.perf_counter()
        await desk.EmergencyAction(_stop(resume=True), metadata=admin)
        done, pending = await asyncio.wait(readers, timeout=fans / RATE * 3)
        took = time.perf_counter() - started
        spent = servers.cpu_seconds(pid) - cpu
        late = sorted(heard[number] - started - (number + 1) / RATE for number in heard)
        table = Table("what", "measured")
        table.add_row("fans who heard READY", f"{len(heard):,} of {len(watching):,}")
        table.add_row("in", f"{took:.1f} s")
        table.add_row("late, half", f"{late[len(late) // 2] * 1000:.0f} ms")
        table.add_row("late, 95 %", f"{late[len(late) * 95 // 100] * 1000:.0f} ms")
        table.add_row("late, at most", f"{late[-1] * 1000:.0f} ms")
        table.add_row("messages", f"{messages:,}")
        table.add_row("CPU of the platform", f"{spent:.2f} s, {spent / took:.0%} of a core")
        table.add_row("memory of a stream", f"{(memory - before) / len(watching) / 1024:.0f} KiB")
        console.print(table)
        for reader in (*done, *pending):
            reader.cancel()
        await asyncio.gather(*readers, return_exceptions=True)
        for one in channels:
            await one.close()


def _admin(data: Path) -> tuple[tuple[str, str], ...]:
    now = SystemClock().now()
    user = UserToken(Caller(Role.ADMIN, "bench"), SCOPES[Role.ADMIN], now + 60 * MINUTE)
    return (("authorization", f"Bearer {sign_user(keys.read(data).signing, user, now)}"),)


def _stop(*, resume: bool) -> admin_pb2.EmergencyActionRequest:
    return admin_pb2.EmergencyActionRequest(
        action=admin_pb2.EMERGENCY_ACTION_TYPE_STOP_ADMISSIONS,
        reason="bench",
        confirm=True,
        parameters={"event_id": EVENT, "resume": "true" if resume else "false"},
    )


if __name__ == "__main__":
    main()

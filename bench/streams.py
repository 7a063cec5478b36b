"""`python -m bench.streams`: a line that admits somebody every millisecond, and whoever watches it is sent that.

10,000 fans wait, every fifth of them with an open stream; then they are let in at 1,000 a second for ten
seconds, and take their turns. Measured from the turn (the message's own time) to the moment when the
reader has the message, with the reader on the same two cores; and against the k-th fan being due k
milliseconds after the start.
"""

import argparse
import asyncio
import tempfile
import time
from pathlib import Path

import grpc
from rich.console import Console

from bench import load, servers
from traffic_tacos.cli import options
from traffic_tacos.cli.shown import Listing
from traffic_tacos.gen.common.v1 import admin_pb2, admin_pb2_grpc
from traffic_tacos.gen.gateway.v1 import queue_pb2, queue_pb2_grpc, websocket_pb2, websocket_pb2_grpc

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
    admin = options.admin_metadata(data)
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
        travelled: list[float] = []
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
                    travelled.append(time.time() - update.timestamp.ToMilliseconds() / 1000)
                    return

        readers = [asyncio.create_task(watch(number)) for number in watching]
        while opened < len(watching):
            await asyncio.sleep(0.1)
        memory = servers.memory_bytes(pid)
        # A sign of life from everybody else: who is not there is passed over, and this is about those who are.
        waiting = [
            queue_pb2.GetQueueStatusRequest(waiting_token=one.waiting_token).SerializeToString() for one in joined
        ]
        await load.callers(address, "/gateway.v1.QueueService/GetQueueStatus", waiting, (), 64)
        cpu, messages = servers.cpu_seconds(pid), 0
        started = time.perf_counter()
        await desk.EmergencyAction(_stop(resume=True), metadata=admin)
        numbers = iter(range(fans))
        admitting = [asyncio.create_task(_admit(channel, joined, numbers)) for _ in range(64)]
        await asyncio.wait(readers, timeout=fans / RATE * 3)
        took = time.perf_counter() - started
        spent = servers.cpu_seconds(pid) - cpu
        late = sorted(heard[number] - started - (number + 1) / RATE for number in heard)
        table = Listing("what", "measured")
        table.add("fans who got READY", f"{len(heard):,} of {len(watching):,}")
        table.add("in", f"{took:.1f} s")
        for name, seconds in (("from the turn to the reader", sorted(travelled)), ("behind an even 1,000/s", late)):
            half, most, last = (seconds[len(seconds) * share // 100] * 1000 for share in (50, 95, 99))
            table.add(name, f"half {half:.0f} ms, 95 % {most:.0f} ms, 99 % {last:.0f} ms")
        table.add("messages", f"{messages:,}")
        table.add("CPU of the platform", f"{spent:.2f} s, {spent / took:.0%} of a core")
        table.add("memory of a stream", f"{(memory - before) / len(watching) / 1024:.0f} KiB")
        table.print()
        for task in (*readers, *admitting):
            task.cancel()
        await asyncio.gather(*readers, *admitting, return_exceptions=True)
        for one in channels:
            await one.close()


async def _admit(channel, joined, numbers) -> None:
    """Take every turn as it comes, so that those behind move up."""
    queue = queue_pb2_grpc.QueueServiceStub(channel)
    for number in numbers:
        request = queue_pb2.RequestAdmissionRequest(waiting_token=joined[number].waiting_token, event_id=EVENT)
        while (await queue.RequestAdmission(request)).admission != queue_pb2.ADMISSION_STATUS_GRANTED:
            await asyncio.sleep(0.05)


def _stop(*, resume: bool) -> admin_pb2.EmergencyActionRequest:
    return admin_pb2.EmergencyActionRequest(
        action=admin_pb2.EMERGENCY_ACTION_TYPE_STOP_ADMISSIONS,
        reason="bench",
        confirm=True,
        parameters={"event_id": EVENT, "resume": "true" if resume else "false"},
    )


if __name__ == "__main__":
    main()

"""A worker that begins every job that it gets and never ends one: `python -m tests.engines.hanging PREFIX`."""

import asyncio
import sys
from contextlib import AsyncExitStack

from tests.conformance.runners import OnAws
from traffic_tacos.ports.store import Job


async def hang(job: Job) -> None:
    print(job.id, flush=True)
    await asyncio.Event().wait()


async def main(prefix: str) -> None:
    async with AsyncExitStack() as stack:
        process = await OnAws(stack, prefix).process()
        await process.runner.run({"t": hang, "crowd": hang})


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))

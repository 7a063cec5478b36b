"""What the embedded store does when the disk, the writer or the whole process fails."""

import asyncio
import os
import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.conformance.test_store import COUNTER, Counter, adding
from traffic_tacos.engines import sqlite
from traffic_tacos.engines.sqlite import SqliteStore, connected
from traffic_tacos.ports.store import JOB, OUTBOX, Decision, StoreUnavailable, put

WRITER = """
import asyncio, sys
from pathlib import Path
from tests.conformance.test_store import COUNTER, Counter
from traffic_tacos.kernel.domain_events import EventChanged
from traffic_tacos.engines.sqlite import SqliteStore
from traffic_tacos.ports.store import Decision, Job, put

async def main(path):
    store = SqliteStore(Path(path))
    async def caller(name):
        for n in range(1_000_000):
            parts = [put(COUNTER.key(name, f"{n:07d}", part), Counter(n)) for part in ("left", "right")]
            job = Job(f"{name}-{n:07d}", "topic", n)
            await store.transact((), lambda _: Decision(None, parts, (job,), (EventChanged(f"{name}-{n:07d}"),)))
            sys.stdout.write(f"{name} {n:07d}\\n")
            sys.stdout.flush()
    await asyncio.gather(*(caller(f"c{n}") for n in range(16)))

asyncio.run(main(sys.argv[1]))
"""


async def test_what_was_acknowledged_before_a_sigkill_is_there_and_nothing_half(tmp_path):
    path = tmp_path / "store.db"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).parents[2],
    ) as writer:
        acknowledged = [writer.stdout.readline().split() for _ in range(2000)]
        os.kill(writer.pid, signal.SIGKILL)
        # The kill may cut the last line short.
        rest = writer.stdout.read().rpartition("\n")[0]
        acknowledged += [line.split() for line in rest.splitlines()]
    store = SqliteStore(path)
    try:
        for name, number in acknowledged:
            assert await store.get(COUNTER.key(name, number, "left")) is not None
        counters = {key.path for key, _ in await store.scan(COUNTER.prefix(), limit=10**6)}
        jobs = {job.id for _, job in await store.scan(JOB.prefix(), limit=10**6)}
        events = {event.event_id for _, event in await store.scan(OUTBOX.prefix(), limit=10**6)}
        assert jobs == events
        assert counters == {COUNTER.key(*job.split("-"), part).path for job in jobs for part in ("left", "right")}
        assert len(jobs) >= len(acknowledged) >= 2000
    finally:
        await store.close()


async def test_a_full_disk_is_an_error_for_everybody_who_waits_and_no_false_yes(tmp_path, monkeypatch):
    opened = []
    monkeypatch.setattr(sqlite, "connected", lambda path: opened.append(connected(path)) or opened[-1])
    store = SqliteStore(tmp_path / "store.db")
    big = "x" * 3000
    try:
        key = COUNTER.key("before")
        await store.transact((key,), adding(key))
        writing, _ = opened
        pages = writing.execute("PRAGMA page_count").fetchone()[0]
        writing.execute(f"PRAGMA max_page_count={pages + 4}")
        names = [f"{n}-{big}" for n in range(20)]
        outcomes = await asyncio.gather(
            *(
                store.transact((), lambda _, name=name: Decision(None, (put(COUNTER.key(name), Counter(1)),)))
                for name in names
            ),
            return_exceptions=True,
        )
        assert all(isinstance(outcome, StoreUnavailable) for outcome in outcomes)
        assert [await store.get(COUNTER.key(name)) for name in names] == [None] * 20
        assert await store.get(key) == Counter(1)
        writing.execute("PRAGMA max_page_count=1000000")
        assert await store.transact((key,), adding(key)) == 2
    finally:
        await store.close()


async def test_decisions_that_rest_on_a_failed_commit_fail_with_it(tmp_path, monkeypatch):
    store = SqliteStore(tmp_path / "store.db")
    key = COUNTER.key("a")
    try:
        real, calls = sqlite.commit, 0

        def failing_once(connection, batch):
            nonlocal calls
            calls += 1
            if calls == 1:
                raise sqlite.sqlite3.OperationalError("disk I/O error")
            real(connection, batch)

        monkeypatch.setattr(sqlite, "commit", failing_once)
        prefix = COUNTER.prefix()
        await store.transact((prefix,), lambda view: Decision(len(view.range(prefix))))  # is remembered from now on
        first = asyncio.ensure_future(store.transact((key,), adding(key)))
        await asyncio.sleep(0)
        await asyncio.sleep(0)  # the first batch is with the writer
        second = asyncio.ensure_future(store.transact((key,), adding(key)))
        outcomes = await asyncio.gather(first, second, return_exceptions=True)
        assert all(isinstance(outcome, StoreUnavailable) for outcome in outcomes)
        counted = await store.transact((prefix,), lambda view: Decision(len(view.range(prefix))))
        assert counted == 0
        assert await store.transact((key,), adding(key)) == 1
    finally:
        await store.close()


async def test_a_dead_writer_is_an_error_for_all_who_wait_and_all_who_come(tmp_path, monkeypatch):
    def dying(connection, batch):
        raise MemoryError("gone")

    store = SqliteStore(tmp_path / "store.db")
    key = COUNTER.key("a")
    monkeypatch.setattr(sqlite, "commit", dying)
    outcomes = await asyncio.gather(*(store.transact((key,), adding(key)) for _ in range(5)), return_exceptions=True)
    assert all(isinstance(outcome, StoreUnavailable) for outcome in outcomes)
    with pytest.raises(StoreUnavailable, match="writer has stopped"):
        await store.transact((key,), adding(key))
    await store.close()


async def test_nobody_reads_what_the_disk_does_not_have(tmp_path):
    store = SqliteStore(tmp_path / "store.db")
    key = COUNTER.key("a")
    try:
        pending = asyncio.ensure_future(store.transact((key,), adding(key)))
        await asyncio.sleep(0)
        assert not pending.done()
        assert await store.get(key) is None
        assert await pending == 1
        assert await store.get(key) == Counter(1)
    finally:
        await store.close()


async def test_a_batch_waits_for_as_many_as_were_answered_together_and_for_no_more(tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite, "REST_SECONDS_MAX", 60)
    store = SqliteStore(tmp_path / "store.db")

    def called(number):
        key = COUNTER.key(str(number))
        return asyncio.ensure_future(store.transact((key,), adding(key)))

    try:
        await asyncio.gather(*map(called, range(sqlite.RESTS_FROM)))
        again = [called(number) for number in range(sqlite.RESTS_FROM - 1)]
        await asyncio.sleep(0.05)
        assert not any(one.done() for one in again)
        again.append(called("another"))
        assert await asyncio.wait_for(asyncio.gather(*again), 10) == [2] * (sqlite.RESTS_FROM - 1) + [1]
    finally:
        last = called("last")
        await asyncio.sleep(0)
        await asyncio.wait_for(store.close(), 10)  # which waits for nobody
        assert await last == 1


async def test_who_calls_alone_after_many_is_not_kept_waiting(tmp_path):
    store = SqliteStore(tmp_path / "store.db")
    key = COUNTER.key("a")
    try:
        for expected in (100, 201, 302):
            await asyncio.gather(*(store.transact((key,), adding(key)) for _ in range(100)))
            assert (await store.get(key)).value == expected
            await asyncio.wait_for(store.transact((key,), adding(key)), 5)
    finally:
        await store.close()


async def test_an_older_store_is_taken_over_with_all_its_records(tmp_path):
    path, key = tmp_path / "store.db", COUNTER.key("a")
    with closing(connected(path)) as old:
        old.execute("CREATE TABLE records (path TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
        rows = [(COUNTER.key(f"{n:03d}").path, COUNTER.encode(Counter(n)).decode()) for n in range(300)]
        old.executemany("INSERT INTO records VALUES (?, ?)", rows)
    for _ in range(2):  # once it is rebuilt, the next start finds it so
        store = SqliteStore(path)
        try:
            await store.transact((key,), adding(key))
            counters = [counter.value for _, counter in await store.scan(COUNTER.prefix(), limit=1000)]
        finally:
            await store.close()
    assert counters == [*range(300), 2]
    with closing(connected(path, read_only=True)) as rebuilt:
        (table,) = rebuilt.execute("SELECT sql FROM sqlite_master WHERE type = 'table'").fetchall()
    assert "WITHOUT ROWID" not in table[0]

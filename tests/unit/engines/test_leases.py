"""What one process does at a time, and what becomes of it when that process dies, or only seems to."""

import asyncio
import random

import msgspec
import pytest

from tests.clocks import HandClock
from tests.simulation.replicas import ApartClock
from traffic_tacos.engines.leases import FENCE, LEASE, LEASE_FOR, SKEW_MAX, FencedStore, HeldLease
from traffic_tacos.engines.memory import MemoryStore
from traffic_tacos.kernel.instants import SECOND
from traffic_tacos.ports.store import Decision, Kind, StoreUnavailable, delete, put


class Note(msgspec.Struct, frozen=True):
    text: str


NOTE = Kind("note", Note)
KEY = NOTE.key("a")


@pytest.fixture
def clock():
    return HandClock()


def of(store, clock, holder, by=0):
    return HeldLease(store, ApartClock(clock, by), "thing", holder)


async def test_one_has_it_as_long_as_they_renew_it(clock):
    store = MemoryStore()
    one, other = of(store, clock, "one"), of(store, clock, "other")
    assert await one.ask() and not await other.ask()
    for _ in range(20):
        clock.advance(1)
        assert await one.ask() and not await other.ask()
        assert one.is_ours() and not other.is_ours()
    assert one.number == 1


async def test_who_dies_is_followed_once_the_lease_has_run_out(clock):
    store = MemoryStore()
    one, other = of(store, clock, "one"), of(store, clock, "other")
    await one.ask()
    clock.advance((LEASE_FOR + SKEW_MAX) / SECOND - 0.001)
    assert not await other.ask()
    clock.advance(0.001)
    assert await other.ask() and other.number == 2
    assert not await one.ask() and not one.is_ours()


async def test_who_lets_go_is_followed_at_once_and_lets_nobody_elses_go(clock):
    store = MemoryStore()
    one, other = of(store, clock, "one"), of(store, clock, "other")
    await one.ask()
    await other.let_go()
    assert not await other.ask()
    await one.let_go()
    assert not one.is_ours() and await other.ask() and other.number == 2


@pytest.mark.parametrize("one_by", [-SKEW_MAX // 2, 0, SKEW_MAX // 2])
@pytest.mark.parametrize("other_by", [-SKEW_MAX // 2, 0, SKEW_MAX // 2])
async def test_two_never_believe_that_it_is_theirs_however_their_clocks_go(clock, one_by, other_by):
    """At any moment, whatever was renewed or lost before."""
    chance, store = random.Random(f"{one_by} {other_by}"), MemoryStore()
    both = [of(store, clock, "one", one_by), of(store, clock, "other", other_by)]
    held = [0, 0]
    for _ in range(2000):
        clock.advance(chance.uniform(0, 0.4))
        if chance.random() < 0.3:
            await chance.choice(both).ask()
        assert not (both[0].is_ours() and both[1].is_ours())
        held = [count + lease.is_ours() for count, lease in zip(held, both, strict=True)]
    assert min(held) > 50, "each had it for a while"


async def test_a_holder_of_the_past_writes_nothing(clock):
    """It was paused after it had looked at the lease, and did not notice that it ran out."""
    store = MemoryStore()
    one, other = of(store, clock, "one"), of(store, clock, "other")
    await one.ask()
    fenced, successor = FencedStore(store, one), FencedStore(store, other)
    await fenced.transact((KEY,), lambda _: Decision(None, (put(KEY, Note("one")),)))
    clock.advance(10)
    await other.ask()
    await successor.transact((KEY,), lambda _: Decision(None, (put(KEY, Note("other")),)))
    with pytest.raises(StoreUnavailable, match="another process holds the lease of thing now"):
        await fenced.transact((), lambda _: Decision(None, (delete(KEY),)))
    assert await store.get(KEY) == Note("other")


async def test_what_is_lost_for_good_is_never_had_again_and_may_be_had_by_whoever_starts_anew(clock):
    """What the first one remembers is of the time before the other's."""
    store = MemoryStore()
    one, other, later = (HeldLease(store, clock, "thing", name, is_lost_for_good=True) for name in ("1", "2", "3"))
    assert await one.ask()
    clock.advance(10)
    assert await one.ask(), "nobody has had it meanwhile"
    clock.advance(10)
    assert await other.ask()
    clock.advance(10)
    assert not await one.ask() and not one.is_ours()
    await other.let_go()
    assert not await one.ask()
    assert await later.ask()


async def test_who_never_had_the_lease_writes_nothing(clock):
    store = MemoryStore()
    await of(store, clock, "one").ask()
    with pytest.raises(StoreUnavailable):
        await FencedStore(store, of(store, clock, "other")).transact((), lambda _: Decision(None, (delete(KEY),)))


async def test_a_lease_is_one_record_and_a_fence_that_stays(clock):
    store = MemoryStore()
    one = of(store, clock, "one")
    await one.ask()
    await one.let_go()
    assert list(store.all(LEASE)) == []
    assert [fence.number for _, fence in store.all(FENCE)] == [1]


async def test_it_is_renewed_in_the_background_and_a_store_that_fails_ends_nothing(clock):
    class Failing(MemoryStore):
        async def transact(self, reads, decide):
            if failures and failures.pop():
                raise StoreUnavailable("injected")
            return await super().transact(reads, decide)

    failures = [True, False, True]
    one = of(Failing(), clock, "one")
    renewing = asyncio.create_task(one.run())
    for _ in range(30):
        await asyncio.sleep(0)
    assert failures == [] and one.is_ours()
    renewing.cancel()
    await asyncio.gather(renewing, return_exceptions=True)

"""A log in Redis or Valkey: a stream for each name, and its base in a hash beside it.

    tacos:{NAME}:log     the stream; an entry has one field. Its ids are the server's time, which never goes back
    tacos:{NAME}:base    epoch, position, dropped, state

The epoch is the server's replication id: it changes when a replica is promoted and when a server is started again, and
so whenever entries may have been lost. Each verb is one script, which the server carries out at once.

Redis replicates after it has answered, so an entry is safe once as many replicas as asked for have it (WAIT). Without
any, a failover loses the newest entries; nobody loses a place by that, and turns given last are given again.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

import structlog
from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import ReadOnlyError, RedisError

from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.ports.log import Base, BaseMoved, Entry, LogUnavailable, Mark, NotReplicated, Position, ServerChanged

CONNECTIONS_MAX = 32
CONNECT_SECONDS = 1.0
ANSWER_SECONDS = 3.0
SAFE_WITHIN_MILLISECONDS = 1000
KEPT_SECONDS = 60 * 86_400  # after the last entry; then the line is made anew from the store, if anybody asks
SERVERS_OWN = "*"  # of the id of an entry: its time is the server's

log = structlog.get_logger()

_SERVER = "string.match(redis.call('INFO', 'replication'), 'master_replid:(%x+)')"
_ORDER = """
local function is_before(one, other)
  local at, number = string.match(one, '(%d+)-(%d+)')
  local other_at, other_number = string.match(other, '(%d+)-(%d+)')
  if at ~= other_at then return tonumber(at) < tonumber(other_at) end
  return tonumber(number) < tonumber(other_number)
end
"""
_APPEND = f"""{_ORDER}
local base = redis.call('HMGET', KEYS[2], 'epoch', 'dropped')
if base[1] ~= ARGV[1] or is_before(ARGV[5], base[2]) then return 'moved' end
if {_SERVER} ~= ARGV[1] then return 'changed' end
redis.call('XADD', KEYS[1], ARGV[2], 'b', ARGV[3])
redis.call('EXPIRE', KEYS[1], ARGV[4])
redis.call('EXPIRE', KEYS[2], ARGV[4])
return 'appended'
"""
_READ = """
local found = {}
for i = 1, #ARGV do
  local base = redis.call('HMGET', KEYS[2 * i], 'epoch', 'dropped')
  found[i] = {base[1], base[2], redis.call('XRANGE', KEYS[2 * i - 1], ARGV[i], '+')}
end
return found
"""
_BEGIN = f"""{_ORDER}
if (redis.call('HGET', KEYS[2], 'epoch') or '') ~= ARGV[1] then return end
local last = redis.call('XREVRANGE', KEYS[1], '+', '-', 'COUNT', 1)[1]
if ARGV[1] ~= '' and last and is_before(ARGV[2], last[1]) then return end
redis.pcall('XADD', KEYS[1], ARGV[2], 'b', '')
local id = redis.call('XADD', KEYS[1], ARGV[3], 'b', '')
redis.call('XTRIM', KEYS[1], 'MAXLEN', 0)
redis.call('HSET', KEYS[2], 'epoch', {_SERVER}, 'position', id, 'dropped', id, 'state', ARGV[4])
"""
_SAVE = f"""{_ORDER}
local base = redis.call('HMGET', KEYS[2], 'epoch', 'position')
if base[1] ~= ARGV[1] or not is_before(base[2], ARGV[2]) then return end
redis.call('HSET', KEYS[2], 'position', ARGV[2], 'dropped', base[2], 'state', ARGV[3])
redis.call('XTRIM', KEYS[1], 'MINID', base[2])
"""


class RedisLog:
    """A `Log`. An entry is safe when so many `replicas` have it; `entry_id` is asked for the id of a new one."""

    def __init__(self, redis: Redis, replicas: int, entry_id: Callable[[], str] = lambda: SERVERS_OWN) -> None:
        self._redis = redis
        self._replicas = replicas
        self._entry_id = entry_id

    async def base(self, name: str) -> Base | None:
        asked = self._redis.hmget(_keys(name)[1], ["epoch", "position", "state"])
        epoch, position, state = await self._answer(cast(Awaitable[list[bytes | None]], asked))
        if epoch is None or position is None or state is None:
            return None
        return Base(epoch.decode(), _position(position), state)

    async def read(self, marks: Mapping[str, Mark]) -> Mapping[str, Sequence[Entry] | None]:
        found = await self._answer(self._redis.eval(*_reading(marks)))
        return {name: _entries(mark, one) for (name, mark), one in zip(marks.items(), found, strict=True)}

    async def append(self, name: str, mark: Mark, payload: bytes) -> Sequence[Entry]:
        at = _id(mark.position)
        async with self._redis.pipeline(transaction=False) as pipe:
            pipe.eval(_APPEND, 2, *_keys(name), mark.epoch, self._entry_id(), payload, KEPT_SECONDS, at)
            if self._replicas:
                pipe.wait(self._replicas, SAFE_WITHIN_MILLISECONDS)
            pipe.eval(*_reading({name: mark}))
            done, *having, (found,) = await self._answer(pipe.execute())
        if done == b"moved":
            raise BaseMoved
        if done == b"changed":
            raise ServerChanged
        if having and having[0] < self._replicas:
            raise NotReplicated(
                f"{having[0]} replicas of Redis have what was appended, and {self._replicas} are to have it"
            )
        entries = _entries(mark, found)
        if entries is None:
            raise BaseMoved
        return entries

    async def begin(self, name: str, before: str, position: Position, state: bytes) -> None:
        at = _id(position)
        await self._answer(self._redis.eval(_BEGIN, 2, *_keys(name), before, at, self._entry_id(), state))

    async def save(self, name: str, mark: Mark, state: bytes) -> None:
        await self._answer(self._redis.eval(_SAVE, 2, *_keys(name), mark.epoch, _id(mark.position), state))

    async def _answer(self, asked: Any) -> Any:
        try:
            return await asked
        except ReadOnlyError:  # it was the primary until now: find out who is
            await self._redis.connection_pool.disconnect(inuse_connections=False)
            raise LogUnavailable("this Redis is a replica now") from None
        except (RedisError, OSError) as error:
            raise LogUnavailable(f"Redis did not answer: {error or type(error).__name__}") from None


@asynccontextmanager
async def redis_log(url: str, replicas: int) -> AsyncIterator[RedisLog]:
    async with connected(url, replicas) as redis:
        yield RedisLog(redis, replicas)


@asynccontextmanager
async def connected(url: str, replicas: int) -> AsyncIterator[Redis]:
    """Refused when nobody answers there, or when there are not as many replicas as every entry is to be on."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=CONNECTIONS_MAX,
        socket_connect_timeout=CONNECT_SECONDS,
        socket_timeout=ANSWER_SECONDS,
        retry=Retry(NoBackoff(), 0),  # what may be asked again, only the line knows
    )
    redis = Redis(connection_pool=pool)
    try:
        try:
            found = await redis.info("replication")
        except (RedisError, OSError) as error:
            said = f"TACOS_REDIS must name a Redis that answers: {type(error).__name__}"
            raise Refusal.of_field("redis", said) from None
        if found["connected_slaves"] < replicas:
            said = (
                f"every entry is to be on {replicas} replicas, and this Redis has {found['connected_slaves']}; start "
                f"one, or choose --redis-replicas 0: then a failover loses the newest turns"
            )
            raise Refusal.of_field("redis-replicas", said, replicas)
        yield redis
    finally:
        await redis.aclose()
        await pool.aclose()


def _keys(name: str) -> tuple[str, str]:
    return f"tacos:{{{name}}}:log", f"tacos:{{{name}}}:base"


def _reading(marks: Mapping[str, Mark]) -> tuple[Any, ...]:
    keys = [key for name in marks for key in _keys(name)]
    return (_READ, len(keys), *keys, *(f"({_id(mark.position)}" for mark in marks.values()))


def _entries(mark: Mark, found: Sequence[Any]) -> Sequence[Entry] | None:
    epoch, dropped, entries = found
    if epoch is None or epoch.decode() != mark.epoch or mark.position < _position(dropped):
        return None
    return [Entry(_position(position), fields[1]) for position, fields in entries]


def _id(position: Position) -> str:
    return f"{position.at}-{position.number}"


def _position(id_: bytes) -> Position:
    at, _, number = id_.partition(b"-")
    return Position(int(at), int(number))

"""Token buckets that many processes take from, in Redis: for each one the time at which it is full again, by the clock
of the server, for as long as it is not.
"""

from collections.abc import Mapping

from redis.asyncio import Redis
from redis.exceptions import RedisError

from traffic_tacos.kernel.errors import Fault
from traffic_tacos.ports.buckets import FULL_WITHIN

_TAKE = """
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local full_in = {}
for i = 1, #KEYS do
  local full_at = math.max(tonumber(redis.call('GET', KEYS[i]) or now), now) + tonumber(ARGV[i + 1])
  full_at = math.min(full_at, now + tonumber(ARGV[1]))
  redis.call('SET', KEYS[i], string.format('%.3f', full_at), 'PX', math.ceil(full_at - now) + 1)
  full_in[i] = string.format('%.3f', full_at - now)
end
return full_in
"""


class RedisBuckets:
    """A `SharedBuckets`."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def take(self, taken: Mapping[str, float]) -> Mapping[str, float]:
        if not taken:
            return {}
        keys = [f"tacos:bucket:{name}" for name in taken]
        try:
            found = await self._redis.eval(_TAKE, len(keys), *keys, FULL_WITHIN, *taken.values())
        except (RedisError, OSError) as error:
            raise Fault(f"Redis did not answer: {type(error).__name__}") from None
        return {name: float(full_in) for name, full_in in zip(taken, found, strict=True)}

"""HTTP out: webhooks to addresses that others have named.

A name is looked up here, every address is held against what is allowed, and the connection goes to the
address that was looked at, so that a name cannot mean one machine when checked and another when called.
Redirects are not followed, and answers are read no further than somebody needs to see what was wrong.

Nothing here is shared that a slow receiver could fill: how many are called at once is bounded by the places among
the jobs (rooms/webhook/deliveries.py), and names are looked up in threads of their own.
"""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from concurrent.futures import Executor, ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial

import aiohttp
import certifi
from yarl import URL

from traffic_tacos.kernel.addresses import Network, Target, is_address, is_allowed, target_of
from traffic_tacos.kernel.errors import Fault
from traffic_tacos.ports.http import HttpAnswer, HttpPost

IDLE_SECONDS_MAX = 5.0  # a connection is kept for the next webhook to the same address
LOOKUPS_MAX = 256  # threads, which are made as they are needed: a name server may let each of them wait
ANSWER_BYTES_MAX = 1024
SAID_LENGTH_MAX = 200


class WebhookFault(Fault):
    """The other side of a webhook could not be reached, or may not be."""


@asynccontextmanager
async def poster(networks: tuple[Network, ...]) -> AsyncIterator[HttpPost]:
    """A way to post to public addresses, and to these networks."""
    lookups = ThreadPoolExecutor(LOOKUPS_MAX, thread_name_prefix="lookup")
    believed = ssl.create_default_context(cafile=certifi.where())
    client = aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=0, keepalive_timeout=IDLE_SECONDS_MAX, ssl=believed),
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(),  # none of its own: there is one around it all
        auto_decompress=False,
        skip_auto_headers=("accept", "accept-encoding", "user-agent"),
        trust_env=False,
    )
    try:

        async def post(url: str, headers: dict[str, str], body: bytes, seconds: float) -> HttpAnswer:
            try:
                async with asyncio.timeout(seconds):
                    return await _posted(client, lookups, networks, url, headers, body)
            except TimeoutError:
                raise WebhookFault(f"{url} did not answer within {seconds:g} seconds") from None
            except (aiohttp.ClientError, OSError, ValueError) as error:
                raise WebhookFault(f"{url}: {type(error).__name__}") from None

        yield post
    finally:
        lookups.shutdown(wait=False, cancel_futures=True)
        await client.close()


async def _posted(
    client: aiohttp.ClientSession,
    lookups: Executor,
    networks: tuple[Network, ...],
    url: str,
    headers: dict[str, str],
    body: bytes,
) -> HttpAnswer:
    target = target_of(url)
    if target is None:
        raise WebhookFault(f"{url}: is not an http or https address")
    address = await _address(target, lookups, networks)
    host = f"[{address}]" if ":" in address else address
    async with client.post(
        URL(f"{target.scheme}://{host}:{target.port}{target.path}", encoded=True),
        headers={**headers, "host": target.authority},
        data=body,
        server_hostname=target.host if target.scheme == "https" else None,
        allow_redirects=False,
    ) as answer:
        said = bytearray()
        async for chunk in answer.content.iter_any():
            said += chunk
            if len(said) >= ANSWER_BYTES_MAX:
                answer.close()
                break
        return HttpAnswer(answer.status, answer.headers.get("retry-after", ""), _shown(bytes(said)))


async def _address(target: Target, lookups: Executor, networks: tuple[Network, ...]) -> str:
    """The first address of the target's host that may be called."""
    addresses = [target.host] if is_address(target.host) else await _looked_up(target, lookups)
    for address in addresses:
        if is_allowed(address, networks):
            return address
    raise WebhookFault(
        f"{target.host}: {addresses[0]} is not a public address, nor in a network that the operator allows"
    )


async def _looked_up(target: Target, lookups: Executor) -> list[str]:
    look = partial(socket.getaddrinfo, target.host, target.port, type=socket.SOCK_STREAM)
    try:
        found = await asyncio.get_running_loop().run_in_executor(lookups, look)
    except OSError as error:
        raise WebhookFault(f"{target.host}: {error.strerror}") from None
    return [str(entry[4][0]) for entry in found]


def _shown(said: bytes) -> str:
    text = said[:SAID_LENGTH_MAX].decode("utf-8", "replace")
    return "".join(letter if letter.isprintable() else " " for letter in text).strip()

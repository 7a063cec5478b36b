"""Requests to DynamoDB over aiodynamo and aiohttp; what its errors mean to the store."""

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiodynamo import errors
from aiodynamo.client import Client
from aiodynamo.credentials import Credentials
from aiodynamo.http.aiohttp import AIOHTTP
from aiodynamo.models import RetryConfig
from yarl import URL

from traffic_tacos.engines.dynamodb_requests import AnswerLost, Cancelled, Throttled
from traffic_tacos.engines.dynamodb_tables import TTL, Tables
from traffic_tacos.ports.store import StoreUnavailable

# What it logs is what it raises, which is written here; tracebacks of where credentials were not found help nobody.
logging.getLogger("aiodynamo").setLevel(logging.CRITICAL)

REQUEST_SECONDS = 5.0
CONNECTIONS_MAX = 128
TABLE_SECONDS = 60.0

_TOO_FAST = (errors.Throttled, errors.ProvisionedThroughputExceeded, errors.RequestLimitExceeded)
_LOST = (
    errors.InternalDynamoError,
    errors.ServiceUnavailable,
    errors.TransactionInProgress,
    aiohttp.ClientError,
    TimeoutError,
    OSError,
)
_REFUSED = (errors.AccessDenied, errors.UnrecognizedClient, errors.ExpiredToken, errors.NoCredentialsFound)


class _Once(RetryConfig):
    """One attempt: the store knows better what may be sent again, and under which token."""

    def delays(self) -> Iterable[float]:
        return (0.0,)


class DynamoWire:
    """A `Wire`, see `engines.dynamodb_requests`; and what creates tables."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def __call__(self, action: str, payload: dict[str, Any]) -> dict[str, Any]:
        try:
            return await self._client.send_request(action=action, payload=payload)
        except errors.TransactionCanceled as error:
            reasons = error.body["CancellationReasons"]
            raise Cancelled([one["Code"] for one in reasons], [one.get("Item") for one in reasons]) from None
        except errors.ConditionalCheckFailed as error:
            raise Cancelled(["ConditionalCheckFailed"], [_item_of(error)]) from None
        except errors.TransactionConflict:
            raise Cancelled(["TransactionConflict"], [None]) from None
        except _TOO_FAST as error:
            raise Throttled(str(error)) from None
        except _LOST as error:
            raise AnswerLost(f"{type(error).__name__}: {error}") from None
        except errors.TableNotFound:
            raise StoreUnavailable("a table is missing: `tacos aws create-tables` makes them") from None
        except _REFUSED as error:
            raise StoreUnavailable(f"DynamoDB does not accept our credentials: {type(error).__name__}") from None

    async def create_tables(self, tables: Tables) -> list[str]:
        """Those that were missing, once they can be used."""
        made = []
        for definition in tables.definitions():
            name = definition["TableName"]
            try:
                await self._client.send_request(action="CreateTable", payload=definition)
            except (errors.TableInUse, errors.ResourceInUse, errors.TableAlreadyExists):
                pass
            else:
                made.append(name)
            await self._until_active(name)
            if name in made:
                await self._client.send_request(
                    action="UpdateTimeToLive",
                    payload={
                        "TableName": name,
                        "TimeToLiveSpecification": {"Enabled": True, "AttributeName": TTL},
                    },
                )
        return made

    async def _until_active(self, name: str) -> None:
        async with asyncio.timeout(TABLE_SECONDS):
            while True:
                answer = await self._client.send_request(action="DescribeTable", payload={"TableName": name})
                if answer["Table"]["TableStatus"] == "ACTIVE":
                    return
                await asyncio.sleep(0.5)


@asynccontextmanager
async def dynamo_wire(region: str, endpoint: str = "") -> AsyncIterator[DynamoWire]:
    """A wire to DynamoDB of a region, or to what speaks as it does at `endpoint`."""
    connector = aiohttp.TCPConnector(limit=CONNECTIONS_MAX)
    timeout = aiohttp.ClientTimeout(total=REQUEST_SECONDS)
    async with aiohttp.ClientSession(connector=connector, timeout=timeout) as session:
        once = _Once(time_limit_secs=-1)
        url = URL(endpoint) if endpoint else None
        yield DynamoWire(Client(AIOHTTP(session), _credentials(), region, endpoint=url, throttle_config=once))


def _credentials() -> Credentials:
    """As AWS's own tools find them where the extra `aws` is installed; else those of the environment, of a file, of a
    container or of the machine.
    """
    try:
        from traffic_tacos.engines.aws_credentials import FoundCredentials
    except ModuleNotFoundError:
        return Credentials.auto()
    return FoundCredentials()


def _item_of(error: errors.ConditionalCheckFailed) -> dict[str, Any] | None:
    """What stood there instead, where DynamoDB says so."""
    body = error.args[0] if error.args and isinstance(error.args[0], dict) else {}
    item: dict[str, Any] | None = body.get("Item")
    return item

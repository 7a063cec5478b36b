"""How the tables of DynamoDB are, asked one by one."""

import asyncio

from traffic_tacos.engines.dynamodb_requests import AnswerLost, Throttled, Wire
from traffic_tacos.engines.dynamodb_tables import Place, Tables
from traffic_tacos.ports.clock import Clock
from traffic_tacos.ports.health import Health, PartHealth
from traffic_tacos.ports.store import StoreUnavailable

NOWHERE = "health"  # the key of a record that no table has


async def tables_health(wire: Wire, tables: Tables, clock: Clock) -> list[PartHealth]:
    """Each table, with how long it took to say that it has no such record."""
    return await asyncio.gather(*(_table_health(wire, name, clock) for name in tables.names()))


async def _table_health(wire: Wire, name: str, clock: Clock) -> PartHealth:
    started = clock.now()
    asked = {"TableName": name, "Key": Place(name, NOWHERE, NOWHERE).key, "ConsistentRead": True}
    try:
        await wire("GetItem", asked)
    except Throttled as error:
        return PartHealth(name, Health.DEGRADED, clock.now() - started, "DynamoDB", issues=(f"throttled: {error}",))
    except (AnswerLost, StoreUnavailable) as error:
        return PartHealth(name, Health.UNHEALTHY, clock.now() - started, "DynamoDB", issues=(str(error),))
    return PartHealth(name, Health.HEALTHY, clock.now() - started, "DynamoDB")

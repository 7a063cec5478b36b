"""Queues of SQS and a bus of EventBridge, as the environment and the configuration name them."""

import os
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from traffic_tacos.engines.aws import AwsApi, AwsMissing
from traffic_tacos.engines.eventbridge import Bus
from traffic_tacos.engines.sqs_queues import Queues
from traffic_tacos.kernel.errors import Refusal

# What AWS's own tools read: https://docs.aws.amazon.com/sdkref/latest/guide/feature-ss-endpoints.html
REGIONS = ("AWS_REGION", "AWS_DEFAULT_REGION")
# What AWS takes beside letters and digits in the names of tables, queues and buses, and how many characters a prefix or
# a name may have, by the setting that says it.
NAMES = {"dynamodb": ("-_.", 40), "sqs": ("-_", 40), "event-bus": ("-_.", 64)}


def first_of(names: Sequence[str]) -> str:
    """The first of these variables of the environment that has a value; empty where none has."""
    return next((value for name in names if (value := os.environ.get(name))), "")


def checked_name(field: str, value: str) -> str:
    """A prefix or a name on AWS. Refused where the service would refuse it."""
    signs, length_max = NAMES[field]
    if not re.fullmatch(f"[A-Za-z0-9{re.escape(signs)}]{{1,{length_max}}}", value):
        *others, last = (f"'{sign}'" for sign in signs)
        says = f"must be 1 to {length_max} letters, digits, {', '.join(others)} or {last}"
        raise Refusal.of_field(field, says, value)
    return value


def region_for(field: str, value: str) -> str:
    """The region that the environment names. Refused where it names none."""
    region = first_of(REGIONS)
    if not region:
        raise Refusal.of_field(field, f"needs a region in the environment, as {REGIONS[0]}", value)
    return region


@asynccontextmanager
async def queues_of(prefix: str) -> AsyncIterator[Queues]:
    """The queues, which may be missing yet."""
    async with _api("sqs", "sqs", checked_name("sqs", prefix)) as api:
        yield Queues(api, prefix)


@asynccontextmanager
async def bus_of(name: str) -> AsyncIterator[Bus]:
    """The bus, which may be missing yet."""
    async with _api("events", "event-bus", checked_name("event-bus", name)) as api:
        yield Bus(api, name)


@asynccontextmanager
async def found_queues(prefix: str) -> AsyncIterator[Queues | None]:
    """The queues, all of which are there; None without a prefix."""
    if not prefix:
        yield None
        return
    async with queues_of(prefix) as queues:
        try:
            await queues.find()
        except AwsMissing:
            raise Refusal.of_field("sqs", "a queue is missing: `tacos aws create` makes them", prefix) from None
        yield queues


@asynccontextmanager
async def found_bus(name: str) -> AsyncIterator[Bus | None]:
    """The bus, which is there; None without a name."""
    if not name:
        yield None
        return
    async with bus_of(name) as bus:
        try:
            await bus.find()
        except AwsMissing:
            raise Refusal.of_field("event-bus", "is missing: `tacos aws create` makes it", name) from None
        yield bus


async def create_queues(prefix: str) -> dict[str, bool]:
    """Create the queues that are missing; by name, whether it was."""
    async with queues_of(prefix) as queues:
        return await queues.create()


async def create_bus(name: str) -> dict[str, bool]:
    """Create the bus if it is missing; by name, whether it was."""
    async with bus_of(name) as bus:
        try:
            await bus.find()
        except AwsMissing:
            await bus.create()
            return {name: True}
        return {name: False}


@asynccontextmanager
async def _api(service: str, field: str, value: str) -> AsyncIterator[AwsApi]:
    try:
        from traffic_tacos.engines.aws_wire import aws_api
    except ModuleNotFoundError:
        raise Refusal.of_field(field, "needs the extra: pip install 'traffic-tacos[aws]'", value) from None
    async with aws_api(service, region_for(field, value)) as api:
        yield api

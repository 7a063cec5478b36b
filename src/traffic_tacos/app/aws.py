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
_PREFIX = re.compile(r"[A-Za-z0-9_-]{1,40}")
_BUS = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def first_of(names: Sequence[str]) -> str:
    """The first of these variables of the environment that has a value; empty where none has."""
    return next((value for name in names if (value := os.environ.get(name))), "")


def region_for(field: str, value: str) -> str:
    """The region that the environment names. Refused where it names none."""
    region = first_of(REGIONS)
    if not region:
        raise Refusal.of_field(field, f"needs a region in the environment, as {REGIONS[0]}", value)
    return region


@asynccontextmanager
async def queues_of(prefix: str) -> AsyncIterator[Queues]:
    """The queues, which may be missing yet."""
    if not _PREFIX.fullmatch(prefix):
        raise Refusal.of_field("sqs", "must be 1 to 40 letters, digits, '-' or '_'", prefix)
    async with _api("sqs", "sqs", prefix) as api:
        yield Queues(api, prefix)


@asynccontextmanager
async def bus_of(name: str) -> AsyncIterator[Bus]:
    """The bus, which may be missing yet."""
    if not _BUS.fullmatch(name):
        raise Refusal.of_field("event-bus", "must be 1 to 64 letters, digits, '-', '_' or '.'", name)
    async with _api("events", "event-bus", name) as api:
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

"""What speaks to a service of AWS: one request of its API, and the answer."""

from typing import Any, Protocol

from traffic_tacos.kernel.errors import Fault


class AwsFault(Fault):
    """A service of AWS did not do what it was asked, or its answer was lost; asked again, it may."""


class AwsMissing(AwsFault):
    """What was asked of is not there."""


class AwsApi(Protocol):
    """An operation of one service, by its name in AWS's documentation, with its parameters. Raises AwsFault."""

    async def __call__(self, operation: str, parameters: dict[str, Any]) -> dict[str, Any]: ...

"""Requests to SQS and EventBridge over aiobotocore (docs/decisions/0055)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiobotocore.config import AioConfig
from aiobotocore.session import get_session
from botocore import xform_name
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    HTTPClientError,
    NoCredentialsError,
)

from traffic_tacos.engines.aws import AwsApi, AwsFault, AwsMissing

_MISSING = ("QueueDoesNotExist", "NonExistentQueue", "ResourceNotFoundException")  # as their codes end
NAMES = {"sqs": "SQS", "events": "EventBridge"}
CONNECT_SECONDS = 3.0
READ_SECONDS = 30.0  # more than a queue is listened to for one answer
CONNECTIONS_MAX = 64


@asynccontextmanager
async def aws_api(service: str, region: str) -> AsyncIterator[AwsApi]:
    """A service (`sqs`, `events`) of a region. Endpoint and credentials are found as AWS's own tools find them.

    Nothing is asked twice here: whoever asks knows what may be.
    """
    name = NAMES[service]
    config = AioConfig(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        max_pool_connections=CONNECTIONS_MAX,
        retries={"total_max_attempts": 1},
    )
    async with get_session().create_client(service, region_name=region, config=config) as client:

        async def ask(operation: str, parameters: dict[str, Any]) -> dict[str, Any]:
            try:
                answer: dict[str, Any] = await getattr(client, xform_name(operation))(**parameters)
            except ClientError as error:
                details = error.response.get("Error", {})
                kind = AwsMissing if str(details.get("Code")).endswith(_MISSING) else AwsFault
                raise kind(f"{name} refused {operation}: {details.get('Code')}: {details.get('Message')}") from None
            except (NoCredentialsError, CredentialRetrievalError) as error:
                raise AwsFault(f"{name} does not accept our credentials: {type(error).__name__}") from None
            except (BotoCoreError, HTTPClientError, OSError, TimeoutError) as error:
                raise AwsFault(f"{name} does not answer: {type(error).__name__}") from None
            return answer

        yield ask

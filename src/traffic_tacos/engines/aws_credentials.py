"""Credentials for aiodynamo as AWS's own tools find them.

Its own search knows neither IAM roles for service accounts nor EKS Pod Identity, and so nothing that a pod has.
"""

import structlog
from aiobotocore.session import AioSession, get_session
from aiodynamo.credentials import Credentials, Key
from aiodynamo.errors import NoCredentialsFound
from aiodynamo.http.types import HttpImplementation
from botocore.exceptions import BotoCoreError, ClientError

log = structlog.get_logger()


class FoundCredentials(Credentials):
    """Those of the environment, of a file, of a role that a token is exchanged for, of a container or of the machine;
    taken anew before they expire. NoCredentialsFound when there are none, or whoever gives them does not answer.
    """

    def __init__(self) -> None:
        self._session: AioSession = get_session()

    async def get_key(self, http: HttpImplementation) -> Key:  # noqa: ARG002 - the session has a connection of its own
        try:
            found = await self._session.get_credentials()
            if found is None:
                raise NoCredentialsFound
            frozen = await found.get_frozen_credentials()
        except (BotoCoreError, ClientError) as error:
            log.warning("aws_credentials_not_found", error=str(error))
            raise NoCredentialsFound from None
        return Key(id=frozen.access_key, secret=frozen.secret_key, token=frozen.token)

    def invalidate(self) -> bool:
        """They were refused: look for them again."""
        self._session = get_session()
        return True

    def is_disabled(self) -> bool:
        return False

"""`tacos up`: all rooms in one process."""

import asyncio

from traffic_tacos.app.given import Texts, config_of
from traffic_tacos.cli import options
from traffic_tacos.cli.event import checked_files
from traffic_tacos.cli.settings import with_settings
from traffic_tacos.operations import logs


@with_settings
def up(*, given: Texts) -> None:
    """Start the whole platform here, on embedded engines. Stop it with Ctrl-C; it goes on where it ended.

    Example: [bold]tacos up --event examples/events/theatre.yaml --time-scale 10[/]
    """
    ring = logs.LogRing()
    logs.configure(ring, f"{options.randomness().getrandbits(128):032x}")
    config = config_of(given)
    documents = [checked_files(path) for path in config.event_files]
    from traffic_tacos.cli import serving  # which loads every service: no other command needs them

    asyncio.run(serving.serve(config, ring, documents))

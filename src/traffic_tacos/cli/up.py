"""`tacos up`: all rooms in one process. `tacos serve`: one process of many."""

from functools import partial

from traffic_tacos.app.given import Texts, config_of
from traffic_tacos.cli import options
from traffic_tacos.cli.event import checked_files
from traffic_tacos.cli.settings import with_settings
from traffic_tacos.operations import logs

DRAIN_SECONDS = "5"  # until load balancers have seen that a process is not ready


@partial(with_settings, but=("role",))
def up(*, given: Texts) -> None:
    """Start the whole platform here, on embedded engines. Ctrl-C stops it; the next start goes on from there.

    Example: [bold]tacos up --event examples/events/theatre.yaml --time-scale 10[/]
    """
    _start(given, offers=True)


@with_settings
def serve(*, given: Texts) -> None:
    """Start one process of a platform of many, on engines that they share. SIGTERM ends it within 25 seconds: calls
    and jobs that it has begun are finished, and its leases are released.

    Example: [bold]TACOS_DYNAMODB=tacos- tacos serve --role sale --keys-of /etc/tacos[/]
    """
    _start({"drain-seconds": [DRAIN_SECONDS], **given}, offers=False)


def _start(given: Texts, *, offers: bool) -> None:
    ring = logs.LogRing()
    logs.configure(ring, f"{options.randomness().getrandbits(128):032x}")
    config = config_of(given)
    documents = [checked_files(path) for path in config.event_files]
    # No other command needs these; the second loads every service.
    import uvloop

    from traffic_tacos.cli import serving

    uvloop.run(serving.serve(config, ring, documents, offers=offers))

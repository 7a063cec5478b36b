"""`tacos up` whose clock jumps ahead when it is sent SIGUSR1, so that nobody waits for a hold to end:
the arguments are those of `tacos`.
"""

import signal

from traffic_tacos import cli
from traffic_tacos.app import embedded
from traffic_tacos.engines.clock import SystemClock
from traffic_tacos.kernel.instants import SECOND, Instant

JUMP_SECONDS = 12


class JumpingClock(SystemClock):
    ahead: Instant = 0

    def now(self) -> Instant:
        return super().now() + JumpingClock.ahead

    @staticmethod
    def jump(*_: object) -> None:
        JumpingClock.ahead += JUMP_SECONDS * SECOND


def main() -> None:
    embedded.SystemClock = JumpingClock  # type: ignore[misc]
    signal.signal(signal.SIGUSR1, JumpingClock.jump)
    cli.main()

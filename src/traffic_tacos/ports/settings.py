"""What an operator may change while the platform runs, beyond the queues' own: one table, and how it is read."""

from collections.abc import Callable, Sequence
from typing import Protocol

import msgspec

from traffic_tacos.kernel.calls import Call
from traffic_tacos.kernel.errors import Refusal
from traffic_tacos.kernel.ids import checked_text
from traffic_tacos.kernel.instants import Instant
from traffic_tacos.ports.store import Write

TEXT_LENGTH_MAX = 200
NUMBER_MAX = 10_000_000


class Setting(msgspec.Struct, frozen=True):
    """`service` is whose it is in AdminService.UpdateConfig; the type of `default` is the setting's. `one_of` are all
    values that a text may have; empty for any.
    """

    service: str
    default: bool | int | str
    about: str
    one_of: tuple[str, ...] = ()


MAINTENANCE = "maintenance"
FAN_LIMIT, SERVICE_LIMIT = "limits.fan_per_second", "limits.service_per_second"
TICKET_LIMIT, ADDRESS_LIMIT = "limits.ticket_per_second", "limits.address_per_second"
LOG_LEVEL = "log.level"
CIRCUITS = {room: f"circuit.{room}" for room in ("inventory", "payment", "reservation")}

SETTINGS: dict[str, Setting] = {
    MAINTENANCE: Setting(
        "platform", "", "what people read during maintenance, while nobody can begin anything; empty for no maintenance"
    ),
    LOG_LEVEL: Setting("platform", "info", "the lowest level that is logged", ("debug", "info", "warning", "error")),
    FAN_LIMIT: Setting("gateway", 100, "calls a second of one fan; 0 for any number"),
    SERVICE_LIMIT: Setting("gateway", 10_000, "calls a second of one service; 0 for any number"),
    TICKET_LIMIT: Setting("gateway", 0, "calls a second with one waiting token; 0 for any number"),
    ADDRESS_LIMIT: Setting("gateway", 100, "calls a second without any token from one address; 0 for any number"),
    **{
        name: Setting("gateway", False, f"whether an operator holds the gateway's circuit to {room} open")
        for room, name in CIRCUITS.items()
    },
}


class SettingChange(msgspec.Struct, frozen=True):
    """A setting before and after, as text; and since when."""

    old: str
    new: str
    at: Instant


class Settings(Protocol):
    """Values in force now. Reading one costs nothing and waits for nothing."""

    def is_on(self, name: str) -> bool: ...

    def number(self, name: str) -> int: ...

    def text(self, name: str) -> str: ...

    def shown(self, name: str) -> str:
        """As an operator writes it."""
        ...

    async def change(self, name: str, value: str, reason: str, call: Call) -> SettingChange:
        """Set it in the caller's name: durable, audited, and in force when this answers. Empty for the default."""
        ...


class SettingsInForce(Settings, Protocol):
    """The engine that keeps them."""

    async def load(self) -> None:
        """Read what is stored."""
        ...

    def committed(self, writes: Sequence[Write]) -> None:
        """Take note of a commit: what is durable is in force."""
        ...

    def on_change(self, name: str, listener: Callable[[str], None]) -> None:
        """Call `listener` with every new value of a setting, as text."""
        ...


def parsed(name: str, value: str) -> bool | int | str:
    """The value of a setting from text; an empty one is its default."""
    setting = SETTINGS.get(name)
    if setting is None:
        raise Refusal.of_field("config_key", f"must be one of {', '.join(SETTINGS)}", name)
    if not value:
        return setting.default
    match setting.default:
        case bool():
            if value not in ("true", "false"):
                raise Refusal.of_field("config_value", "must be true or false, or empty for the default", value)
            return value == "true"
        case int():
            if not value.isascii() or not value.isdigit() or int(value) > NUMBER_MAX:
                raise Refusal.of_field(
                    "config_value", f"must be a whole number from 0 to {NUMBER_MAX}, or empty", value
                )
            return int(value)
        case str():
            if setting.one_of and value not in setting.one_of:
                raise Refusal.of_field("config_value", f"must be one of {', '.join(setting.one_of)}, or empty", value)
            return checked_text("config_value", value, TEXT_LENGTH_MAX)


def shown(value: bool | int | str) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

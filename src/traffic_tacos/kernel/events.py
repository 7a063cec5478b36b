"""An event as rooms tell each other of it: what it is, without its seats."""

import msgspec

from traffic_tacos.kernel.instants import Instant


class Address(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    street: str = ""
    city: str = ""
    state: str = ""
    postal_code: str = ""
    country: str = ""


class Venue(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    id: str = ""
    name: str = ""
    address: Address = Address()


class EventInfo(msgspec.Struct, frozen=True, omit_defaults=True):
    id: str
    name: str
    description: str = ""
    venue: Venue = Venue()
    start_time: Instant | None = None
    end_time: Instant | None = None
    sale_start_time: Instant | None = None
    sale_end_time: Instant | None = None

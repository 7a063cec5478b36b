"""Catalog records: an event under its id."""

from traffic_tacos.ports.store import Kind
from traffic_tacos.rooms.catalog.model import Event

EVENT = Kind("event", Event)

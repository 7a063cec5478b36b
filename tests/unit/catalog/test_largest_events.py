"""The largest events that a file may describe are records that every store takes."""

import pytest

from traffic_tacos.kernel.limits import SEATS_MAX
from traffic_tacos.ports.store import RECORD_BYTES_MAX, kept_bytes, packed, unpacked
from traffic_tacos.rooms.catalog.documents import parsed
from traffic_tacos.rooms.catalog.records import EVENT

ROWS = ", ".join(f"{{id: R{number}, seats: 100, aisles: [20, 60]}}" for number in range(SEATS_MAX // 100))


@pytest.mark.parametrize("places", [f"standing: {SEATS_MAX}", f"rows: [{ROWS}]"], ids=["standing", "seated"])
def test_an_event_of_as_many_seats_as_there_may_be_is_kept_whole(places):
    document = f"id: evt_big\nname: Big\ncurrency: KRW\nsections: [{{id: A, name: A, price: 1000, {places}}}]\n"
    encoded = EVENT.encode(parsed(document, "", ""))
    assert kept_bytes(encoded) < RECORD_BYTES_MAX / 3 < len(encoded)
    assert unpacked(packed(encoded)) == encoded

"""Answers of `tacos.web.v1` as the JSON that `routes` promises."""

from base64 import b64encode
from datetime import UTC, datetime, timedelta, timezone

from google.protobuf.message import Message

from traffic_tacos import wire
from traffic_tacos.gen.tacos.web.v1 import web_pb2 as pb
from traffic_tacos.kernel.instants import SECOND, Instant
from traffic_tacos.web.assets import Headline

_STATES = {
    pb.SALE_STATE_BEFORE: "before",
    pb.SALE_STATE_OPEN: "open",
    pb.SALE_STATE_SOLD_OUT: "sold_out",
    pb.SALE_STATE_OVER: "over",
}


def events(page: pb.ListSalesResponse) -> object:
    return {"now": _time(page, "at"), "next": page.next_cursor, "events": [_event(sale) for sale in page.sales]}


def one_event(found: pb.GetSaleResponse) -> object:
    event = _event(found.sale) | {
        "section_names": dict(found.sale.section_names),
        "standing": [*found.sale.standing_sections],
    }
    return {"now": _time(found, "at"), "event": event}


def headline(found: pb.GetSaleResponse) -> Headline:
    """The event in a few words, with the time of its own clocks: `City Hall, Seoul · 1 March 2027, 20:00`."""
    sale, event = found.sale, found.sale.event
    place = ", ".join(filter(None, (event.venue.name, event.venue.address.city)))
    at = wire.instant(event, "start_time")
    return Headline(event.name, " · ".join(filter(None, (place, "" if at is None else _in_words(sale, at)))))


def _in_words(sale: pb.Sale, at: Instant) -> str:
    zone = timezone(timedelta(minutes=sale.utc_offset_minutes))
    time = datetime.fromtimestamp(at / SECOND, zone)
    says = f"{time.day} {time:%B %Y, %H:%M}"
    return says if sale.HasField("utc_offset_minutes") else f"{says} UTC"


def _event(sale: pb.Sale) -> dict[str, object]:
    event, address = sale.event, sale.event.venue.address
    offset = sale.utc_offset_minutes if sale.HasField("utc_offset_minutes") else None
    return {
        "id": event.id,
        "name": event.name,
        "description": event.description,
        "venue": {
            "name": event.venue.name,
            "street": address.street,
            "city": address.city,
            "state": address.state,
            "postal_code": address.postal_code,
            "country": address.country,
        },
        "starts_at": _time(event, "start_time", offset or 0),
        "ends_at": _time(event, "end_time", offset or 0),
        "opens_at": _time(sale, "opens_at", offset or 0),
        "closes_at": _time(sale, "closes_at", offset or 0),
        "utc_offset_minutes": offset,
        "sale": _STATES[sale.state],
        "currency": sale.currency,
        "decimals": sale.decimals,
        "price_min": sale.price_min,
        "price_max": sale.price_max,
        "seats": event.total_seats,
        "free": event.remaining_seats,
        "accessible_free": sale.accessible_seats,
        "max_per_order": sale.max_per_order,
        "max_per_person": sale.max_per_person,
        "hold_seconds": sale.hold_seconds,
        "refunds": {"hours_before": sale.refunds.hours_before, "percent": sale.refunds.percent},
        "guests": sale.guests,
        "revision": sale.revision,
    }


def plan(found: pb.GetPlanResponse) -> object:
    whole = found.plan
    return {
        "event_id": whole.event_id,
        "revision": whole.revision,
        "currency": whole.currency,
        "decimals": whole.decimals,
        "width": whole.width,
        "height": whole.height,
        "drawn": whole.drawn,
        "stage": [*whole.stage] or None,
        "sections": [
            {
                "id": section.id,
                "name": section.name,
                "label": section.label,
                "standing": section.standing,
                "price_min": section.price_min,
                "price_max": section.price_max,
                "seats": section.seats,
                "outline": [*section.outline],
                "rows": [_row(row) for row in section.rows],
            }
            for section in whole.sections
        ],
    }


def _row(row: pb.PlanRow) -> dict[str, object]:
    return {
        "id": row.id,
        "label": row.label,
        "first": row.first,
        "seats": row.seats,
        "ids": [*row.ids] or row.id_prefix,
        "numbers": [*row.numbers] or row.first_number,
        "price": row.prices[0] if len(row.prices) == 1 else [*row.prices],
        "at": [*row.at],
        "aisles": [*row.aisles],
        "accessible": [*row.accessible],
    }


def seats(found: pb.GetSeatStatesResponse) -> object:
    states = found.states
    return {
        "event_id": states.event_id,
        "revision": states.revision,
        "now": _time(states, "at"),
        "seats": states.seats,
        "free": b64encode(states.free).decode(),
        "free_count": states.free_count,
        "accessible_free": states.accessible_free,
    }


def line(found: pb.GetQueueViewResponse) -> object:
    view, now = found.view, wire.instant(found.view, "at") or 0
    opens, ends = wire.instant(view, "opens_at"), wire.instant(view, "ends_at")
    ended = view.ended
    return {
        "event_id": view.event_id,
        "now": _time(view, "at"),
        "opens_at": _time(view, "opens_at"),
        "ends_at": _time(view, "ends_at"),
        "phase": _phase(opens, ends, now),
        "state": view.state,
        "message": view.message,
        "operator_message": view.operator_message,
        "paused": view.paused,
        "sold_out": view.sold_out,
        "sold_for_good": view.sold_for_good,
        "all_held": view.all_held,
        "closed": view.closed,
        "joined": view.joined,
        "waiting": view.waiting,
        "admitted": view.admitted,
        "cursor": view.cursor,
        "moving_per_second": view.moving_per_second,
        "rate_per_second": view.rate_per_second,
        "ended": {
            "from": ended.first_rank,
            "before": ended.before,
            "step": ended.step,
            "counts": [*ended.counts],
        },
        "draw": _draw(view.draw) if view.HasField("draw") else None,
    }


def _phase(opens: Instant | None, ends: Instant | None, now: Instant) -> str:
    if ends is not None and now >= ends:
        return "over"
    return "before" if opens is not None and now < opens else "open"


def _draw(draw: pb.DrawState) -> dict[str, object]:
    return {
        "state": "drawn" if draw.is_drawn else "pool",
        "size": draw.size,
        "seed_sha256": draw.seed_sha256.hex(),
        "seed": draw.seed.hex(),
        "pool_digest": draw.pool_digest.hex(),
    }


def _time(message: Message, field: str, offset_minutes: int | None = None) -> str | None:
    """A moment as the clocks at the event show it, or with milliseconds in UTC; None where there is none."""
    at = wire.instant(message, field)
    if at is None:
        return None
    if offset_minutes is None:
        return datetime.fromtimestamp(at / SECOND, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return datetime.fromtimestamp(at / SECOND, timezone(timedelta(minutes=offset_minutes))).isoformat(
        timespec="seconds"
    )

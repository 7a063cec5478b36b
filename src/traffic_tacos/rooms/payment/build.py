"""What payments bring to a platform."""

from traffic_tacos.gen.payment.v1 import payment_pb2
from traffic_tacos.gen.tacos.simulation.v1 import simulation_pb2
from traffic_tacos.kernel.topics import EXPIRE_PAYMENT, SIMULATE_OUTCOME
from traffic_tacos.ports.rooms import Dependencies, Room, Service
from traffic_tacos.rooms.payment.clients import ReservationClient
from traffic_tacos.rooms.payment.rpc import PaymentRpc, SimulationRpc
from traffic_tacos.rooms.payment.service import Payments
from traffic_tacos.rooms.payment.stopping import Stopping
from traffic_tacos.upstream import Upstream


def build(on: Dependencies) -> Room:
    upstream = Upstream(on.channel, on.clock)
    elsewhere = ReservationClient(upstream)
    payments = Payments(
        on.store,
        on.clock,
        on.randomness,
        lambda: on.amounts_due() or elsewhere,
        on.time_scale,
        on.networks,
        on.jobs,
        on.webhook_url,
    )
    return Room(
        services=(
            Service(PaymentRpc(payments, on.pay_url), payment_pb2.DESCRIPTOR.services_by_name["PaymentService"]),
            Service(SimulationRpc(payments), simulation_pb2.DESCRIPTOR.services_by_name["SimulationService"]),
        ),
        payment_stops=Stopping(on.store, on.clock, on.webhook_url),
        handlers={SIMULATE_OUTCOME: payments.answer, EXPIRE_PAYMENT: payments.expire},
    )

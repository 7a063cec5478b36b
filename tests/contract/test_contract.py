"""Our .proto files against the table: every name, number, type and value."""

from google.protobuf import descriptor_pb2

from tests.contract import CONTRACT
from traffic_tacos.gen.common.v1 import admin_pb2, errors_pb2, types_pb2
from traffic_tacos.gen.gateway.v1 import gateway_pb2, queue_pb2, webhook_pb2, websocket_pb2
from traffic_tacos.gen.payment.v1 import payment_pb2
from traffic_tacos.gen.reservation.v1 import inventory_pb2, reservation_pb2, worker_pb2
from traffic_tacos.kernel.errors import Code
from traffic_tacos.kernel.seats import SeatStatus
from traffic_tacos.kernel.statuses import PaymentStatus, ReservationStatus
from traffic_tacos.rooms.payment import model as payment
from traffic_tacos.rooms.worker import model as worker

MODULES = (
    admin_pb2,
    errors_pb2,
    types_pb2,
    gateway_pb2,
    queue_pb2,
    webhook_pb2,
    websocket_pb2,
    payment_pb2,
    inventory_pb2,
    reservation_pb2,
    worker_pb2,
)


def _shape(file: descriptor_pb2.FileDescriptorProto) -> dict[str, object]:
    shape: dict[str, object] = {}
    for message in file.message_type:
        for field in message.field:
            shape[f"{message.name}.{field.name}"] = (field.number, field.type, field.label, field.type_name)
        for entry in message.nested_type:
            shape[f"{message.name}.{entry.name}"] = [(field.type, field.type_name) for field in entry.field]
    for enum in file.enum_type:
        shape[enum.name] = [(value.name, value.number) for value in enum.value]
    return shape


def test_every_message_field_and_enum_value_is_as_in_the_table():
    ours = {}
    for module in MODULES:
        file = descriptor_pb2.FileDescriptorProto()
        module.DESCRIPTOR.CopyToProto(file)
        ours[file.name] = file
    assert set(ours) == {file.name for file in CONTRACT.files}
    for file in CONTRACT.files:
        assert _shape(ours[file.name]) == _shape(file), file.name
        assert ours[file.name].package == file.package


def test_every_rpc_is_as_in_the_table():
    ours = {
        (
            service.full_name,
            method.name,
            method.input_type.full_name,
            method.output_type.full_name,
            method.server_streaming,
        )
        for module in MODULES
        for service in module.DESCRIPTOR.services_by_name.values()
        for method in service.methods
    }
    assert ours == set(CONTRACT.rpcs)
    assert len(CONTRACT.rpcs) == 50


def _same_numbers(ours, theirs, prefix: str) -> None:
    for member in ours:
        assert theirs.Value(f"{prefix}_{member.name}") == member.value


def test_our_enums_have_the_contracts_numbers():
    _same_numbers(Code, errors_pb2.ErrorCode, "ERROR_CODE")
    assert len(Code) == len(errors_pb2.ErrorCode.values())
    _same_numbers(SeatStatus, types_pb2.SeatStatus, "SEAT_STATUS")
    _same_numbers(PaymentStatus, payment_pb2.PaymentStatus, "PAYMENT_STATUS")
    _same_numbers(payment.Method, payment_pb2.PaymentMethod, "PAYMENT_METHOD")
    _same_numbers(payment.Scenario, payment_pb2.PaymentScenario, "PAYMENT_SCENARIO")
    _same_numbers(ReservationStatus, reservation_pb2.ReservationStatus, "RESERVATION_STATUS")
    _same_numbers(worker.Processing, worker_pb2.ProcessingStatus, "PROCESSING_STATUS")

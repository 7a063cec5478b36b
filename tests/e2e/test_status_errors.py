"""`x-error-mode: status`: refusals as gRPC statuses, over both servers, with plain grpcio."""

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2

from tests.contract import CONTRACT, Client
from tests.e2e.process import GATEWAY, QUEUE, refused_code

EVENT = "evt_hundred"
AS_STATUS = ("x-error-mode", "status")
ADMIN = "common.v1.AdminService"


@pytest.fixture(params=["native", "grpcio"])
def platform(up, request):
    return up("--server", request.param)


@pytest.fixture
def channel(platform):
    with grpc.insecure_channel(platform.grpc) as channel:
        yield channel


def refused(client, service, name, fields, token=""):
    """The status, its details by their type, and the code in the trailers."""
    with pytest.raises(grpc.RpcError) as error:
        client(service, name, fields, token)
    trailers = dict(error.value.trailing_metadata())
    status = status_pb2.Status.FromString(trailers["grpc-status-details-bin"])
    details = {one.type_url.removeprefix("type.googleapis.com/"): one.value for one in status.details}
    return error.value.code(), details, trailers["x-error-code"].removeprefix("ERROR_CODE_")


def test_what_is_said_beside_the_error_is_in_the_details_too(platform, channel):
    client = Client(channel, AS_STATUS)
    join, ana = {"event_id": EVENT, "session_id": "tab", "user_id": "ana"}, platform.token("user", "ana")
    place = client(QUEUE, "JoinQueue", join, ana).waiting_token
    status, details, code = refused(client, QUEUE, "JoinQueue", join, ana)
    assert (status, code) == (grpc.StatusCode.ALREADY_EXISTS, "ALREADY_EXISTS")
    joined = CONTRACT.message("gateway.v1.JoinQueueResponse").FromString(details["gateway.v1.JoinQueueResponse"])
    assert (joined.waiting_token, joined.HasField("error")) == (place, False)


def test_a_place_before_its_turn_is_refused_although_the_response_has_no_error(platform, channel):
    stop = {"action": 1, "reason": "a test", "parameters": {"event_id": EVENT}, "confirm": True}
    Client(channel)(ADMIN, "EmergencyAction", stop, platform.token("admin", "op"))
    client = Client(channel, AS_STATUS)
    place = client(QUEUE, "JoinQueue", {"event_id": EVENT, "session_id": "tab"}).waiting_token
    enter = {"waiting_token": place, "event_id": EVENT}
    assert Client(channel)(QUEUE, "RequestAdmission", enter).admission == 2  # DENIED, and nothing else
    status, _, code = refused(client, QUEUE, "RequestAdmission", enter)
    assert (status, code) == (grpc.StatusCode.FAILED_PRECONDITION, "FAILED_PRECONDITION")


def test_a_limit_says_when_to_ask_again(platform, channel):
    admin, fan = platform.token("admin", "op"), platform.token("user", "ana")
    limit = {"service": "gateway", "config_key": "limits.fan_per_second", "reason": "a test", "config_value": "1"}
    assert not Client(channel)(ADMIN, "UpdateConfig", limit, admin).HasField("error")
    client = Client(channel, AS_STATUS)
    asked = {"reservation_id": "rsv_none"}
    answers = [refused(client, GATEWAY, "GetReservation", asked, fan) for _ in range(4)]
    status, details, code = answers[-1]
    assert (status, code) == (grpc.StatusCode.RESOURCE_EXHAUSTED, "RATE_LIMITED")
    wait = error_details_pb2.RetryInfo.FromString(details["google.rpc.RetryInfo"]).retry_delay
    assert 0 < wait.ToMilliseconds() <= 1000


@pytest.mark.parametrize("mode", ["statuses", "STATUS", ""])
def test_a_mode_that_is_none_is_refused_so_that_both_kinds_of_client_notice(channel, mode):
    client = Client(channel, ("x-error-mode", mode))
    for service, name, fields in (
        (GATEWAY, "HealthCheck", {}),
        (QUEUE, "GetQueueStatus", {"waiting_token": "x"}),
    ):
        status, details, code = refused(client, service, name, fields)
        assert (status, code) == (grpc.StatusCode.INVALID_ARGUMENT, "INVALID_ARGUMENT")
        error = CONTRACT.message("common.v1.Error").FromString(details["common.v1.Error"])
        assert error.message == "x-error-mode: must be `status` or `response`"


def test_the_response_has_the_error_by_default_and_when_asked_for(channel):
    for metadata in ((), (("x-error-mode", "response"),)):
        answer = Client(channel, *metadata)(GATEWAY, "GetReservation", {"reservation_id": "x"})
        assert refused_code(answer) == "UNAUTHENTICATED"

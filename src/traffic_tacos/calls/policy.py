"""Who may call what: one table. A method that is not in it cannot be served."""

from traffic_tacos.kernel.calls import FAN_SCOPES, Role

PUBLIC = frozenset(Role)
FAN = frozenset({Role.FAN, Role.SERVICE, Role.ADMIN})
SERVICE = frozenset({Role.SERVICE, Role.ADMIN})
DOOR = SERVICE | {Role.DOOR}
ADMIN = frozenset({Role.ADMIN})

POLICY: dict[str, frozenset[Role]] = {
    "gateway.v1.QueueService/JoinQueue": PUBLIC,
    "gateway.v1.QueueService/GetQueueStatus": PUBLIC,
    "gateway.v1.QueueService/RequestAdmission": PUBLIC,
    "gateway.v1.QueueService/LeaveQueue": PUBLIC,
    "gateway.v1.QueueService/GetQueueStats": PUBLIC,
    # With its waiting token, which is checked in the room.
    "gateway.v1.WebSocketService/StreamQueueUpdates": PUBLIC,
    "gateway.v1.WebSocketService/StreamReservationUpdates": FAN,
    "gateway.v1.WebSocketService/StreamPaymentUpdates": FAN,
    "gateway.v1.WebSocketService/SendMessage": SERVICE,
    "gateway.v1.GatewayService/HealthCheck": PUBLIC,
    "gateway.v1.GatewayService/ValidateToken": PUBLIC,
    "gateway.v1.GatewayService/GetEventAvailability": PUBLIC,
    "gateway.v1.GatewayService/CreateReservation": FAN,
    "gateway.v1.GatewayService/GetReservation": FAN,
    "gateway.v1.GatewayService/ConfirmReservation": FAN,
    "gateway.v1.GatewayService/CancelReservation": FAN,
    "gateway.v1.GatewayService/CreatePaymentIntent": FAN,
    "gateway.v1.GatewayService/GetPaymentStatus": FAN,
    # Signed, which is checked in the room.
    "gateway.v1.WebhookService/ReceivePaymentWebhook": PUBLIC,
    "gateway.v1.WebhookService/ReceiveExpiryWebhook": SERVICE,
    "gateway.v1.WebhookService/RegisterWebhook": SERVICE,
    "gateway.v1.WebhookService/ValidateWebhook": SERVICE,
    # The fan whose intent it is pays it; the room checks whose it is.
    "payment.v1.PaymentService/ProcessPayment": FAN,
    "payment.v1.PaymentService/CreatePaymentIntent": SERVICE,
    "payment.v1.PaymentService/GetPaymentStatus": SERVICE,
    "payment.v1.PaymentService/CancelPayment": SERVICE,
    "payment.v1.PaymentService/ListPayments": SERVICE,
    "payment.v1.PaymentService/SimulateWebhook": SERVICE,
    "reservation.v1.ReservationService/CreateReservation": SERVICE,
    "reservation.v1.ReservationService/GetReservation": SERVICE,
    "reservation.v1.ReservationService/ConfirmReservation": SERVICE,
    "reservation.v1.ReservationService/CancelReservation": SERVICE,
    # The gateway has no such calls: fans ask here, for their own.
    "reservation.v1.ReservationService/ListReservations": FAN,
    "reservation.v1.ReservationService/ExtendHold": FAN,
    "reservation.v1.Inventory/CheckAvailability": SERVICE,
    "reservation.v1.Inventory/ReserveSeat": SERVICE,
    "reservation.v1.Inventory/CommitReservation": SERVICE,
    "reservation.v1.Inventory/ReleaseHold": SERVICE,
    "reservation.v1.Inventory/GetInventoryStatus": SERVICE,
    "reservation.v1.WorkerService/ProcessReservationExpiry": SERVICE,
    "reservation.v1.WorkerService/ProcessPaymentResult": SERVICE,
    "reservation.v1.WorkerService/ProcessCompensation": SERVICE,
    "reservation.v1.WorkerService/HealthCheck": SERVICE,
    "reservation.v1.WorkerService/GetJobStatus": SERVICE,
    "tacos.inventory.v1.HoldService/BlockSeats": SERVICE,
    "tacos.inventory.v1.HoldService/UnblockSeats": SERVICE,
    "tacos.inventory.v1.HoldService/CountSeats": SERVICE,
    "tacos.webhook.v1.EndpointService/ListEndpoints": SERVICE,
    "tacos.webhook.v1.EndpointService/RemoveEndpoint": SERVICE,
    "tacos.simulation.v1.SimulationService/SendWrongWebhook": SERVICE,
    "tacos.lifecycle.v1.LifecycleService/ExpireReservation": SERVICE,
    "tacos.lifecycle.v1.LifecycleService/SettleReservation": SERVICE,
    "tacos.lifecycle.v1.LifecycleService/StopReservations": SERVICE,
    "tacos.waiting_room.v1.LineService/GetLine": SERVICE,
    "tacos.waiting_room.v1.LineService/CountWaiting": SERVICE,
    "tacos.waiting_room.v1.LineService/ConfigureLine": SERVICE,
    "tacos.waiting_room.v1.DrawService/GetDraw": PUBLIC,
    "tacos.waiting_room.v1.DrawService/ListDrawEntries": PUBLIC,
    "tacos.catalog.v1.CatalogService/GetEvent": PUBLIC,
    "tacos.catalog.v1.CatalogService/ListEvents": PUBLIC,
    "tacos.catalog.v1.CatalogService/CreateEvent": ADMIN,
    "tacos.catalog.v1.CatalogService/UpdateEvent": ADMIN,
    "tacos.catalog.v1.CatalogService/BlockSeats": ADMIN,
    "tacos.catalog.v1.CatalogService/UnblockSeats": ADMIN,
    # With its waiting token or recovery code, which is checked in the room.
    "tacos.identity.v1.GuestService/Become": PUBLIC,
    "tacos.identity.v1.GuestService/Recover": PUBLIC,
    "tacos.reservation.v1.BestSeatsService/ReserveBest": FAN,
    "tacos.reservation.v1.RefundService/GetRefundQuote": FAN,
    "tacos.admission.v1.TicketService/ListTickets": FAN,
    "tacos.admission.v1.DoorService/CheckIn": DOOR,
    "tacos.admission.v1.DoorService/UndoCheckIn": DOOR,
    "tacos.admission.v1.DoorService/ListCheckIns": DOOR,
    "tacos.admission.v1.DoorService/ListReturned": DOOR,
    "tacos.web.v1.SaleService/ListSales": PUBLIC,
    "tacos.web.v1.SaleService/GetSale": PUBLIC,
    "tacos.web.v1.SaleService/GetPlan": PUBLIC,
    "tacos.web.v1.SeatService/GetSeatStates": PUBLIC,
    "tacos.web.v1.QueueViewService/GetQueueView": PUBLIC,
    "tacos.operations.v1.OperationsService/VerifyInvariants": ADMIN,
    "tacos.operations.v1.OperationsService/ListDeadJobs": ADMIN,
    "tacos.operations.v1.OperationsService/ReplayDeadJob": ADMIN,
    "tacos.operations.v1.OperationsService/ListAudit": ADMIN,
    "tacos.operations.v1.OperationsService/ListSettings": ADMIN,
    "tacos.operations.v1.OperationsService/ListOverrides": ADMIN,
    "tacos.operations.v1.OperationsService/Reconcile": ADMIN,
    "common.v1.AdminService/GetSystemHealth": ADMIN,
    "common.v1.AdminService/GetMetrics": ADMIN,
    "common.v1.AdminService/GetLogs": ADMIN,
    "common.v1.AdminService/UpdateConfig": ADMIN,
    "common.v1.AdminService/TriggerOperation": ADMIN,
    "common.v1.AdminService/EmergencyAction": ADMIN,
}
# Which room answers a service, for rooms that call each other, and for calls that are passed on.
ROOM_OF = {
    "common.v1.AdminService": "admin",
    "gateway.v1.GatewayService": "gateway",
    "gateway.v1.QueueService": "waiting_room",
    "gateway.v1.WebSocketService": "realtime",
    "gateway.v1.WebhookService": "webhook",
    "payment.v1.PaymentService": "payment",
    "reservation.v1.Inventory": "inventory",
    "reservation.v1.ReservationService": "reservation",
    "reservation.v1.WorkerService": "worker",
    "tacos.admission.v1.DoorService": "reservation",
    "tacos.admission.v1.TicketService": "reservation",
    "tacos.catalog.v1.CatalogService": "catalog",
    "tacos.identity.v1.GuestService": "waiting_room",
    "tacos.inventory.v1.HoldService": "inventory",
    "tacos.lifecycle.v1.LifecycleService": "reservation",
    "tacos.operations.v1.OperationsService": "admin",
    "tacos.reservation.v1.BestSeatsService": "reservation",
    "tacos.reservation.v1.RefundService": "reservation",
    "tacos.simulation.v1.SimulationService": "payment",
    "tacos.waiting_room.v1.DrawService": "waiting_room",
    "tacos.waiting_room.v1.LineService": "waiting_room",
    "tacos.web.v1.QueueViewService": "waiting_room",
    "tacos.web.v1.SaleService": "catalog",
    "tacos.web.v1.SeatService": "inventory",
    "tacos.webhook.v1.EndpointService": "webhook",
}
# The one method of a service that another room answers than the rest of it.
ROOM_OF_METHOD = {"gateway.v1.WebSocketService/StreamQueueUpdates": "waiting_room"}
# What begins something new. In maintenance nobody may, while what was begun is finished.
BEGINNINGS = frozenset(
    {
        "gateway.v1.QueueService/JoinQueue",
        "gateway.v1.QueueService/RequestAdmission",
        "gateway.v1.GatewayService/CreateReservation",
        "reservation.v1.ReservationService/CreateReservation",
        "reservation.v1.ReservationService/ExtendHold",
        "tacos.reservation.v1.BestSeatsService/ReserveBest",
    }
)
# What is dear to answer also counts for the address of who asks it with a good waiting token.
DEAR = frozenset({"tacos.identity.v1.GuestService/Become"})
# The contract knows inventory under two names.
INVENTORY, INVENTORY_TOO = "reservation.v1.Inventory", "reservation.v1.InventoryService"
SCOPES: dict[Role, tuple[str, ...]] = {
    Role.FAN: FAN_SCOPES,
    Role.DOOR: ("tickets:check-in",),
    Role.SERVICE: ("platform:serve",),
    Role.ADMIN: ("platform:admin",),
}

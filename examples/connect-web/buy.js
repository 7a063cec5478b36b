// The purchase through the Connect client that browsers use, here under Node:
//
//   npm ci && TOKEN=$(../../.venv/bin/tacos token --user ana) npm run buy [EVENT] [USER] [DOOR]
//
// In a page you would generate code from proto/ (protoc-gen-es) and start `tacos up` with --cors-origin; here the
// contract is read as it is, so that nothing has to be generated.
import { readFileSync } from "node:fs";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { createClient } from "@connectrpc/connect";
import { createConnectTransport } from "@connectrpc/connect-web";

const [event = "evt_taco_club", fan = "ana", baseUrl = "http://127.0.0.1:8080"] = process.argv.slice(2);
const contract = readFileSync(new URL("../../proto/baseline.binpb", import.meta.url));
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, contract));
const headers = { authorization: `Bearer ${process.env.TOKEN}` };
const CONFIRMED = 3;

for (const useBinaryFormat of [false, true]) {
  await buy(createConnectTransport({ baseUrl, useBinaryFormat }), useBinaryFormat ? "protobuf" : "JSON");
}

async function buy(transport, format) {
  const of = (service) => createClient(registry.getService(service), transport);
  const queue = of("gateway.v1.QueueService");
  const gateway = of("gateway.v1.GatewayService");
  const payment = of("payment.v1.PaymentService");
  const updates = of("gateway.v1.WebSocketService");
  const run = `${format}-${Date.now()}`;

  const joined = await queue.joinQueue({ eventId: event, sessionId: run });
  const place = { waitingToken: joined.waitingToken, eventId: event };
  await received(
    (signal) => updates.streamQueueUpdates({ ...place, sessionId: run }, { signal }),
    (update) => update.queueUpdate?.admissionReady,
  );
  const admission = await queue.requestAdmission({ ...place, userId: fan }, { headers });
  const held = await gateway.createReservation(
    {
      eventId: event,
      quantity: 1,
      userId: fan,
      reservationToken: admission.reservationToken,
      idempotencyKey: `hold-${run}`,
    },
    { headers },
  );
  const mine = { reservationId: held.reservationId };
  const intent = await gateway.createPaymentIntent(
    { ...mine, amount: held.totalAmount, userId: fan, method: 1, scenario: 1, idempotencyKey: `intent-${run}` },
    { headers },
  );
  const paying = { paymentIntentId: intent.paymentIntentId, idempotencyKey: `pay-${run}` };
  await payment.processPayment(paying, { headers });
  const watching = { userId: fan, reservationIds: [held.reservationId] };
  await received(
    (signal) => updates.streamReservationUpdates(watching, { headers, signal }),
    (update) => update.reservationUpdate?.newStatus === CONFIRMED,
  );
  const { reservation } = await gateway.getReservation(mine, { headers });
  console.log(`${format}: ${reservation.seats.map((seat) => seat.id).join(", ")}, order ${reservation.orderId}`);
  try {
    await gateway.getReservation({ reservationId: "rsv_none" }, { headers });
  } catch (refused) {
    console.log(`${format}: ${refused.message}`);
  }
}

// Read a stream until it says what is wanted, then hang up.
async function received(open, wanted) {
  const hangUp = new AbortController();
  try {
    for await (const update of open(hangUp.signal)) {
      if (wanted(update)) return;
    }
    throw new Error("the stream ended too early");
  } finally {
    hangUp.abort();
  }
}

// Drives @connectrpc/connect-node against a platform, and prints what each case came to, a JSON line each.
//
//   TOKEN=… EVENT=… node connect.js HTTP_DOOR GRPC_ADDRESS
import { readFileSync } from "node:fs";
import { createFileRegistry, fromBinary } from "@bufbuild/protobuf";
import { FileDescriptorSetSchema } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { compressionGzip, createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";

const [door, grpc] = process.argv.slice(2);
const event = process.env.EVENT;
const contract = readFileSync(process.env.CONTRACT);
const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, contract));
const errorType = registry.getMessage("common.v1.Error");
const headers = { authorization: `Bearer ${process.env.TOKEN}` };
const gzip = { acceptCompression: [compressionGzip], sendCompression: compressionGzip, compressMinBytes: 0 };

const TRANSPORTS = {
  "Connect, JSON": createConnectTransport({ baseUrl: door, httpVersion: "1.1", useBinaryFormat: false }),
  "Connect, protobuf": createConnectTransport({ baseUrl: door, httpVersion: "1.1", useBinaryFormat: true }),
  "Connect, JSON, gzip": createConnectTransport({ baseUrl: door, httpVersion: "1.1", useBinaryFormat: false, ...gzip }),
  "Connect, protobuf, gzip": createConnectTransport({ baseUrl: door, httpVersion: "1.1", useBinaryFormat: true, ...gzip }),
  "gRPC": createGrpcTransport({ baseUrl: grpc }),
};

const failure = (error) => {
  const is = ConnectError.from(error);
  const [detail] = is.findDetails(errorType);
  return { code: Code[is.code], field: detail?.details?.[0]?.field ?? "", hasDetail: detail !== undefined };
};

const refused = async (promise) => {
  try {
    return { answered: Object.keys(await promise) };
  } catch (error) {
    return failure(error);
  }
};

// The first messages of a stream, or how it ended.
const heard = async (stream, count) => {
  const messages = [];
  try {
    for await (const message of stream) {
      messages.push(message.type);
      if (messages.length === count) {
        return { messages: messages.length };
      }
    }
    return { messages: messages.length, ended: true };
  } catch (error) {
    return { messages: messages.length, ...failure(error) };
  }
};

for (const [name, transport] of Object.entries(TRANSPORTS)) {
  const of = (service) => createClient(registry.getService(service), transport);
  const queue = of("gateway.v1.QueueService");
  const gateway = of("gateway.v1.GatewayService");
  const payment = of("payment.v1.PaymentService");
  const updates = of("gateway.v1.WebSocketService");
  const session = `${name}-${process.pid}`;
  const cases = {
    "an answer": async () => ({ healthy: (await gateway.healthCheck({})).status === 1 }),
    "a join": async () => {
      const joined = await queue.joinQueue({ eventId: event, sessionId: session, metadata: { device: "x".repeat(300) } });
      place = joined.waitingToken;
      return { hasToken: place.length > 0 };
    },
    "its stream": async () =>
      heard(updates.streamQueueUpdates({ waitingToken: place, sessionId: session, eventId: event }), 1),
    "a stream of one's own": async () =>
      heard(updates.streamReservationUpdates({ userId: "ana" }, { headers, timeoutMs: 400 }), 1),
    "a stream that is refused": async () =>
      heard(updates.streamQueueUpdates({ waitingToken: place, sessionId: "another" }), 1),
    "a stream without a token": async () => heard(updates.streamReservationUpdates({ userId: "ana" }), 1),
    "nothing there": async () => refused(gateway.getReservation({ reservationId: "rsv_none" }, { headers })),
    "a wrong field": async () => refused(queue.joinQueue({ eventId: event })),
    "no token": async () => refused(gateway.getReservation({ reservationId: "rsv_none" })),
    "not for fans": async () => refused(payment.listPayments({ userId: "ana" }, { headers })),
  };
  let place = "";
  for (const [what, run] of Object.entries(cases)) {
    let came;
    try {
      came = await run();
    } catch (error) {
      came = { thrown: String(error) };
    }
    console.log(JSON.stringify({ transport: name, case: what, ...came }));
  }
}
process.exit(0);

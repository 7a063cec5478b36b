// Drives @grpc/grpc-js against a platform, and prints what each case came to, a JSON line each.
//
//   TOKEN=… EVENT=… CONTRACT=… node grpc.js GRPC_ADDRESS
import { readFileSync } from "node:fs";
import grpc from "@grpc/grpc-js";
import { loadFileDescriptorSetFromBuffer } from "@grpc/proto-loader";

const [address] = process.argv.slice(2);
const event = process.env.EVENT;
const definition = loadFileDescriptorSetFromBuffer(readFileSync(process.env.CONTRACT), {
  defaults: true,
  enums: String,
  keepCase: true,
  longs: String,
});
const contract = grpc.loadPackageDefinition(definition);
const credentials = grpc.credentials.createInsecure();
const queue = new contract.gateway.v1.QueueService(address, credentials);
const gateway = new contract.gateway.v1.GatewayService(address, credentials);
const updates = new contract.gateway.v1.WebSocketService(address, credentials);

const metadata = (entries = {}) => {
  const made = new grpc.Metadata();
  for (const [name, value] of Object.entries(entries)) {
    made.set(name, value);
  }
  return made;
};
const signed = { authorization: `Bearer ${process.env.TOKEN}` };
const status = { "x-error-mode": "status" };
const within = (ms) => ({ deadline: Date.now() + ms });

const called = (client, method, request, entries, options = within(10_000)) =>
  new Promise((resolve) => {
    let trailing;
    const call = client[method](request, metadata(entries), options, (error, answer) => {
      setImmediate(() => resolve({ error, answer, trailing }));
    });
    call.on("status", (last) => {
      trailing = last.metadata;
    });
  });

const told = ({ error, answer, trailing }) =>
  error === null
    ? { status: "OK", error: answer.error?.code ?? "", field: answer.error?.details?.[0]?.field ?? "" }
    : {
        status: grpc.status[error.code],
        hasDetails: (error.metadata.get("grpc-status-details-bin")[0]?.length ?? 0) > 0,
        code: String(trailing?.get("x-error-code")[0] ?? ""),
      };

const heard = (method, request, entries, options, count) =>
  new Promise((resolve) => {
    let messages = 0;
    const call = updates[method](request, metadata(entries), options);
    call.on("data", () => {
      messages += 1;
      if (messages === count) {
        call.cancel();
      }
    });
    call.on("error", (error) => resolve({ messages, status: grpc.status[error.code] }));
    call.on("end", () => resolve({ messages, status: "OK" }));
  });

let place = "";
const cases = {
  "an answer": async () => told(await called(gateway, "HealthCheck", {})),
  "a join": async () => {
    const came = await called(queue, "JoinQueue", { event_id: event, session_id: `grpc-js-${process.pid}` });
    place = came.answer.waiting_token;
    return { ...told(came), hasToken: place.length > 0 };
  },
  "its stream": async () =>
    heard("StreamQueueUpdates", { waiting_token: place, session_id: `grpc-js-${process.pid}` }, {}, within(10_000), 1),
  "a stream that has no more time": async () =>
    heard("StreamReservationUpdates", { user_id: "ana" }, signed, within(500), 100),
  "a stream that is refused": async () =>
    heard("StreamQueueUpdates", { waiting_token: place, session_id: "another" }, {}, within(10_000), 1),
  "nothing there, in the response": async () =>
    told(await called(gateway, "GetReservation", { reservation_id: "rsv_none" }, signed)),
  "nothing there, as a status": async () =>
    told(await called(gateway, "GetReservation", { reservation_id: "rsv_none" }, { ...signed, ...status })),
  "a wrong field, in the response": async () => told(await called(queue, "JoinQueue", { event_id: event })),
  "a wrong field, as a status": async () => told(await called(queue, "JoinQueue", { event_id: event }, status)),
  "no token, in the response": async () => told(await called(gateway, "GetReservation", { reservation_id: "x" })),
  "no token, as a status": async () => told(await called(gateway, "GetReservation", { reservation_id: "x" }, status)),
  "an unknown mode": async () => told(await called(gateway, "HealthCheck", {}, { "x-error-mode": "nonsense" })),
  "no time": async () => told(await called(gateway, "HealthCheck", {}, {}, { deadline: Date.now() - 1000 })),
};
for (const [what, run] of Object.entries(cases)) {
  let came;
  try {
    came = await run();
  } catch (error) {
    came = { thrown: String(error) };
  }
  console.log(JSON.stringify({ case: what, ...came }));
}
process.exit(0);

/**
 * What this device knows of the tickets of events, in IndexedDB: so it outlives a reload, a crash and a lost connection.
 * Whether somebody enters is decided and noted in one transaction, so two tabs do not both let the same ticket in.
 */

/** @typedef {{scan: string, event: string, reservation: string, seat: string, text: string, at: number, undone?: boolean}} Scan `at`: milliseconds, by the server's clock */
/** @typedef {{event: string, reservation: string, seat: string, scanner: string, scan: string, at: number, noted: number}} Entry `noted`: milliseconds, by this device's clock */
/** @typedef {{id: string, name: string, keys: {keys: any[]}, plan?: any, at: number}} Known an event with its seats, and when its lists were fetched */
/** @typedef {{verdict: "enter" | "entered" | "returned", entry?: Entry}} Decision */
/** @typedef {{scan: string, event: string, seat: string, reservation: string, at: number, verdict: string, entry: Entry | null}} Conflict */

const NAME = "tacos.scan";
const VERSION = 1;
const STORES = {
  events: "id",
  entries: ["event", "reservation", "seat"],
  returned: ["event", "reservation"],
  scans: "scan",
  conflicts: "scan",
};

/** @type {Promise<IDBDatabase> | undefined} */
let opened;

const database = () =>
  (opened ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open(NAME, VERSION);
    asked.onupgradeneeded = () => {
      for (const [name, keyPath] of Object.entries(STORES)) asked.result.createObjectStore(name, { keyPath });
    };
    asked.onsuccess = () => resolve(asked.result);
    asked.onerror = () => reject(asked.error);
  }));

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
const got = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/**
 * Do something in one transaction, and answer once it is durable.
 * @template T
 * @param {(keyof typeof STORES)[]} names
 * @param {(store: (name: keyof typeof STORES) => IDBObjectStore) => Promise<T>} act
 * @returns {Promise<T>}
 */
async function within(names, act) {
  const transaction = (await database()).transaction(names, "readwrite", { durability: "strict" });
  const done = new Promise((resolve, reject) => {
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error ?? new Error("aborted"));
  });
  const acted = act((name) => transaction.objectStore(name)).catch((fault) => {
    transaction.abort(); // else what was written before the fault would stay
    throw fault;
  });
  const [result] = await Promise.all([acted, done]);
  return result;
}

/** All that stands in a store. @param {keyof typeof STORES} name @returns {Promise<any[]>} */
const all = (name) => within([name], (store) => got(store(name).getAll()));

/** The events that this device can check tickets for. @returns {Promise<Known[]>} */
export const events = () => all("events");

/** The scans that the server has not received, in the order in which they were made. @returns {Promise<Scan[]>} */
export const scans = async () => (await all("scans")).sort((one, other) => one.at - other.at);

/** @returns {Promise<Conflict[]>} */
export const conflicts = () => all("conflicts");

/** @param {string} scan */
export const dismiss = (scan) => within(["conflicts"], async (store) => void store("conflicts").delete(scan));

/** Keys that begin with an event's id. @param {string} event */
const of = (event) => IDBKeyRange.bound([event], [event, []]);

/**
 * Keep an event's lists as the server has them. What was noted here since they were asked for stays, for they may not
 * have it; and so does what the server has not received yet.
 * @param {Known} event
 * @param {Entry[]} entries
 * @param {string[]} returned
 * @param {number} asked milliseconds, by this device's clock
 */
export const keepLists = (event, entries, returned, asked) =>
  within(["events", "entries", "returned", "scans"], async (store) => {
    const before = /** @type {Entry[]} */ (await got(store("entries").getAll(of(event.id))));
    const unsent = /** @type {Scan[]} */ (await got(store("scans").getAll()));
    const isUnsent = new Set(unsent.map(({ scan }) => scan));
    const undone = new Set(unsent.filter((scan) => scan.undone).map(({ scan }) => scan));
    store("entries").delete(of(event.id));
    store("returned").delete(of(event.id));
    for (const entry of entries) if (!undone.has(entry.scan)) store("entries").put(entry);
    for (const entry of before) if (entry.noted >= asked || isUnsent.has(entry.scan)) store("entries").put(entry);
    for (const reservation of returned) store("returned").put({ event: event.id, reservation });
    store("events").put(event);
  });

/**
 * Whether a scan lets somebody in, by what this device knows; if it does, it is noted, to be sent later.
 * @param {Scan} scan
 * @param {string} scanner
 * @returns {Promise<Decision>}
 */
export const decide = (scan, scanner) =>
  within(["entries", "returned", "scans"], async (store) => {
    const { event, reservation, seat } = scan;
    if (await got(store("returned").get([event, reservation]))) return { verdict: "returned" };
    const entry = await got(store("entries").get([event, reservation, seat]));
    if (entry) return { verdict: "entered", entry };
    store("entries").put(entryOf(scan, scanner));
    store("scans").put(scan);
    return { verdict: "enter" };
  });

/** @param {Scan} scan @param {string} scanner @returns {Entry} */
export const entryOf = ({ event, reservation, seat, scan, at }, scanner) => ({
  event,
  reservation,
  seat,
  scanner,
  scan,
  at,
  noted: Date.now(),
});

/** The server's word on a ticket that was not waiting to be sent. @param {Entry} entry */
export const note = (entry) => within(["entries"], async (store) => void store("entries").put(entry));

/** The server says that an order was given back. @param {string} event @param {string} reservation */
export const noteReturned = (event, reservation) =>
  within(["returned"], async (store) => void store("returned").put({ event, reservation }));

/** Nobody has entered by this scan: here at once, and at the server as soon as it receives that. @param {Scan} scan */
export const undo = (scan) =>
  within(["entries", "scans"], async (store) => {
    const key = [scan.event, scan.reservation, scan.seat];
    const entry = await got(store("entries").get(key));
    if (entry?.scan === scan.scan) store("entries").delete(key);
    store("scans").put({ ...scan, undone: true });
  });

/**
 * The server has received a scan. It goes on waiting if it was undone in the meantime, for that the server has not received.
 * @param {Scan} scan
 * @param {Entry | null} entry whose entry is in force by the server's word
 * @param {Conflict | null} conflict what is to be shown, where the server's word differs from what was said at the door
 */
export const markSent = (scan, entry, conflict) =>
  within(["entries", "scans", "conflicts"], async (store) => {
    const known = /** @type {Scan | undefined} */ (await got(store("scans").get(scan.scan)));
    if (known?.undone !== scan.undone) return;
    store("scans").delete(scan.scan);
    if (entry) store("entries").put(entry);
    if (conflict) store("conflicts").put(conflict);
  });

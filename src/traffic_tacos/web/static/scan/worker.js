/**
 * The scanner's page without a connection. Served as /scan-worker.js, where what begins with @ is filled in: so a new
 * version of any file is a new worker, which keeps all its files before it takes over, once the old pages are closed.
 */

const worker = /** @type {any} */ (self);
const PAGE = "/scan";
const FOLDER = "@assets";
const PATHS = "@paths".split(" ").map((path) => `${FOLDER}/${path}`);
const TIMEOUT = 3000; // milliseconds for a network that seems to be there
const OURS = "tacos.scan:";
const NAME = OURS + FOLDER;

async function install() {
  const kept = await caches.open(NAME);
  await kept.addAll([new Request(PAGE, { cache: "no-store" }), ...PATHS]);
  const page = await (await kept.match(PAGE))?.text();
  if (!page?.includes(FOLDER)) throw new Error("the page is already of a newer version: that one's worker comes");
}

async function activate() {
  const old = (await caches.keys()).filter((name) => name.startsWith(OURS) && name !== NAME);
  await Promise.all(old.map((name) => caches.delete(name)));
  await worker.clients.claim();
}

/** The page as it is now, or as it is kept. @param {Request} request */
async function page(request) {
  const kept = (await caches.open(NAME)).match(PAGE);
  try {
    const answer = await fetch(request, { signal: AbortSignal.timeout(TIMEOUT) });
    if (answer.ok) return answer;
  } catch {
    return kept;
  }
  return kept;
}

/** @param {Request} request */
const file = async (request) => (await (await caches.open(NAME)).match(request)) ?? fetch(request);

worker.addEventListener("install", (/** @type {any} */ event) => event.waitUntil(install()));
worker.addEventListener("activate", (/** @type {any} */ event) => event.waitUntil(activate()));
worker.addEventListener("fetch", (/** @type {any} */ event) => {
  const { pathname } = new URL(event.request.url);
  if (event.request.mode === "navigate" && pathname === PAGE) event.respondWith(page(event.request));
  else if (PATHS.includes(pathname)) event.respondWith(file(event.request));
});

/** The worker that keeps this page, so that it opens without a connection. */

const WORKER = "/scan-worker.js";
const SCOPE = "/scan";

/** Whether the page is kept from now on; false where this browser keeps none, as over plain HTTP. */
export async function keptHere() {
  if (!navigator.serviceWorker) return false;
  try {
    await navigator.serviceWorker.register(/** @type {any} */ (trusted()), { scope: SCOPE });
    await navigator.serviceWorker.ready;
    return true;
  } catch {
    return false; // storage is forbidden or full: the page goes on with a connection
  }
}

/** The address as a browser with trusted types wants it: the one policy of this page makes no other. */
function trusted() {
  const policies = /** @type {any} */ (globalThis).trustedTypes;
  const policy = policies?.createPolicy("scan-worker", { createScriptURL: () => WORKER });
  return policy ? policy.createScriptURL(WORKER) : WORKER;
}

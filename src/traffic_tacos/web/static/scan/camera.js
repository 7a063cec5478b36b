/** QR codes that a camera sees, where the browser can read them by itself. */

import { again } from "../lib/dom.js";

const LOOKED = 150; // milliseconds between two looks
const OUT_OF_SIGHT = 2000; // milliseconds after which the same code is a new one
const FORMAT = "qr_code";

/** @returns {any} the browser's own reader, which its types do not know yet */
const reader = () => /** @type {any} */ (globalThis).BarcodeDetector;

/** Whether there may be a camera here whose codes the browser can read. */
export async function canRead() {
  if (!reader() || !navigator.mediaDevices?.getUserMedia) return false;
  return (await reader().getSupportedFormats()).includes(FORMAT);
}

/**
 * Show what the camera sees, and report each code that comes into sight, until the signal.
 * @param {HTMLVideoElement} video
 * @param {(text: string) => Promise<void>} found the next code is looked for when this is done
 * @param {AbortSignal} signal
 */
export async function watch(video, found, signal) {
  const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" }, audio: false });
  const stop = () => stream.getTracks().forEach((track) => track.stop());
  if (signal.aborted) return stop();
  signal.addEventListener("abort", stop, { once: true });
  video.srcObject = stream;
  await video.play();
  const detector = new (reader())({ formats: [FORMAT] });
  let last = "";
  let seenAt = 0;
  await again(signal, async () => {
    const [code] = await detector.detect(video).catch(() => []); // no picture yet
    if (code) {
      const isNew = code.rawValue !== last || Date.now() - seenAt > OUT_OF_SIGHT;
      last = code.rawValue;
      seenAt = Date.now();
      if (isNew) await found(last);
    }
    return LOOKED;
  });
}

/**
 * Which bits are set, as a question about one of them: bit i is bit i % 8, from the lowest, of byte i / 8.
 * @param {string} packed base64
 * @returns {(index: number) => boolean}
 */
export function bitsOf(packed) {
  const bytes = Uint8Array.from(atob(packed), (letter) => letter.charCodeAt(0));
  return (index) => Boolean(bytes[index >> 3] & (1 << (index & 7)));
}

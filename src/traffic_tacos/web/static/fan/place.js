/** One's own place in the queue, reckoned from what is the same for everybody (`/web/queue/EVENT`). Pure. */

const NUMBER = [32, 44]; // where its number stands in a waiting token, in hexadecimal

/** The number that a waiting token has. @param {string} token */
export const numberOf = (token) => parseInt(token.slice(...NUMBER), 16);

/** Whether the place of a number comes from the draw, once that is held. @param {number} number @param {any} line */
export const isDrawn = (number, line) => line.draw !== null && number <= line.draw.size;

/**
 * How many stand before and at a rank: exact, but for those who left within the last step.
 * @param {number} rank
 * @param {any} line
 * @returns {number | null} null where the answer must be asked for
 */
export function placeOf(rank, line) {
  if (rank < line.cursor) return 0;
  const { from, before, step, counts } = line.ended;
  if (rank < from) return null;
  const gone = counts
    .slice(0, Math.floor((rank - from) / step))
    .reduce((/** @type {number} */ sum, /** @type {number} */ one) => sum + one, 0);
  return Math.max(1, rank - before - gone);
}

/**
 * How long it takes until a place's turn, in seconds; null where nobody can say.
 * @param {number} place
 * @param {any} line
 * @param {number} now milliseconds
 */
export function waitOf(place, line, now) {
  const opening = line.phase === "before" && line.opens_at ? Math.max(0, Date.parse(line.opens_at) - now) / 1000 : 0;
  if (line.moving_per_second <= 0) return null;
  return opening + place / line.moving_per_second;
}

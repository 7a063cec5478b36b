/** A seating plan as `/web/plan/EVENT/REVISION` has it, and which of its seats are free. Pure. */

/**
 * @typedef {object} Seat
 * @property {string} id
 * @property {string} number
 * @property {number} price in minor units
 * @property {number} index its bit among all seats of the event
 * @property {boolean} accessible kept for who needs it: sold by its id only
 * @property {boolean} aisle whether an aisle comes behind it
 */

/** The seats of a row, in order. @param {any} row @returns {Seat[]} */
export function seatsOf(row) {
  const accessible = new Set(row.accessible);
  const aisles = new Set(row.aisles);
  return Array.from({ length: row.seats }, (_, i) => {
    const number = Array.isArray(row.numbers) ? row.numbers[i] : String(row.numbers + i);
    return {
      id: Array.isArray(row.ids) ? row.ids[i] : row.ids + number,
      number,
      price: Array.isArray(row.price) ? row.price[i] : row.price,
      index: row.first + i,
      accessible: accessible.has(i),
      aisle: aisles.has(i + 1),
    };
  });
}

/** How many seats of a section anybody may be given. @param {any} section @param {(index: number) => boolean} isFree */
export function freeIn(section, isFree) {
  let count = 0;
  for (const row of section.rows) {
    const kept = new Set(row.accessible);
    for (let i = 0; i < row.seats; i++) if (isFree(row.first + i) && !kept.has(i)) count++;
  }
  return count;
}

/** The box round a polygon: its middle, and how wide and high it is. @param {number[]} outline x, y, x, y, … */
export function boxOf(outline) {
  const xs = outline.filter((_, i) => i % 2 === 0);
  const ys = outline.filter((_, i) => i % 2 === 1);
  const [left, right] = [Math.min(...xs), Math.max(...xs)];
  const [top, bottom] = [Math.min(...ys), Math.max(...ys)];
  return { x: (left + right) / 2, y: (top + bottom) / 2, width: right - left, height: bottom - top };
}

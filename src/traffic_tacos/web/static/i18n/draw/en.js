/** What the proof of a draw says in English, besides what all pages say. */
export default {
  draw_title: "The draw",
  draw_none: "Nothing is drawn for this event: places are in order of joining.",
  draw_commitment: "Fixed before anybody joined",
  draw_commitment_says:
    "This is the SHA-256 of the secret number that decides the draw. When the sale opens the number is published, and this page works out everybody's place from it. This device has noted what stands here; you may note it down as well.",
  draw_working: "Working out everybody's place: {n} of {size}",
  draw_right: "Everything is as it was drawn. All places were worked out again on this device.",
  draw_wrong: "Something is wrong with this draw: not everything is as it was published.",
  draw_mine: "You joined as number {number}, and were drawn to place {place}.",
  draw_checked: "What was checked",
  draw_noted: "The secret number was fixed when this device first looked.",
  draw_seed: "The secret number is the one that was fixed before anybody joined.",
  draw_pool: "Nobody was added, left out or exchanged after the draw.",
  draw_places: "Every place follows from the secret number and from who had joined.",
  draw_yes: "right",
  draw_no: "wrong",
  draw_wrong_at: "The first place that is wrong is that of number {number}.",
  draw_not_noted:
    "This device did not look before the draw. Whoever noted down what was fixed can compare it with the figure below.",
  draw_published: "What is published",
  draw_size: "In the draw",
  draw_the_seed: "The secret number",
  draw_digest: "Digest of who had joined",
  draw_elsewhere: "This page comes from the ticket shop as well. To check with a program of your own:",
};

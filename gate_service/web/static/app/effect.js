// What confirming a form sets in motion, in one sentence: nobody should fear a button for not knowing which boom moves.

/** By the way out, where it decides the boom. Backing out opens the entry; every other way leads over the exit. */
const BY_WAY = { back_out: "effect.entry", yard_before: "effect.way" };

const BY_COMMAND = {
  release: "effect.exit",
  approve: "effect.exit",
  hold: "effect.hold",
  resolve: "effect.judged",
  reweigh: "effect.weighed",
};

/** Key of the sentence; null where the form's own words say it. */
export const effectOf = ({ command, way }) => (way ? (BY_WAY[way] ?? "effect.exit") : (BY_COMMAND[command] ?? null));

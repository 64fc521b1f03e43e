// What can be said of a lane from its snapshot: how fresh it is, how urgent, and what may be asked. Pure.
import { ageNow } from "./live.js";

export const STALE_MS = 3000;

/** Commands that move a boom or send a vehicle on: not offered while the inputs are not fresh. */
const NEEDS_SIGHT = new Set(["release", "refuse", "turn_back", "inspect", "reweigh", "raise_boom", "lower_boom", "zero"]);
const ON_VEHICLE = ["release", "inspect", "turn_back", "refuse", "hold", "reweigh", "resolve"];
const ON_LANE = ["open_lane", "close_lane", "clear_fault", "zero", "raise_boom", "lower_boom", "emergency_raise"];

export const isOld = (lane, age) => {
  const ms = ageNow(lane, age);
  return ms === null || ms > STALE_MS;
};

export const inputsAreOld = (lane) => isOld(lane, lane.inputs_age_ms);

/** Why a command cannot be given now, as a key of the catalogue; null when it can. */
export function blockedBecause(lane, command, connection) {
  if (connection !== "live") return "blocked.connection";
  if (NEEDS_SIGHT.has(command) && inputsAreOld(lane)) return "blocked.inputs";
  return null;
}

/** Commands to show: what the lane takes now and the role may give. */
export function offered(lane, allowed) {
  const given = new Set(lane.commands.filter((command) => allowed.includes(command)));
  return { vehicle: ON_VEHICLE.filter((c) => given.has(c)), lane: ON_LANE.filter((c) => given.has(c)) };
}

const VERDICT_RANK = { detain: 2, refuse: 4, inspect: 4 };

/** The smaller, the sooner somebody must look; null: nobody has to. */
function rank(lane) {
  if (!lane.attention || (lane.state === "closed" && lane.attention.code === "close_asked")) return null;
  if (lane.state === "fire" || lane.fire) return 0;
  if (lane.attention.escalated) return 1;
  if (lane.state === "detained") return 2;
  if (lane.state === "fault") return 3;
  return VERDICT_RANK[lane.passage?.verdict] ?? 5;
}

/** Lanes that wait for a person: most urgent first, longest waiting first among equals. */
export function queueOf(all) {
  return all
    .filter((lane) => lane && rank(lane) !== null)
    .sort((a, b) => rank(a) - rank(b) || Date.parse(a.attention.since_at) - Date.parse(b.attention.since_at));
}

/** Checks that ask for something, strictest first; warnings last. */
export function checksOf(passage) {
  const order = ["detain", "refuse", "inspect", "review", "release"];
  return [...(passage?.checks ?? [])].sort((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));
}

/** Sum of the slips' declared totals; null where one has none. */
export function declaredTotal(passage) {
  const slips = passage?.slips ?? [];
  if (slips.length !== 1 || slips[0].total_kg == null) return null;
  return slips[0].total_kg;
}

// What can be said of a lane from its snapshot: how fresh it is, how urgent, and what may be asked. Pure.
import { ageNow, DOUBTED_AFTER_MS } from "./live.js";

/** Commands that move a boom or send a vehicle on: not offered while the inputs are not fresh. */
const NEEDS_SIGHT = new Set(["release", "refuse", "turn_back", "inspect", "reweigh", "raise_boom", "lower_boom", "zero", "approve"]);
export const ON_VEHICLE = ["release", "inspect", "turn_back", "refuse", "hold", "reweigh", "resolve"];
const ON_LANE = ["open_lane", "close_lane", "clear_fault", "zero", "turn_lane", "reconfigure_lane", "raise_boom", "lower_boom", "emergency_raise"];
/** So long after other facts or another vehicle came nothing can be clicked: a hand already moving hits nothing. */
const SETTLES_MS = 700;

export const isOld = (lane, age) => {
  const ms = ageNow(lane, age);
  return ms === null || ms > DOUBTED_AFTER_MS;
};

export const inputsAreOld = (lane) => isOld(lane, lane.inputs_age_ms);

/** Whether the facts changed a moment ago. */
export const isSettling = (lane) => ageNow(lane, 0) !== null && performance.now() - lane.factsAt < SETTLES_MS;

/** Why a command cannot be given now, as a key of the catalogue; null when it can. */
export function blockedBecause(lane, command, connection) {
  if (connection !== "live") return "blocked.connection";
  if (NEEDS_SIGHT.has(command) && inputsAreOld(lane)) return "blocked.inputs";
  if (command === "release" && lane.passage?.override_by === "nobody" && lane.passage.verdict !== "release") return "blocked.nobody";
  return null;
}

/** Commands to show: what the lane takes now and the role may give. */
export function offered(lane, allowed) {
  const given = new Set(lane.commands.filter((command) => allowed.includes(command)));
  const seen = allowed.includes("resolve") ? (lane.attests ?? []) : [];
  return { vehicle: ON_VEHICLE.filter((c) => given.has(c)), seen, lane: ON_LANE.filter((c) => given.has(c)) };
}

/** What a person can supply: with nothing else wrong, that is the right next act. */
const SUPPLIED = new Set(["plate_unread", "slip_unknown", "slip_ambiguous"]);
const BY_VERDICT = { release: "release", inspect: "inspect", refuse: "turn_back" };

/** The act that the verdict itself asks for; null where a person has to weigh things up. */
export function suggested(lane) {
  const passage = lane.passage;
  if (!passage?.verdict) return null;
  const open = checksOf(passage).filter((check) => check.verdict !== "release");
  if (passage.verdict !== "review") return BY_VERDICT[passage.verdict] ?? null;
  if (open.every((check) => SUPPLIED.has(check.reason_code))) return open.length ? "resolve" : null;
  return open.every((check) => check.reason_code === "weight_missing") ? "reweigh" : null;
}

const VERDICT_RANK = { detain: 2, refuse: 4, inspect: 4 };

/** The smaller, the sooner somebody must look; null: nobody has to. */
function rank(lane) {
  if (lane.approval) return 3;
  if (!lane.attention || (lane.state === "closed" && lane.attention.code === "close_asked")) return null;
  if (lane.state === "fire" || lane.fire) return 0;
  if (lane.attention.escalated) return 1;
  if (lane.state === "detained") return 2;
  if (lane.state === "fault") return 3;
  return VERDICT_RANK[lane.passage?.verdict] ?? 5;
}

/** Since when somebody is waited for. */
export const waitsSince = (lane) => Date.parse(lane.attention?.since_at ?? lane.since_at);

/** Lanes that wait for a person: most urgent first, longest waiting first among equals. */
export function queueOf(all) {
  return all
    .filter((lane) => lane && rank(lane) !== null)
    .sort((a, b) => rank(a) - rank(b) || waitsSince(a) - waitsSince(b));
}

/** Checks that ask for something, strictest first; warnings last. */
export function checksOf(passage) {
  const order = ["detain", "refuse", "inspect", "review", "release"];
  return [...(passage?.checks ?? [])].sort((a, b) => order.indexOf(a.verdict) - order.indexOf(b.verdict));
}

/** The check that stops the vehicle first; undefined where none does. */
export const firstStop = (passage) => checksOf(passage).find((check) => check.verdict !== "release");

/** The slip's declared total; null where there is none, or several that only the service can add up. */
export function declaredTotal(passage) {
  const slips = passage?.slips ?? [];
  if (slips.length !== 1 || slips[0].total_kg == null) return null;
  return slips[0].total_kg;
}

/** What the weight has to meet: {declared, allowed}; allowed is known where the weight was found to differ. */
export function wantedWeight(passage) {
  const check = passage?.checks?.find((one) => one.reason_code === "weight_mismatch");
  const declared = typeof check?.expected === "number" ? check.expected : declaredTotal(passage);
  if (declared === null || declared === undefined) return null;
  return { declared, allowed: typeof check?.allowed === "number" ? check.allowed : null };
}

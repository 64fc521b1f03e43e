// The command that is being filled in: bound to the vehicle and facts it was opened on, sent once, or given up.
import { signal } from "../vendor/signals.mjs";
import { newKey, post, session } from "./api.js";
import { blockedBecause, ON_VEHICLE } from "./facts.js";
import { connection, lanes } from "./live.js";
import { OTHER, REASONS } from "./reasons.js";

const NEEDS_SIDE = new Set(["raise_boom", "lower_boom", "emergency_raise"]);
const NEEDS_WAY = new Set(["turn_back", "refuse", "inspect"]);
const ABOUT_VEHICLE = new Set([...ON_VEHICLE, "approve", "crossed", "departed"]);
const MAY_MEND = new Set(["sign_in_refused", "second_factor_needed"]);
const LISTS = new Set(["slip_nos", "containers", "seals"]);
/** What a person saw, as the fact that `resolve` takes. */
const ATTESTED = { crossed: true, departed: false };

/** The command being filled in, or null. */
export const draft = signal(null);
/** What became of the last one: {lane, command, code?, detail?, plate, pending?}. */
export const outcome = signal(null);

export const isAboutVehicle = (command) => ABOUT_VEHICLE.has(command);
export const change = (values) => (draft.value = { ...draft.value, ...values });

/** Ways that the vehicle could take now with this command; the site's own choice first. */
export const waysFor = (lane, command) => (command === "inspect" ? lane.inspect_ways : lane.ways) ?? [];

/** Open the form of a command on what is in the lane now. */
export function begin(lane, command) {
  outcome.value = null;
  const sides = ["exit", "entry"].filter((side) => side in lane.booms);
  draft.value = {
    lane: lane.id,
    command,
    key: newKey(),
    passageId: lane.passage?.id ?? null,
    factsVersion: lane.passage?.facts_version ?? null,
    plate: lane.passage?.plate ?? null,
    state: lane.state,
    approval: command === "approve" ? lane.approval : null,
    isHere: command === "approve" && !mayApprove(lane.approval),
    reasonCode: (REASONS[command] ?? []).length ? null : undefined,
    reason: "",
    side: NEEDS_SIDE.has(command) ? (sides[0] ?? null) : null,
    way: NEEDS_WAY.has(command) ? (waysFor(lane, command)[0] ?? null) : null,
    direction: command === "turn_lane" ? (lane.direction === "inbound" ? "outbound" : "inbound") : null,
    fields: {},
    sending: false,
  };
}

export function closeDraft() {
  draft.value = null;
}

/** A draft for a lane that is no longer shown is given up. */
export function leaveLane(id) {
  if (draft.peek() && draft.peek().lane !== id) closeDraft();
  if (outcome.peek() && outcome.peek().lane !== id) outcome.value = null;
}

const words = (text) => text.split(/[\s,，、;；]+/).filter(Boolean);

function fieldsOf(asked) {
  const fields = {};
  if (asked.side) fields.side = asked.side;
  if (asked.way) fields.way = asked.way;
  if (asked.way === "escort" && asked.fields.escort?.trim()) fields.escort = asked.fields.escort.trim();
  if (asked.direction) fields.direction = asked.direction;
  if (asked.command in ATTESTED) fields.crossed = ATTESTED[asked.command];
  if (asked.command !== "resolve") return fields;
  for (const [name, text] of Object.entries(asked.fields)) {
    if (text.trim()) fields[name] = LISTS.has(name) ? words(text) : text.trim();
  }
  return fields;
}

/** Whether the vehicle or its facts changed since the command was chosen; for an approval, whether it still waits. */
export function hasMovedOn(asked, lane) {
  if (!isAboutVehicle(asked.command)) return false;
  if (asked.command === "approve" && lane.approval?.command_id !== asked.approval?.command_id) return true;
  return lane.passage?.id !== asked.passageId || lane.passage?.facts_version !== asked.factsVersion;
}

/** Whether the lane still takes what was chosen; what waits for its second person is asked by `hasMovedOn`. */
function isTaken({ command }, lane) {
  if (command === "approve") return true;
  return command in ATTESTED ? (lane.attests ?? []).includes(command) : lane.commands.includes(command);
}

/** Why what is filled in cannot be sent now, as a key of the catalogue; null when it can. */
export function stoppedBecause(asked, lane) {
  const blocked = blockedBecause(lane, asked.command, connection.value);
  if (blocked) return blocked;
  if (asked.command === "release" && lane.passage?.verdict !== "release" && lane.passage?.override_by === "supervisor" && session.value?.role === "operator") return "override.not_you";
  return isTaken(asked, lane) ? null : "blocked.state";
}

/** Whether everything that the command needs is there. */
export function isComplete(asked) {
  if (asked.reasonCode === null) return false;
  if (asked.reasonCode === OTHER && !asked.reason.trim()) return false;
  if (asked.command === "approve") return asked.isHere ? Boolean(asked.fields.name && (asked.fields.password || asked.fields.code)) : true;
  if (asked.way === "escort" && !asked.fields.escort?.trim()) return false;
  return asked.command !== "resolve" || Object.keys(fieldsOf(asked)).length > 0;
}

function requestOf(asked) {
  const path = `/api/v1/lanes/${encodeURIComponent(asked.lane)}/commands`;
  if (asked.command === "approve") {
    const proof = {};
    for (const name of asked.isHere ? ["name", "password", "code"] : []) if (asked.fields[name]) proof[name] = asked.fields[name];
    return [`${path}/${encodeURIComponent(asked.approval.command_id)}/approve`, proof];
  }
  const bound = isAboutVehicle(asked.command) ? { passage_id: asked.passageId, facts_version: asked.factsVersion } : {};
  return [
    path,
    {
      command: asked.command in ATTESTED ? "resolve" : asked.command,
      ...bound,
      reason_code: asked.command in ATTESTED ? "seen_by_operator" : (asked.reasonCode ?? null),
      reason: asked.reason.trim() || null,
      fields: fieldsOf(asked),
    },
  ];
}

/** Send it, once. It acts on the vehicle and facts it was opened on, or on none. */
export async function send() {
  const asked = draft.value;
  const lane = lanes.get(asked.lane)?.value;
  const isStopped = !lane || hasMovedOn(asked, lane) || stoppedBecause(asked, lane) !== null;
  if (asked.sending || isStopped || !isComplete(asked)) return;
  change({ sending: true });
  const about = { lane: asked.lane, command: asked.command, plate: asked.plate, passageId: asked.passageId, factsVersion: asked.factsVersion };
  try {
    const [path, body] = requestOf(asked);
    const answer = await post(path, body, { "idempotency-key": asked.key });
    outcome.value = { ...about, pending: answer.pending ?? null, at: performance.now() };
    draft.value = null;
  } catch (problem) {
    outcome.value = { ...about, code: problem.code, detail: problem.message };
    // No answer: the same key again is the same act. A wrong password or code may be mended. Refused otherwise: it is over,
    // choose anew on what is there now.
    const mayRepeat = problem.code === "no_answer" || (asked.command === "approve" && MAY_MEND.has(problem.code));
    if (mayRepeat) change({ sending: false, fields: { ...asked.fields, password: "", code: "" } });
    else draft.value = null;
  }
}

/** Whether this person may be the second one for what waits in a lane. */
export function mayApprove(approval) {
  const me = session.value;
  return me !== null && approval.by !== `user:${me.name}` && ["supervisor", "customs"].includes(me.role);
}

// The live connection: what it heard last, and whether that can still be believed.
import { batch, signal } from "../vendor/signals.mjs";
import { toSignIn } from "./api.js";
import { ringOf } from "./curve.js";

const LOST_AFTER_MS = 2500; // the service beats every second; what is shown must be doubted before 3 s
/** What is older than this is not shown as current: with the clock's quarter second it is said before 3 s. */
export const DOUBTED_AFTER_MS = 2500;
const RETRY_MS = [300, 600, 1000, 2000, 3000];

/** "connecting", "live" or "lost". */
export const connection = signal("connecting");
/** For how long nothing has been heard, in ms; null while live. */
export const lostFor = signal(null);
/** Lane ids in the order of the site; each lane's own signal is in `lanes`. */
/** What holds for all lanes, told with each beat: {central, regime}; null until the first. */
export const standing = signal(null);
export const order = signal([]);
export const lanes = new Map();
/** Ticks four times a second, for everything that counts time. In the service's time. */
export const now = signal(Date.now());

let offset = 0; // service time minus ours
let heardAt = performance.now();
let tries = 0;
let isStarted = false;

function laneSignal(id) {
  if (!lanes.has(id)) {
    lanes.set(id, signal(null));
    order.value = [...order.value, id];
  }
  return lanes.get(id);
}

function remember(id, weight) {
  if (!weight) return;
  const isKnown = weight.value_kg != null && weight.age_ms != null && weight.age_ms <= DOUBTED_AFTER_MS;
  ringOf(id).push(performance.now(), isKnown ? weight.value_kg : NaN);
}

const isSameCase = (one, other) =>
  one?.passage?.id === other.passage?.id && one?.passage?.facts_version === other.passage?.facts_version;

function takeLane(lane) {
  const own = laneSignal(lane.id);
  const before = own.peek();
  remember(lane.id, lane.weight);
  const factsAt = before === null ? -Infinity : isSameCase(before, lane) ? before.factsAt : performance.now();
  own.value = { ...lane, heardAt: performance.now(), factsAt };
}

/** The last minute, told once when the page connects; what this page has seen itself is finer and stays. */
function takeCurve(id, points) {
  const ring = ringOf(id);
  if (ring.size) return;
  for (const [ago, kg] of points) ring.push(performance.now() - ago, kg ?? NaN);
}

function takeAges(id, ages) {
  const own = lanes.get(id);
  if (!own?.peek() || !ages) return;
  const lane = own.peek();
  own.value = {
    ...lane,
    heardAt: performance.now(),
    inputs_age_ms: ages.inputs_age_ms,
    weight: lane.weight && { ...lane.weight, age_ms: ages.weight_age_ms },
    devices: (lane.devices ?? []).map((device) => ({ ...device, age_ms: ages.devices?.[device.device] ?? null })),
  };
  remember(id, own.peek().weight);
}

function hear(message) {
  heardAt = performance.now();
  batch(() => {
    if (message.at) offset = Date.parse(message.at) - Date.now();
    if (message.standing) standing.value = { ...message.standing, heardAt: performance.now() };
    if (message.type === "lanes") message.lanes.forEach(takeLane);
    if (message.type === "curves") Object.entries(message.curves).forEach(([id, points]) => takeCurve(id, points));
    if (message.type === "beat") Object.entries(message.ages).forEach(([id, ages]) => takeAges(id, ages));
    if (message.type === "beat" || message.type === "lanes") say("live");
  });
}

function say(state) {
  connection.value = state;
  if (state === "lost") standing.value = null;
  lostFor.value = state === "lost" ? performance.now() - heardAt : null;
}

async function leaveIfSignedOut() {
  const answer = await fetch("/api/v1/session").catch(() => null);
  if (answer?.status === 401) toSignIn();
}

function open(lane, isPerson) {
  const query = lane ? `?lane=${encodeURIComponent(lane)}` : "";
  const socket = new WebSocket(`${location.origin.replace(/^http/, "ws")}/api/v1/live${query}`);
  socket.onmessage = (event) => {
    tries = 0;
    hear(JSON.parse(event.data));
  };
  socket.onclose = () => {
    say("lost");
    if (isPerson) leaveIfSignedOut();
    setTimeout(() => open(lane, isPerson), RETRY_MS[Math.min(tries++, RETRY_MS.length - 1)]);
  };
}

/** Connect once and stay connected. `lane` for a driver display, which sees that lane only. */
export function startLive(lane = null) {
  if (isStarted) return;
  isStarted = true;
  open(lane, lane === null);
  setInterval(() => {
    now.value = Date.now() + offset;
    if (performance.now() - heardAt > LOST_AFTER_MS) say("lost");
  }, 250);
}

/** How old something is by now, in ms: its age when it was told plus the time since. Null: never known. */
export function ageNow(lane, age) {
  now.value; // whoever shows an age is drawn again as it grows, also when nothing is heard any more
  return age == null ? null : age + performance.now() - lane.heardAt;
}

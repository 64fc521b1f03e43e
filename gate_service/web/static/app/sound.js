// Sound for what needs a person: short tones made here, no files. A detained vehicle is told silently (RULES 8: the
// driver stands beside the window and must not hear that it was noticed).
import { signal } from "../vendor/signals.mjs";
import { session } from "./api.js";

const KEPT = "gate.sound";
const REPEAT_MS = { fire: 4000, late: 15_000 };
/** [frequency in Hz, start and length in s]: low and short to call, higher and repeated to press. */
const TONES = {
  call: [[660, 0, 0.12], [880, 0.14, 0.16]],
  second: [[880, 0, 0.1], [660, 0.12, 0.1], [880, 0.24, 0.16]],
  late: [[880, 0, 0.14], [880, 0.2, 0.14], [880, 0.4, 0.14]],
  fire: [[990, 0, 0.3], [740, 0.32, 0.3], [990, 0.64, 0.3]],
};
const ORDER = ["fire", "late", "second", "call"];

export const isMuted = signal(localStorage.getItem(KEPT) === "off");
/** Whether the browser keeps it silent until somebody touches the page. */
export const isBlocked = signal(false);
/** How many times something was played, by tone; what it was is on the screen. */
export const played = { call: 0, second: 0, late: 0, fire: 0 };

let context = null;
let known = new Set();
let lastAt = {};

function look() {
  isBlocked.value = context === null || context.state !== "running";
}

/** Whether sound may be tried before anybody has touched the page. */
let mayTry = false;

function wake() {
  if (context === null && !mayTry && !navigator.userActivation.hasBeenActive) return;
  context ??= new AudioContext();
  context.onstatechange = look;
  if (context.state === "suspended") context.resume().then(look, look);
  look();
}

export function switchSound() {
  wake();
  isMuted.value = !isMuted.value;
  localStorage.setItem(KEPT, isMuted.value ? "off" : "on");
  if (!isMuted.value) play("call");
}

function play(tone) {
  lastAt[tone] = performance.now();
  if (isMuted.value) return;
  look();
  if (isBlocked.value) return;
  played[tone] += 1;
  for (const [frequency, after, length] of TONES[tone]) {
    const [voice, loudness, at] = [context.createOscillator(), context.createGain(), context.currentTime + after];
    voice.frequency.value = frequency;
    voice.type = "triangle";
    loudness.gain.setValueAtTime(0, at);
    loudness.gain.linearRampToValueAtTime(0.28, at + 0.012);
    loudness.gain.exponentialRampToValueAtTime(0.001, at + length);
    voice.connect(loudness).connect(context.destination);
    voice.start(at);
    voice.stop(at + length);
  }
}

/** Why a lane calls, as [tone, what]; `what` stays the same as long as it is the same call. */
function callOf(lane) {
  if (lane.state === "fire" || lane.fire) return ["fire", `${lane.id}/fire`];
  if (lane.state === "detained") return null;
  if (lane.approval && lane.approval.by !== `user:${session.peek()?.name}`) return ["second", lane.approval.command_id];
  if (!lane.attention || lane.attention.code === "close_asked") return null;
  const { code, since_at, escalated } = lane.attention;
  return [escalated ? "late" : "call", `${lane.id}/${code}/${since_at}/${escalated}`];
}

/** Hear about the lanes that wait: new ones sound at once, the pressing ones again and again. */
export function callFor(waiting) {
  const calls = waiting.map(callOf).filter(Boolean);
  const fresh = calls.filter(([, what]) => !known.has(what)).map(([tone]) => tone);
  const again = calls.map(([tone]) => tone).filter((tone) => performance.now() - (lastAt[tone] ?? -Infinity) > (REPEAT_MS[tone] ?? Infinity));
  known = new Set(calls.map(([, what]) => what));
  const tone = ORDER.find((one) => fresh.includes(one) || again.includes(one));
  if (tone) play(tone);
}

/** Take the first touch, where the browser wants one; `isAtOnce` tries without one, which it may complain about. */
export function startSound(isAtOnce) {
  mayTry = isAtOnce;
  for (const kind of ["pointerdown", "pointerup", "keydown"]) document.addEventListener(kind, wake, { capture: true });
  if (isAtOnce) wake();
}

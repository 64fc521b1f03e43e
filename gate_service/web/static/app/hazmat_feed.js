// What the zone authority's page knows: stock, events as they happen, holds; and whether that can still be believed.
import { signal } from "../vendor/signals.mjs";
import { get } from "./api.js";
import { connection, lostFor, now } from "./live.js";

const KEPT = 200; // events on the page; the table export has them all
const ASK_EVERY_MS = 5000;
const LOST_AFTER_MS = 12_000;
const KINDS = ["entered", "exited", "turned_away", "corrected"];

/** The inventory as the service last told it; null before. */
export const stock = signal(null);
/** Events, newest first. */
export const events = signal([]);
/** Safety holds, standing first. */
export const holds = signal([]);

let heardAt = performance.now();
let asking = null;

/** Ask for stock and holds; several wishes at once are one request. */
export function ask() {
  asking ??= Promise.all([get("/api/v1/hazmat/inventory"), get("/api/v1/hazmat/holds")])
    .then(([found, placed]) => {
      stock.value = found;
      holds.value = placed.holds;
      heard();
    })
    .catch(() => null) // the banner says it once nothing has been heard for a while
    .finally(() => (asking = null));
  return asking;
}

function heard() {
  heardAt = performance.now();
  connection.value = "live";
  lostFor.value = null;
}

function take(event) {
  const entry = JSON.parse(event.data);
  heard();
  if (events.value.some((known) => known.id === entry.id)) return; // a break repeats what was sent before
  events.value = [entry, ...events.value].slice(0, KEPT);
  ask();
}

/** Read what there is, then listen. */
export async function startFeed() {
  const newest = await get(`/api/v1/hazmat/entries?newest=true&limit=${KEPT}`);
  events.value = newest.entries.reverse();
  await ask();
  const after = newest.after ? `?after=${encodeURIComponent(newest.after)}` : "";
  const source = new EventSource(`/api/v1/hazmat/stream${after}`);
  KINDS.forEach((kind) => source.addEventListener(`hazmat.${kind}`, take));
  setInterval(ask, ASK_EVERY_MS);
  setInterval(() => {
    now.value = Date.now();
    if (performance.now() - heardAt > LOST_AFTER_MS) {
      connection.value = "lost";
      lostFor.value = performance.now() - heardAt;
    }
  }, 500);
}

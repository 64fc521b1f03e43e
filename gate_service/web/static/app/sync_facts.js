// What the page of the lines shows, asked for every two seconds; a failed question leaves what was known, marked as old.
import { signal } from "../vendor/signals.mjs";
import { get } from "./api.js";

const EVERY_MS = 2000;

export const facts = signal({ status: null, parked: { outbox: [], feed: [] }, conflicts: [] });
export const asked = signal(null);
export const failed = signal(null);

export async function ask() {
  try {
    const [status, outbox, feed, conflicts] = await Promise.all([
      get("/api/v1/sync"),
      get("/api/v1/sync/parked?queue=outbox"),
      get("/api/v1/sync/parked?queue=feed"),
      get("/api/v1/sync/conflicts"),
    ]);
    facts.value = { status, parked: { outbox: outbox.parked, feed: feed.parked }, conflicts: conflicts.conflicts };
    asked.value = new Date().toISOString();
    failed.value = null;
  } catch (problem) {
    failed.value = problem;
  }
}

export async function startAsking() {
  await ask();
  const again = async () => {
    if (!document.hidden) await ask();
    setTimeout(again, EVERY_MS);
  };
  setTimeout(again, EVERY_MS);
}

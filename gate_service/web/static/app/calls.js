// Who waits for a person, over all lanes; seen and heard on every page that a person works on.
import { effect } from "../vendor/signals.mjs";
import { queueOf } from "./facts.js";
import { connection, lanes, now, order, startLive } from "./live.js";
import { callFor, startSound } from "./sound.js";

/** Lanes that wait, most urgent first. */
export const waiting = () => queueOf(order.value.map((id) => lanes.get(id).value));

/** How many wait; 0 while nothing is known, too. */
export const waitingCount = () => (connection.value === "live" ? waiting().length : 0);

/** Connect, and call for the lanes that wait. The terminal sounds `isAtOnce`; other pages after their first touch. */
export function watchCalls(isAtOnce) {
  startLive();
  startSound(isAtOnce);
  effect(() => {
    now.value;
    callFor(connection.value === "live" ? waiting() : []);
  });
}

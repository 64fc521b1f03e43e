// What every page needs of the libraries, and the marks that say by shape what colour says too.
import { h, render } from "../vendor/preact.mjs";
import htm from "../vendor/htm.mjs";
import "../vendor/signals.mjs"; // lets components follow signals

export { render };
export const html = htm.bind(h);

const PATHS = {
  check: "M3 8.5 6.5 12 13 4.5",
  cross: "M4 4l8 8M12 4l-8 8",
  person: "M8 8a2.6 2.6 0 1 0 0-5.2A2.6 2.6 0 0 0 8 8Zm-5 5.5c.6-2.6 2.6-4 5-4s4.4 1.4 5 4",
  search: "M7 11.5a4.5 4.5 0 1 0 0-9 4.5 4.5 0 0 0 0 9Zm3.3-1.2L14 14",
  hand: "M8 2v7M5 4v6M11 4v5M5 9.5C3.5 8 2.5 9 3.2 10.2L5 13.5h5.5L12 10V6",
  bolt: "M9 1.5 3.5 9H8l-1 5.5L12.5 7H8l1-5.5Z",
  dot: "M8 10.2a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4Z",
  back: "M7 3 2.5 8 7 13M3 8h10.5",
  forward: "M9 3l4.5 5L9 13M13 8H2.5",
  lock: "M4.5 7V5a3.5 3.5 0 0 1 7 0v2M3.5 7h9v6.5h-9Z",
  flame: "M8 14c-2.6 0-4.3-1.7-4.3-4 0-3 3-4 2.8-7.5C9.5 4 12.3 6.5 12.3 10c0 2.3-1.7 4-4.3 4Z",
  clock: "M8 14.2A6.2 6.2 0 1 0 8 1.8a6.2 6.2 0 0 0 0 12.4ZM8 4.5V8l2.5 1.8",
  up: "M8 13V3M4 7l4-4 4 4",
  down: "M8 3v10M4 9l4 4 4-4",
  sun: "M8 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6ZM8 1v1.8M8 13.2V15M1 8h1.8M13.2 8H15M3 3l1.3 1.3M11.7 11.7 13 13M13 3l-1.3 1.3M4.3 11.7 3 13",
  moon: "M13.5 9.8A6 6 0 0 1 6.2 2.5a6 6 0 1 0 7.3 7.3Z",
  half: "M8 14A6 6 0 1 0 8 2a6 6 0 0 0 0 12ZM8 2v12M8 5h4.6M8 8h6M8 11h4.6",
  bell: "M8 2a4 4 0 0 0-4 4v3l-1.5 2.5h11L12 9V6a4 4 0 0 0-4-4ZM6.5 13.5a1.6 1.6 0 0 0 3 0",
  silent: "M8 2a4 4 0 0 0-4 4v3l-1.5 2.5h11L12 9V6a4 4 0 0 0-4-4ZM2 2l12 12",
  keyboard: "M1.5 4h13v8h-13ZM4 6.5h.1M6.6 6.5h.1M9.3 6.5h.1M12 6.5h.1M5 9.5h6",
  two: "M5.5 8a2.2 2.2 0 1 0 0-4.4 2.2 2.2 0 0 0 0 4.4ZM1.5 13c.4-2.2 2-3.4 4-3.4s3.6 1.2 4 3.4M10.7 8a2 2 0 0 0 .3-4M11.6 9.8c1.6.2 2.6 1.4 2.9 3.2",
  scale: "M8 2.5v11M4 13.5h8M2.5 5h11M2.5 5 1 9.5h4L3.5 5M12.5 5 11 9.5h4L13.5 5",
  pen: "M3 13l.8-3L11 2.8 13.2 5 6 12.2Z",
  gone: "M3 8h8M7.5 4 11.5 8l-4 4M14 3v10",
};

/** A mark of 16 px. Decorative: a word always stands beside it. */
export const Mark = ({ name }) => html`
  <svg class="mark" viewBox="0 0 16 16" aria-hidden="true"><path d=${PATHS[name] ?? PATHS.dot} /></svg>
`;

const VERDICT_MARKS = { release: "check", review: "person", inspect: "search", refuse: "cross", detain: "lock" };
const STATE_MARKS = { review: "person", detained: "lock", fault: "bolt", fire: "flame", closed: "cross", idle: "dot" };

export const verdictMark = (verdict) => VERDICT_MARKS[verdict] ?? "clock";
export const stateMark = (state) => STATE_MARKS[state] ?? "clock";

export const tone = {
  verdict: (verdict) => ({ release: "good", review: "warn", inspect: "warn" })[verdict] ?? (verdict ? "bad" : "none"),
  state: (state) =>
    ({ review: "warn", detained: "bad", fault: "bad", fire: "bad", closed: "none", idle: "none", leaving: "good" })[
      state
    ] ?? "busy",
};

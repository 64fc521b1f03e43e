// A lane seen from above, in driving order from left to right: loops, booms, beams, platform, lights. Only what the
// inputs say is drawn; a place that cannot be seen is drawn as unknown, never as free.
import { html } from "./html.js";
import { t } from "./i18n.js";

const TOP = 14;
const BOTTOM = 42;
const LOOPS = { approach: [6, 34], entry_loop: [62, 26], exit_loop: [244, 26] };
const BEAMS = { entry_beam: 98, exit_beam: 234 };
const BOOMS = { entry: 50, exit: 280 };
const PLATFORM = [106, 120];

const Loop = ({ name, state }) => {
  const [x, width] = LOOPS[name];
  return html`<g class=${`loop ${state}`}>
    <rect x=${x} y=${TOP + 5} width=${width} height=${BOTTOM - TOP - 10} rx="3" />
    ${state === "unknown" && html`<text x=${x + width / 2} y="32">?</text>`}
  </g>`;
};

const Beam = ({ name, state }) => {
  const x = BEAMS[name];
  return html`<g class=${`beam ${state}`}>
    <line x1=${x} x2=${x} y1=${TOP} y2=${BOTTOM} />
    <circle cx=${x} cy=${TOP} r="2.5" /><circle cx=${x} cy=${BOTTOM} r="2.5" />
    ${state === "unknown" && html`<text x=${x} y="32">?</text>`}
  </g>`;
};

const ARMS = { down: 0, up: 90, moving: 45, stuck: 45, by_hand: 45 }; // degrees, raised towards the platform

const Boom = ({ side, position }) => {
  const x = BOOMS[side];
  const turn = position in ARMS ? ARMS[position] * (side === "entry" ? -1 : 1) : undefined;
  return html`<g class=${`boom ${position}`}>
    ${turn !== undefined &&
    html`<line class="arm" x1=${x} y1=${TOP - 4} x2=${x} y2=${BOTTOM + 2} transform=${`rotate(${turn} ${x} ${TOP - 4})`} />`}
    ${turn === undefined && html`<text x=${x} y="32">?</text>`}
    <circle class="post" cx=${x} cy=${TOP - 4} r="4" />
  </g>`;
};

const Light = ({ side, aspect }) => {
  const x = BOOMS[side] + (side === "entry" ? -14 : 14);
  const y = TOP - 6;
  const marks = { red: `M${x - 3} ${y}h6`, green: `M${x - 3} ${y}h6m-2.5-2.5 2.5 2.5-2.5 2.5` };
  marks.back_out = `M${x + 3} ${y}h-6m2.5-2.5-2.5 2.5 2.5 2.5`;
  return html`<g class=${`light ${aspect ?? "dark"}`}>
    <circle cx=${x} cy=${y} r="5.5" />${marks[aspect] && html`<path d=${marks[aspect]} />`}
  </g>`;
};

function describe(lane) {
  const booms = Object.entries(lane.booms).map(([side, at]) => `${t(`side.${side}`)} ${t(`boom.${at}`)}`);
  const seen = Object.entries(lane.detectors).map(([name, state]) => `${t(`detector.${name}`)} ${t(`presence.${state}`)}`);
  const lights = Object.entries(lane.lights).map(([side, aspect]) => `${t(`light.${side}`)} ${t(`aspect.${aspect}`)}`);
  return [...booms, ...seen, ...lights].join(", ");
}

/** The strip of one lane; `stale` draws it as no longer known. */
export const Strip = ({ lane, stale }) => html`
  <svg class=${stale ? "strip stale" : "strip"} viewBox="0 0 306 50" role="img" aria-label=${describe(lane)}>
    <path class="edge" d=${`M2 ${TOP}H304M2 ${BOTTOM}H304`} />
    ${lane.weight !== undefined &&
    lane.weight !== null &&
    html`<rect
      class=${lane.weight.value_kg > 100 ? "platform loaded" : "platform"}
      x=${PLATFORM[0]}
      y=${TOP + 3}
      width=${PLATFORM[1]}
      height=${BOTTOM - TOP - 6}
      rx="2"
    />`}
    <path class="way" d="M150 24l8 4-8 4M164 24l8 4-8 4M178 24l8 4-8 4" />
    ${Object.keys(LOOPS).map(
      (name) => lane.detectors[name] && html`<${Loop} key=${name} name=${name} state=${lane.detectors[name]} />`,
    )}
    ${Object.keys(BEAMS).map(
      (name) => lane.detectors[name] && html`<${Beam} key=${name} name=${name} state=${lane.detectors[name]} />`,
    )}
    ${Object.keys(BOOMS).map(
      (side) => lane.booms[side] && html`<${Boom} key=${side} side=${side} position=${lane.booms[side]} />`,
    )}
    ${Object.keys(BOOMS).map(
      (side) => lane.lights[side] && html`<${Light} key=${side} side=${side} aspect=${lane.lights[side]} />`,
    )}
  </svg>
`;

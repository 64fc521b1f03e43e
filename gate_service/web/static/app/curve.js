// The last minute of every weight, kept in fixed memory beside what the pages follow, and drawn: small in a lane's row.
import { html } from "./html.js";
import { theme } from "./theme.js";
import { useLayoutEffect, useRef } from "../vendor/hooks.mjs";

export const SECONDS = 60;
const KEPT = 900; // a minute at 15 a second; an indicator sends at most 12.5

/** Times (ms of this page) and masses of one lane, newest last; the oldest give way. */
export class Ring {
  constructor() {
    this.at = new Float64Array(KEPT);
    this.kg = new Float64Array(KEPT);
    this.next = 0;
    this.size = 0;
  }

  /** Keep one weight; NaN for "no weight", which the curve shows as a gap. */
  push(at, kg) {
    this.at[this.next] = at;
    this.kg[this.next] = kg;
    this.next = (this.next + 1) % KEPT;
    this.size = Math.min(this.size + 1, KEPT);
  }

  /** Seconds before `now` (negative) and masses, oldest first; null where there was no weight. */
  read(now) {
    const [x, y] = [[], []];
    for (let i = 0; i < this.size; i++) {
      const place = (this.next - this.size + i + KEPT) % KEPT;
      const ago = (this.at[place] - now) / 1000;
      if (ago < -SECONDS) continue;
      x.push(ago);
      y.push(Number.isNaN(this.kg[place]) ? null : this.kg[place]);
    }
    return [x, y];
  }
}

export const rings = new Map();

export function ringOf(id) {
  if (!rings.has(id)) rings.set(id, new Ring());
  return rings.get(id);
}

const LEAST_TOP_KG = 1000; // an empty platform is a flat line, not its noise

/** Full scale of a curve: a little above its highest point. */
export const topOf = (masses) => Math.max(LEAST_TOP_KG, ...masses.filter((kg) => kg !== null)) * 1.12;

function draw(canvas, ring) {
  const ratio = devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
  if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
  const pen = canvas.getContext("2d");
  pen.setTransform(ratio, 0, 0, ratio, 0, 0);
  pen.clearRect(0, 0, width, height);
  const [x, y] = ring.read(performance.now());
  const top = topOf(y);
  pen.beginPath();
  let isDown = false;
  for (let i = 0; i < x.length; i++) {
    if (y[i] === null) {
      isDown = false;
      continue;
    }
    const [px, py] = [width * (1 + x[i] / SECONDS), height - 1 - (height - 3) * (Math.max(0, y[i]) / top)];
    if (isDown) pen.lineTo(px, py);
    else pen.moveTo(px, py);
    isDown = true;
  }
  pen.strokeStyle = canvas.ink;
  pen.lineWidth = 1.3;
  pen.stroke();
}

/** The last minute, small. Decorative beside the number: its shape tells a truck that rocks from one that stands.
 * Its caller hands it a `beat` that changes with every snapshot: what follows signals is not drawn again without. */
export const Spark = ({ id }) => {
  const place = useRef(null);
  const shown = theme.value;
  useLayoutEffect(() => {
    place.current.ink = getComputedStyle(place.current).color;
  }, [shown]);
  useLayoutEffect(() => draw(place.current, ringOf(id)));
  return html`<canvas class="spark" ref=${place} aria-hidden="true"></canvas>`;
};

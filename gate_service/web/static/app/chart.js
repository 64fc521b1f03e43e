// The weight of the last minute with its axes, and the declared mass that it has to meet.
import { SECONDS, ringOf, topOf } from "./curve.js";
import { html } from "./html.js";
import { number, t } from "./i18n.js";
import { theme } from "./theme.js";
import { useEffect, useRef } from "../vendor/hooks.mjs";

const HEIGHT = 116;
const library = import("../vendor/uPlot.mjs"); // asked for at once, waited for by nobody: the numbers come first

function inks(box) {
  const style = getComputedStyle(box);
  const of = (name) => style.getPropertyValue(name).trim();
  return { line: of("--curve"), fill: of("--curve-fill"), grid: of("--line"), ink: of("--dim"), mark: of("--mark") };
}

/** A dashed line at the declared mass and, where the tolerance is known, a band around it. */
function drawDeclared(plot, wanted, colours) {
  if (!wanted) return;
  const { ctx, bbox } = plot;
  const y = (kg) => Math.min(Math.max(plot.valToPos(kg, "y", true), bbox.top), bbox.top + bbox.height);
  ctx.save();
  if (wanted.allowed) {
    ctx.globalAlpha = 0.16;
    ctx.fillStyle = colours.mark;
    const above = y(wanted.declared + wanted.allowed);
    ctx.fillRect(bbox.left, above, bbox.width, y(wanted.declared - wanted.allowed) - above);
    ctx.globalAlpha = 1;
  }
  ctx.strokeStyle = colours.mark;
  ctx.setLineDash([6, 4]);
  ctx.lineWidth = devicePixelRatio || 1;
  ctx.beginPath();
  ctx.moveTo(bbox.left, y(wanted.declared));
  ctx.lineTo(bbox.left + bbox.width, y(wanted.declared));
  ctx.stroke();
  ctx.restore();
}

const FONT = "11px system-ui, sans-serif";

function options(box, wanted) {
  const colours = inks(box);
  const axis = { stroke: colours.ink, grid: { stroke: colours.grid, width: 1 }, ticks: { show: false }, font: FONT };
  return {
    width: box.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    padding: [8, 10, 0, 0],
    scales: {
      x: { time: false, range: [-SECONDS, 0] },
      y: { range: (_, low, high) => [Math.min(0, low ?? 0), topOf([high, wanted.current?.declared ?? 0])] },
    },
    axes: [
      { ...axis, size: 20, gap: 3, splits: [-60, -45, -30, -15, 0], values: (_, all) => all.map((s) => (s ? `${s}` : "0 s")) },
      { ...axis, size: 52, gap: 4, values: (_, all) => all.map(number), space: 28 },
    ],
    series: [{}, { stroke: colours.line, fill: colours.fill, width: 1.6, points: { show: false } }],
    hooks: { draw: [(plot) => drawDeclared(plot, wanted.current, colours)] },
  };
}

/** The chart of one lane; `wanted` {declared, allowed} in kg, or null. Drawn anew with each of the lane's snapshots. */
export const Chart = ({ lane, wanted }) => {
  const [box, plot, asked] = [useRef(null), useRef(null), useRef(wanted)];
  asked.current = wanted;
  const shown = theme.value;
  useEffect(() => {
    let isGone = false;
    const sized = new ResizeObserver(([one]) => plot.current?.setSize({ width: one.contentRect.width, height: HEIGHT }));
    library.then(({ default: UPlot }) => {
      if (isGone) return;
      plot.current = new UPlot(options(box.current, asked), ringOf(lane.id).read(performance.now()), box.current);
      sized.observe(box.current);
    });
    return () => {
      isGone = true;
      sized.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [lane.id, shown]);
  useEffect(() => plot.current?.setData(ringOf(lane.id).read(performance.now())));
  const now = lane.weight?.value_kg;
  const told = t("weight.curve", { seconds: SECONDS, now: now == null ? "–" : number(now) });
  return html`<div class="chart" ref=${box} role="img" aria-label=${told}></div>`;
};

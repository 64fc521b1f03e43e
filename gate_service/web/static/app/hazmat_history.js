// What the storage units held over time: S as steps, the highest beside the last, and the same as a table.
import { signal } from "../vendor/signals.mjs";
import { useEffect, useRef } from "../vendor/hooks.mjs";
import { get } from "./api.js";
import { stock } from "./hazmat_feed.js";
import { when } from "./hazmat_sheet.js";
import { html } from "./html.js";
import { t } from "./i18n.js";
import { theme } from "./theme.js";

const HEIGHT = 180;
const SPANS = [1, 7, 30, 180]; // days
const FONT = "11px system-ui, sans-serif";
const library = import("../vendor/uPlot.mjs");

const days = signal(7);
const unit = signal(null);
const told = signal(null);

async function load() {
  told.value = await get(`/api/v1/hazmat/history?days=${days.value}`).catch(() => null);
}

const figure = (value) => (value == null ? "–" : String(Number(value.toPrecision(4))));
const two = (n) => String(n).padStart(2, "0");
/** A tick of the time axis: the day where ticks are a day apart, else the hour. */
function moment(at, step) {
  const time = new Date(at * 1000);
  return step >= 86400 ? `${two(time.getMonth() + 1)}-${two(time.getDate())}` : `${two(time.getHours())}:${two(time.getMinutes())}`;
}
const seconds = (at) => Date.parse(at) / 1000;

/** A unit stays as it was between its points, and from the last one until now. */
function columns(points, until) {
  const times = points.map((point) => seconds(point.at));
  const last = points.at(-1);
  return [[...times, seconds(until)], [...points.map((point) => point.s), last.s], [...points.map((point) => point.s_highest), last.s]];
}

function drawLimits(plot, ink, limits) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.strokeStyle = ink.mark;
  ctx.lineWidth = devicePixelRatio || 1;
  limits.forEach((limit, place) => {
    const y = plot.valToPos(limit, "y", true);
    if (y < bbox.top || y > bbox.top + bbox.height) return;
    ctx.setLineDash(place === 0 ? [5, 4] : []);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
  });
  ctx.restore();
}

function options(UPlot, box, limits) {
  const style = getComputedStyle(box);
  const of = (name) => style.getPropertyValue(name).trim();
  const ink = { line: of("--curve"), highest: of("--dim"), grid: of("--line"), text: of("--dim"), mark: of("--bad-line") };
  const axis = { stroke: ink.text, grid: { stroke: ink.grid, width: 1 }, ticks: { show: false }, font: FONT };
  const steps = UPlot.paths.stepped({ align: 1 });
  return {
    width: box.clientWidth,
    height: HEIGHT,
    legend: { show: false },
    cursor: { show: false },
    scales: { y: { range: (_, low, high) => [0, Math.max(1.1, (high ?? 0) * 1.1)] } },
    axes: [{ ...axis, values: (_, at, __, ___, step) => at.map((s) => moment(s, step)) }, { ...axis, size: 44 }],
    series: [
      {},
      { stroke: ink.line, width: 2, paths: steps, points: { show: false } },
      { stroke: ink.highest, width: 1, dash: [2, 3], paths: steps, points: { show: false } },
    ],
    hooks: { draw: [(plot) => drawLimits(plot, ink, limits)] },
  };
}

const Chart = ({ points, until, name }) => {
  const [box, plot] = [useRef(null), useRef(null)];
  const shown = theme.value;
  const limits = [stock.value.warns_from ?? 0.8, stock.value.alarms_from ?? 1];
  useEffect(() => {
    let isGone = false;
    const sized = new ResizeObserver(() => plot.current?.setSize({ width: box.current.clientWidth, height: HEIGHT }));
    library.then(({ default: UPlot }) => {
      if (isGone) return;
      plot.current = new UPlot(options(UPlot, box.current, limits), columns(points, until), box.current);
      sized.observe(box.current);
    });
    return () => {
      isGone = true;
      sized.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [shown, points]);
  const last = points.at(-1);
  const highest = Math.max(...points.map((point) => point.s_highest));
  return html`<div class="chart" ref=${box} role="img" aria-label=${t("authority.history.told", { unit: name, last: figure(last.s), highest: figure(highest) })}></div>`;
};

const Table = ({ points, step }) => html`<details>
  <summary>${t("authority.history.table")}</summary>
  <div class="scroll" tabindex="0" role="region" aria-label=${t("authority.history.table")}>
    <table>
      <thead><tr><th>${t(`authority.history.${step}`)}</th><th>${t("authority.history.last")}</th><th>${t("authority.history.highest")}</th></tr></thead>
      <tbody>${points.map((point, place) => html`<tr key=${place}><td>${when(point.at)}</td><td class="figure">${figure(point.s)}</td><td class="figure">${figure(point.s_highest)}</td></tr>`)}</tbody>
    </table>
  </div>
</details>`;

export const History = () => {
  // Loaded anew with the span, and with every event that changed the stock.
  useEffect(() => void load(), [days.value, stock.value?.record]);
  const units = told.value?.units ?? [];
  const chosen = units.find((one) => one.storage_unit === unit.value) ?? units[0];
  return html`<section class="card history" aria-label=${t("authority.history")}>
    <h2>${t("authority.history")}</h2>
    <div class="head">
      <label><span class="hidden">${t("authority.unit")}</span>
        <select value=${chosen?.storage_unit ?? ""} onChange=${(event) => (unit.value = event.target.value)}>
          ${units.map((one) => html`<option key=${one.storage_unit} value=${one.storage_unit}>${one.storage_unit || t("authority.no_unit")}</option>`)}
        </select></label>
      <div role="group" aria-label=${t("authority.history.span")} class="groups">
        ${SPANS.map((span) => html`<button key=${span} type="button" aria-pressed=${days.value === span} onClick=${() => (days.value = span)}>${t("authority.history.days", { n: span })}</button>`)}
      </div>
    </div>
    ${chosen
      ? html`<${Chart} points=${chosen.points} until=${told.value.until_at} name=${chosen.storage_unit || t("authority.no_unit")} />
          <p class="dim">${t("authority.history.legend")}</p>
          <${Table} points=${chosen.points} step=${chosen.step} />`
      : html`<p class="dim">${t("authority.history.none")}</p>`}
  </section>`;
};

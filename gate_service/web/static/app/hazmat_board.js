// The live board: units, enterprises and classes with their stock, S and R with every term, and the plan of the zone.
import { signal } from "../vendor/signals.mjs";
import { holds, stock } from "./hazmat_feed.js";
import { Workbooks } from "./hazmat_exports.js";
import { className } from "./hazmat_sheet.js";
import { html, Mark } from "./html.js";
import { has, number, t, told } from "./i18n.js";

const GROUPS = ["unit", "enterprise", "class"];
const group = signal("unit");
const MARKS = { normal: "check", warning: "bolt", alarm: "flame" };
const TONES = { normal: "good", warning: "warn", alarm: "bad" };

const unitName = (id) => told(stock.value.zone?.units.find((one) => one.id === id)?.name);
const figure = (value) => (value == null ? "–" : String(Number(value.toPrecision(6))));
const word = (family, key) => (has(family + key) ? t(family + key) : key);
/** A note may carry the hazard it is about: category_unknown_6.1. */
const note = (text) => {
  const about = /^(category_unknown)_(.+)$/.exec(text);
  return about ? t("authority.note.category_unknown", { hazard: about[2] }) : word("authority.note.", text);
};

const State = ({ state }) =>
  html`<span class=${`badge ${TONES[state]}`}><${Mark} name=${MARKS[state]} />${t(`authority.state.${state}`)}</span>`;

const Grading = ({ sums }) =>
  sums.r == null
    ? html`<span>R –: ${sums.r_missing.map((why) => word("authority.missing.", why)).join("; ")}</span>`
    : html`<span>R ${figure(sums.r)} · α ${figure(sums.alpha)} · ${t("authority.level", { level: sums.r_level })}</span>`;

const Terms = ({ sums }) => html`<details>
  <summary>${t("authority.terms", { n: sums.terms.length, left: sums.not_counted.length })}</summary>
  ${sums.terms.length > 0 &&
  html`<table class="terms">
    <thead><tr><th>${t("authority.column.name")}</th><th>q t</th><th>Q t</th><th>q/Q</th><th>β</th><th>${t("authority.column.matched")}</th></tr></thead>
    <tbody>${sums.terms.map(
      (term, place) => html`<tr key=${place}>
        <td>UN ${term.un_no} ${term.name}</td><td>${figure(term.q_t)}</td><td>${figure(term.threshold_t)}</td><td>${figure(term.ratio)}</td><td>${figure(term.beta)}</td>
        <td>${t(`authority.matched.${term.matched}`)} ${term.row} ${term.row_name}${term.notes.map((one) => html`<br /><em>${note(one)}</em>`)}</td>
      </tr>`,
    )}</tbody>
  </table>`}
  ${sums.not_counted.length > 0 &&
  html`<h4>${t("authority.not_counted")}</h4>
    <ul>${sums.not_counted.map(
      (row, place) => html`<li key=${place}>UN ${row.un_no || "?"} ${row.name} ${row.net_kg == null ? "" : `${number(row.net_kg)} kg`}: ${word("authority.because.", row.because)}${row.rows?.length ? ` (${row.rows.join(", ")})` : ""}</li>`,
    )}</ul>`}
</details>`;

const Balances = ({ rows, isUnitShown }) => html`<ul class="balances">
  ${rows.map(
    (row, place) => html`<li key=${place} class=${row.unmatched ? "unmatched" : ""}>
      <b>UN ${row.un_no || "?"}</b> <span>${row.name || row.goods_name || ""}</span>
      <span class="dim">${row.class ?? "?"}${isUnitShown ? ` · ${row.storage_unit || t("authority.no_unit")}` : ` · ${row.enterprise || row.customs_code || "–"}`}</span>
      <span class="figure">${number(row.net_kg)} kg${row.unmatched ? ` ${t("authority.because.unmatched")}` : ""}${row.unknown_lines ? ` ${t("authority.unknown_lines", { n: row.unknown_lines })}` : ""}</span>
    </li>`,
  )}
</ul>`;

const held = (type, id) => holds.value.filter((one) => !one.lifted_at && one.target.type === type && one.target.id === id);

const Held = ({ type, id }) =>
  held(type, id).map((one) => html`<p key=${one.id} class="held"><${Mark} name="hand" />${t("authority.held")}: ${one.reason}</p>`);

const Unit = ({ sums }) => html`<article class=${`unit ${TONES[sums.state]}`} data-unit=${sums.storage_unit}>
  <header><h3>${sums.storage_unit || t("authority.no_unit")} <span class="dim">${unitName(sums.storage_unit)}</span></h3><${State} state=${sums.state} /></header>
  <p class="sums"><b>S ${figure(sums.s)}</b> <${Grading} sums=${sums} /></p>
  <${Held} type="unit" id=${sums.storage_unit} />
  <${Balances} rows=${stock.value.balances.filter((row) => row.storage_unit === sums.storage_unit)} />
  <${Terms} sums=${sums} />
  <a class="button" href=${`#unit=${encodeURIComponent(sums.storage_unit)}`}>${t("authority.sheet")}<span class="hidden"> ${sums.storage_unit}</span></a>
</article>`;

const Enterprise = ({ sums }) => html`<article class=${`unit ${TONES[sums.state]}`} data-enterprise=${sums.customs_code}>
  <header><h3>${sums.name || sums.customs_code || "–"} <span class="dim">${sums.customs_code}</span></h3><${State} state=${sums.state} /></header>
  <p class="sums"><b>S ${figure(sums.s)}</b> <${Grading} sums=${sums} /></p>
  <${Held} type="enterprise" id=${sums.customs_code} />
  <${Balances} rows=${stock.value.balances.filter((row) => row.customs_code === sums.customs_code)} isUnitShown />
  <${Terms} sums=${sums} />
</article>`;

const Class = ({ hazard }) => html`<article class="unit" data-class=${hazard}>
  <header><h3>${hazard || "?"} <span class="dim">${className(hazard)}</span></h3></header>
  <${Balances} rows=${stock.value.balances.filter((row) => (row.class ?? "") === hazard)} isUnitShown />
</article>`;

function cards() {
  const found = stock.value;
  if (group.value === "unit") return found.units.map((sums) => html`<${Unit} key=${sums.storage_unit} sums=${sums} />`);
  if (group.value === "enterprise") return found.enterprises.map((sums) => html`<${Enterprise} key=${sums.customs_code} sums=${sums} />`);
  const classes = [...new Set(found.balances.map((row) => row.class ?? ""))].sort();
  return classes.map((hazard) => html`<${Class} key=${hazard} hazard=${hazard} />`);
}

/** Rectangles of the configuration, in per mille; the state is told by word and mark too. */
export const Plan = () => {
  const drawn = (stock.value.zone?.units ?? []).filter((one) => one.plan);
  if (drawn.length === 0) return null;
  return html`<section class="plan card"><h2>${t("authority.plan")}</h2>
    <svg viewBox="0 0 1000 600">
      ${drawn.map((one) => {
        const sums = stock.value.units.find((unit) => unit.storage_unit === one.id);
        const [x, y, w, h] = one.plan.map((part, place) => (place % 2 ? part * 0.6 : part));
        return html`<a key=${one.id} href=${`#unit=${encodeURIComponent(one.id)}`}>
          <rect class=${sums?.state ?? "normal"} x=${x} y=${y} width=${w} height=${h} />
          <text x=${x + w / 2} y=${y + h / 2 - 6}>${one.id}</text>
          <text class="small" x=${x + w / 2} y=${y + h / 2 + 24}>S ${figure(sums?.s)} ${t(`authority.state.${sums?.state ?? "normal"}`)}</text>
        </a>`;
      })}
    </svg>
  </section>`;
};

export const Board = () => html`<section class="board" aria-label=${t("authority.board")}>
  <div class="head">
    <h2>${t("authority.board")}</h2>
    <div role="group" aria-label=${t("authority.group")} class="groups">
      ${GROUPS.map((one) => html`<button key=${one} type="button" aria-pressed=${group.value === one} onClick=${() => (group.value = one)}>${t(`authority.by.${one}`)}</button>`)}
    </div>
    <a class="button" href="/api/v1/hazmat/inventory.csv" download>${t("authority.csv.inventory")}</a>
    <a class="button" href="/api/v1/hazmat/entries.csv" download>${t("authority.csv.entries")}</a>
    <${Workbooks} />
  </div>
  <p class="source">${t("authority.indicator", { edition: stock.value.edition ?? "–" })}</p>
  <div class="units">${cards()}</div>
</section>`;

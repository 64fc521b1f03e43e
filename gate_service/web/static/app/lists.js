// Lists of rows: columns by name, each with the way its cell is written. Shared by registers and reports.
import { html, Mark, tone, verdictMark } from "./html.js";
import { number, t, told } from "./i18n.js";

export const when = (at) => (at ? new Date(at).toLocaleString("sv-SE").slice(0, 16) : "–");
const text = (value) => value ?? "–";
const GOOD = ["valid", "open", "complete", "closed"];
const BAD = ["expired", "void", "exceeded", "short"];
const toneOf = (state) => (GOOD.includes(state) ? "good" : BAD.includes(state) ? "bad" : "warn");

export const Badge = ({ tone: of, mark, children }) => html`<span class=${`badge ${of}`}><${Mark} name=${mark} />${children}</span>`;
const state = (value) => html`<${Badge} tone=${toneOf(value)} mark=${toneOf(value) === "good" ? "check" : "dot"}>${t(`list.state.${value}`)}<//>`;
const late = (value) => value && html`<${Badge} tone="bad" mark="clock">${t("list.late")}<//>`;
const plate = (value) => (value ? html`<span class="plate">${value}</span>` : "–");
const code = (value) => (value ? html`<code>${value}</code>` : "–");
const amount = (value) => (value == null ? "–" : number(value));
const word = (prefix) => (value) => (value ? t(`${prefix}${value}`) : "–");
const several = (values) => (values ?? []).join(", ") || "–";

const verdict = (value) => html`<${Badge} tone=${tone.verdict(value)} mark=${verdictMark(value)}>${t(`verdict.${value}`)}<//>`;
const checks = (found) => html`<ul>${found.map((check, at) => html`<li key=${at}>${told(check.text)}</li>`)}</ul>`;
const reasons = (codes) => html`<ul>${codes.map((one) => html`<li key=${one}>${t(`check.${one}`)}</li>`)}</ul>`;
const trucks = (found) => html`<details><summary>${t("list.trucks", { n: found.length })}</summary>
  <ol>${found.map(
    (one) => html`<li key=${one.passage_id}>${plate(one.plate)} ${number(one.gross_kg)} kg ${one.quantity == null ? "" : `· ${number(one.quantity)}`} ${when(one.at)} ${one.state === "reserved" && html`<b>${t("list.on_the_way")}</b>`} ${one.is_last && html`<b>${t("list.last")}</b>`}</li>`,
  )}</ol></details>`;
const result = (found, row) =>
  found === null
    ? html`<${Badge} tone="warn" mark="search">${t("list.result.open")}<//>`
    : html`<${Badge} tone=${found ? "bad" : "good"} mark=${found ? "hand" : "check"}>${t(found ? "list.result.found" : "list.result.nothing")}<//> <span>${row.result}</span> <span class="dim">${row.done_by} ${when(row.done_at)}</span>`;

const CELLS = {
  plate, slip_no: code, number: code, customs_code: code, state, verdict, checks, reasons, direction: word("direction."),
  category: word("category."), origin: word("list.origin."), place: word("list.place."), credit: text, found: result,
  is_overdue: late, is_overstay: late, is_late: late, is_drifting: late, passages: trucks, slips: several, goods: several,
  history_kg: several, is_last_passed: late, kind: (value) => (value === "total" ? t("list.total") : t(`kind.${value}`)),
};

function cell(name, row) {
  const value = row[name];
  if (CELLS[name]) return CELLS[name](value, row);
  if (name.endsWith("_at")) return when(value);
  return typeof value === "number" ? amount(value) : text(value);
}

const isNumber = (name) => /_(kg|pct|s|h|days)$|^(hours|minutes|count|passages_n|interceptions|inspections|results|hits)$/.test(name);

/** A table of rows; `act` writes what can be done with one, where something can. */
export const List = ({ label, columns, rows, act }) => html`<div class="scroll" tabindex="0" role="region" aria-label=${label}>
  <table>
    <thead><tr>${columns.map((name) => html`<th key=${name} class=${isNumber(name) ? "figure" : ""}>${t(`column.${name}`)}</th>`)}${act && html`<th><span class="hidden">${t("list.act")}</span></th>`}</tr></thead>
    <tbody>${rows.map(
      (row, at) => html`<tr key=${row.slip_no ?? row.number ?? row.passage_id ?? row.plate ?? at}>
        ${columns.map((name) => html`<td key=${name} class=${isNumber(name) ? "figure" : ""}>${cell(name, row)}</td>`)}${act && html`<td>${act(row)}</td>`}
      </tr>`,
    )}</tbody>
  </table>
  ${rows.length === 0 && html`<p class="dim">${t("list.none")}</p>`}
</div>`;

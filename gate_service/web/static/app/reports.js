// What is counted over a period: interceptions, inspections and hits apart; how long passages take; draws to check.
import { signal } from "../vendor/signals.mjs";
import { get, loadSession } from "./api.js";
import { DemoBanner, problemText, TopBar } from "./chrome.js";
import { html, Mark, render } from "./html.js";
import { startTexts, t } from "./i18n.js";
import { List } from "./lists.js";

const BY = ["enterprise", "credit", "goods"];
const RISK = ["key", "name", "passages_n", "interceptions", "inspections", "results", "hits"];
const FLOW = ["kind", "direction", "passages_n", "without_interception_pct", "median_to_boom_s"];
const day = (at) => new Date(at - new Date().getTimezoneOffset() * 60000).toISOString().slice(0, 10);
const DAY_MS = 86400000;

const since = signal(day(Date.now() - 6 * DAY_MS));
const until = signal(day(Date.now()));
const by = signal("enterprise");
const risk = signal(null);
const flow = signal(null);
const draws = signal([]);
const problem = signal(null);

/** Whole days of this terminal's own time, the last one included. */
function period() {
  const start = new Date(`${since.value}T00:00:00`);
  const end = new Date(new Date(`${until.value}T00:00:00`).getTime() + DAY_MS);
  return `since=${encodeURIComponent(start.toISOString())}&until=${encodeURIComponent(end.toISOString())}`;
}

async function load() {
  problem.value = null;
  try {
    [risk.value, flow.value] = await Promise.all([get(`/api/v1/reports/risk?by=${by.value}&${period()}`), get(`/api/v1/reports/flow?${period()}`)]);
    draws.value = (await get("/api/v1/reports/draws")).days;
  } catch (found) {
    problem.value = found.code ? found : { code: "input_invalid", message: String(found) };
  }
}

const change = (of) => (event) => {
  of.value = event.target.value;
  load();
};
const counted = (row) => ({ ...row, passages_n: row.passages });
const Csv = ({ name, query }) => html`<a class="button" href=${`/api/v1/reports/${name}.csv?${query}`} download>CSV<span class="hidden"> ${t(`report.${name}`)}</span></a>`;

const Risk = () => html`<section class="card">
  <header><h2>${t("report.risk")}</h2>
    <label><span class="hidden">${t("report.by")}</span><select value=${by.value} onChange=${change(by)}>${BY.map((one) => html`<option key=${one} value=${one}>${t(`report.by.${one}`)}</option>`)}</select></label>
    <${Csv} name="risk" query=${`by=${by.value}&${period()}`} /></header>
  <p class="dim">${t("report.risk.text")}</p>
  ${risk.value && html`<${List} label=${t("report.risk")} columns=${RISK} rows=${[...risk.value.rows, { ...risk.value.total, key: t("list.total") }].map(counted)} />`}
</section>`;

const Flow = () => html`<section class="card">
  <header><h2>${t("report.flow")}</h2><${Csv} name="flow" query=${period()} /></header>
  <p class="dim">${t("report.flow.text")}</p>
  ${flow.value && html`<${List} label=${t("report.flow")} columns=${FLOW} rows=${[...flow.value.rows, { ...flow.value.total, kind: "total" }].map(counted)} />`}
</section>`;

const Draws = () => html`<section class="card">
  <h2>${t("report.draws")}</h2><p class="dim">${t("report.draws.text")}</p>
  <div class="scroll" tabindex="0" role="region" aria-label=${t("report.draws")}><table>
    <thead><tr>${["day", "sha256", "secret", "draws"].map((name) => html`<th key=${name}>${t(`column.${name}`)}</th>`)}</tr></thead>
    <tbody>${draws.value.map((one) => html`<tr key=${one.day}><td>${one.day}</td><td><code>${one.sha256}</code></td><td>${one.is_revealed ? html`<code>${one.secret}</code>` : html`<span class="dim">${t("report.not_yet")}</span>`}</td><td class="figure">${one.count}</td></tr>`)}</tbody>
  </table></div>
</section>`;

const Reports = () => {
  document.title = t("page./reports");
  return html`<div class="lists">
    <${DemoBanner} /><${TopBar} live=${false} />
    <main>
      <h1 class="hidden">${t("page./reports")}</h1>
      <form class="inline period" onSubmit=${(event) => event.preventDefault()}>
        <label><span>${t("report.since")}</span><input type="date" required value=${since.value} onChange=${change(since)} /></label>
        <label><span>${t("report.until")}</span><input type="date" required value=${until.value} onChange=${change(until)} /></label>
      </form>
      ${problem.value && html`<div class="refused" role="alert"><p><${Mark} name="cross" />${problemText(problem.value)}</p><p class="detail" lang="en">${problem.value.message}</p></div>`}
      <${Risk} /><${Flow} /><${Draws} />
    </main>
  </div>`;
};

await startTexts();
await loadSession();
await load();
render(html`<${Reports} />`, document.getElementById("app"));

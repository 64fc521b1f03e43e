// What the site keeps: one list at a time with search, its form above it, its acts beside each line.
import { signal } from "../vendor/signals.mjs";
import { get, loadSession, newKey, post, session } from "./api.js";
import { DemoBanner, problemText, TopBar } from "./chrome.js";
import { GoodsForm } from "./gate_form.js";
import { html, Mark, render } from "./html.js";
import { startTexts, t } from "./i18n.js";
import { List, when } from "./lists.js";

const COLUMNS = {
  preassessed: ["slip_no", "plate", "direction", "enterprise", "verdict", "checks", "assessed_at"],
  declarations: ["number", "state", "total_gross_kg", "passed_gross_kg", "remaining_kg", "allowed_kg", "passages"],
  inspections: ["plate", "slips", "enterprise", "place", "reasons", "ordered_at", "found"],
  goods: ["slip_no", "state", "plate", "direction", "category", "enterprise", "goods", "total_kg", "made_by", "made_at"],
  vehicles: ["plate", "state", "origin", "valid_from_at", "valid_until_at", "longest_stay_h", "note", "changed_by"],
  inside: ["plate", "since_at", "hours", "longest_stay_h", "is_overstay", "came_in_kg"],
  tares: ["plate", "count", "newest_kg", "age_days", "median_kg", "drift_kg", "is_drifting", "history_kg"],
  temporary_exits: ["slip_no", "plate", "customs_code", "left_at", "due_at", "returned_at", "is_overdue"],
  between_gates: ["slip_no", "plate", "direction", "passed_first_at", "minutes", "is_late"],
};
const chosen = signal("preassessed");
const answer = signal(null);
const search = signal("");
const problem = signal(null);
const done = signal(null);
const asking = signal(null);
let turn = 0;

const maySee = (name) => name !== "between_gates" || (answer.value?.gate ?? "single") !== "single";
const mayChange = () => session.value.role === "supervisor";
const mayWork = () => ["operator", "supervisor", "customs"].includes(session.value.role);

async function load() {
  const mine = ++turn;
  const found = await get(`/api/v1/registers/${chosen.value}?q=${encodeURIComponent(search.value)}`).catch((error) => ({ error }));
  if (mine !== turn) return; // an older question answered late
  if (found.error) problem.value = found.error;
  else answer.value = found;
}

function open() {
  const wanted = location.hash.slice(1);
  chosen.value = COLUMNS[wanted] ? wanted : "preassessed";
  [problem.value, done.value, asking.value] = [null, null, null];
  load();
}
addEventListener("hashchange", open);

async function attempt(work) {
  [problem.value, done.value] = [null, null];
  try {
    done.value = await work();
    asking.value = null;
    await load();
    return true;
  } catch (found) {
    problem.value = found;
    return false;
  }
}

const sent = (path, fields) => async (event) => {
  event.preventDefault();
  const given = Object.fromEntries(new FormData(event.target));
  await attempt(async () => {
    await post(`/api/v1/registers/${path}`, fields(given));
    return t("list.done");
  });
};

/** A button that asks for the reason before it acts. */
const WithReason = ({ id, label, path, fields = (given) => given, children }) =>
  asking.value === id
    ? html`<form class="inline" onSubmit=${sent(path, fields)}>
        ${children}
        <label><span>${t(children ? "list.what" : "authority.reason")}</span><input name=${children ? "what" : "reason"} required=${!children} maxlength="1000" autocomplete="off" /></label>
        <button class="confirm">${t(label)}</button>
      </form>`
    : html`<button type="button" class="quiet" onClick=${() => (asking.value = id)}>${t(label)}<span class="hidden"> ${id}</span></button>`;

const Found = () => html`<label><span>${t("column.found")}</span><select name="found"><option value="">${t("list.result.nothing")}</option><option value="1">${t("list.result.found")}</option></select></label>`;
const seg = encodeURIComponent;
const ACTS = {
  goods: (row) => mayChange() && row.state === "open" && html`<${WithReason} id=${row.slip_no} label="list.void" path=${`goods/${seg(row.slip_no)}/void`} />`,
  vehicles: (row) => mayChange() && row.origin === "site" && row.state !== "ended" && html`<${WithReason} id=${row.plate} label="list.end" path=${`vehicles/${seg(row.plate)}/end`} />`,
  inside: (row) => mayChange() && html`<${WithReason} id=${row.plate} label="list.gone" path=${`inside/${seg(row.plate)}`} fields=${(given) => ({ ...given, inside: false })} />`,
  temporary_exits: (row) => mayChange() && !row.returned_at && html`<${WithReason} id=${row.slip_no} label="list.returned" path=${`temporary_exits/${seg(row.slip_no)}/return`} />`,
  inspections: (row) => mayWork() && row.found === null && html`<${WithReason} id=${row.passage_id} label="list.result" path=${`inspections/${seg(row.passage_id)}/result`} fields=${(given) => ({ found: Boolean(given.found), what: given.what })}><${Found} /><//>`,
};

const moment = (value) => (value ? new Date(value).toISOString() : null);
const vehicle = (given) => ({
  plate: given.plate, note: given.note, longest_stay_h: given.longest_stay_h ? Number(given.longest_stay_h) : null,
  valid_from_at: moment(given.valid_from_at), valid_until_at: moment(given.valid_until_at),
});
const VehicleForm = () => html`<form class="inline" onSubmit=${sent("vehicles", vehicle)}>
  <label><span>${t("column.plate")}</span><input name="plate" required maxlength="16" autocomplete="off" spellcheck="false" /></label>
  <label><span>${t("column.valid_from_at")}</span><input name="valid_from_at" type="datetime-local" /></label>
  <label><span>${t("column.valid_until_at")}</span><input name="valid_until_at" type="datetime-local" /></label>
  <label><span>${t("column.longest_stay_h")}</span><input name="longest_stay_h" type="number" min="1" max="100000" /></label>
  <label><span>${t("column.note")}</span><input name="note" maxlength="200" autocomplete="off" /></label>
  <button class="confirm">${t("list.register")}</button>
</form>`;

const register = (form) =>
  attempt(async () => {
    const made = await post("/api/v1/registers/goods", form, { "idempotency-key": newKey() });
    return t("goods.made", { number: made.slip.slip_no });
  });

const Tabs = () => html`<nav class="tabs" aria-label=${t("list.registers")}>
  ${Object.keys(COLUMNS).filter(maySee).map((name) => html`<a key=${name} href=${`#${name}`} aria-current=${chosen.value === name ? "true" : undefined}>${t(`register.${name}`)}</a>`)}
</nav>`;

const Registers = () => {
  document.title = t("page./registers");
  const name = chosen.value;
  const found = answer.value?.register === name ? answer.value : null;
  return html`<div class="lists">
    <${DemoBanner} /><${TopBar} live=${false} />
    <${Tabs} />
    <main class="card" aria-label=${t(`register.${name}`)}>
      <header><h1>${t(`register.${name}`)}</h1>
        <label class="search"><span class="hidden">${t("list.search")}</span><input type="search" placeholder=${t("list.search")} value=${search.value} maxlength="64" onInput=${(event) => { search.value = event.target.value; load(); }} /></label>
        ${found && html`<span class="dim">${t("list.as_of", { n: found.rows.length, at: when(found.as_of) })}</span>`}</header>
      ${problem.value && html`<div class="refused" role="alert"><p><${Mark} name="cross" />${problemText(problem.value)}</p><p class="detail" lang="en">${problem.value.message}</p></div>`}
      ${done.value && html`<p class="done" role="status">${done.value}</p>`}
      ${name === "vehicles" && mayChange() && html`<${VehicleForm} />`}
      ${name === "goods" && mayWork() && html`<${GoodsForm} onSend=${register} />`}
      ${found && html`<${List} label=${t(`register.${name}`)} columns=${COLUMNS[name]} rows=${found.rows} act=${ACTS[name]} />`}
    </main>
  </div>`;
};

await startTexts();
await loadSession();
open();
render(html`<${Registers} />`, document.getElementById("app"));

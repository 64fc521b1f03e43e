// The shift: what is open, hand-over and acceptance, motion to be explained, and everything that was done.
import { signal } from "../vendor/signals.mjs";
import { get, loadSession, post, session } from "./api.js";
import { html, Mark, render } from "./html.js";
import { has, startTexts, t, told } from "./i18n.js";
import { reasonText } from "./reasons.js";
import { attempt, busy, moment, Note, Page, submitted, who } from "./people.js";

const OUTCOMES = {
  motion_unexplained: ["tailgating", "pushed_by_hand", "local_button", "power_cut", "test", "unknown"],
  emergency_raise: ["justified", "not_justified"],
};
const found = signal(null);
const log = signal([]);
const names = signal({});

/** A lane as people call it; its id where it is no longer one of this site. */
const laneName = (id) => (id ? told(names.value[id]) || id : "");

async function load() {
  found.value = await get("/api/v1/shift");
  names.value = Object.fromEntries((await get("/api/v1/lanes")).lanes.map((lane) => [lane.id, lane.name]));
  const number = found.value.shift?.number;
  if (number && session.value.role !== "administrator") await loadLog(number);
}

async function loadLog(number) {
  const records = [];
  for (let after = 0; ; ) {
    const page = await get(`/api/v1/shifts/${number}/log?limit=500&after=${after}`);
    records.push(...page.records);
    if (page.records.length < 500) break;
    after = page.after;
  }
  log.value = records.reverse();
}

const covers = () => ["operator", "supervisor"].includes(session.value.role);

const Settle = ({ matter }) => html`
  <form class="inline" onSubmit=${submitted((form) => post(`/api/v1/matters/${matter.record}/settle`, { outcome: form.get("outcome"), note: form.get("note") || null }), load)}>
    <label><span>${t("shift.outcome")}</span><select name="outcome">
      ${OUTCOMES[matter.kind].map((one) => html`<option key=${one} value=${one}>${t(`outcome.${one}`)}</option>`)}
    </select></label>
    <${Note} label=${t("form.note")} />
    <button class="confirm" disabled=${busy.value}>${t("shift.settle")}</button>
  </form>
`;

const about = (matter) =>
  [laneName(matter.lane), matter.plate, matter.code, matter.count, matter.by && who(matter.by), matter.facts?.what, matter.facts?.reason].filter(Boolean).join(" · ");

const Matters = ({ matters }) => html`
  <section class="card">
    <h2>${t("shift.matters")}</h2>
    ${matters.length === 0 && html`<p><${Mark} name="check" />${t("shift.nothing_open")}</p>`}
    <ul class="matters">
      ${matters.map(
        (matter) => html`<li key=${matter.subject}>
          <strong>${t(`matter.${matter.kind}`)}</strong> ${about(matter)} <span class="dim">${moment(matter.at)}</span>
          ${matter.record && covers() && html`<${Settle} matter=${matter} />`}
        </li>`,
      )}
    </ul>
  </section>
`;

const HandOver = ({ shift }) => html`
  <section class="card">
    <h2>${t("shift.number", { number: shift.number })}</h2>
    <p>${t("shift.begun", { by: who(shift.begun_by), at: moment(shift.begun_at) })}</p>
    ${shift.handed_by && html`<p role="status"><${Mark} name="clock" />${t("shift.handed", { by: who(shift.handed_by), at: moment(shift.handed_at) })}</p>`}
    ${shift.note && html`<blockquote>${shift.note}</blockquote>`}
    ${covers() &&
    html`<form class="inline" onSubmit=${submitted((form) => post("/api/v1/shift/hand-over", { note: form.get("note") || null }), load)}>
        <${Note} label=${t("shift.hand_note")} />
        <button class="confirm" disabled=${busy.value}>${t("shift.hand_over")}</button>
      </form>
      <form class="inline" onSubmit=${submitted((form) => post("/api/v1/shift/accept", { note: form.get("note") || null }), load)}>
        <${Note} label=${t("shift.accept_note")} />
        <button disabled=${busy.value || who(shift.handed_by) === session.value.name}>${t("shift.accept")}</button>
        ${who(shift.handed_by) === session.value.name && html`<p class="dim">${t("shift.not_own")}</p>`}
      </form>`}
  </section>
`;

const Overrides = ({ overrides }) => html`
  <section class="card">
    <h2>${t("shift.overrides")}</h2>
    <table><tbody>${Object.entries(overrides).map(
      ([code, count]) => html`<tr key=${code}><td>${has(`check.${code}`) ? t(`check.${code}`) : code}</td><td>${count}</td></tr>`,
    )}</tbody></table>
    ${Object.keys(overrides).length === 0 && html`<p class="dim">${t("shift.no_overrides")}</p>`}
  </section>
`;

const what = ({ kind, facts }) => {
  if (kind === "command" && facts.command) return t(`command.${facts.command}`);
  return has(`record.${kind}`) ? t(`record.${kind}`) : kind;
};

/** Why, and who else had a part in it: a reader must not have to guess who let a vehicle go. */
const more = ({ facts }) =>
  [
    facts.reason_code && reasonText(facts.reason_code),
    facts.reason,
    facts.waits_for && t("shift.asked"),
    facts.approved_by && t("shift.approved", { by: who(facts.approved_by) }),
  ].filter(Boolean).join(" · ");

const Log = () => html`
  <section class="card wide">
    <h2>${t("shift.log")}</h2>
    <table>
      <thead><tr><th>${t("shift.at")}</th><th>${t("shift.by")}</th><th>${t("shift.what")}</th><th>${t("shift.lane")}</th><th>${t("fact.plate")}</th></tr></thead>
      <tbody>
        ${log.value.map(
          (one) => html`<tr key=${one.record}>
            <td>${moment(one.at)}</td><td>${who(one.by)}</td>
            <td>${what(one)} <span class="dim">${more(one)}</span></td><td>${laneName(one.lane)}</td><td>${one.plate ?? ""}</td>
          </tr>`,
        )}
      </tbody>
    </table>
  </section>
`;

const Shift = () => html`<${Page} title="title.shift">
  ${found.value?.shift && html`<${HandOver} shift=${found.value.shift} />`}
  ${found.value && html`<${Matters} matters=${found.value.matters} /><${Overrides} overrides=${found.value.overrides} />`}
  <${Log} />
<//>`;

await startTexts();
await loadSession();
await attempt(async () => {}, load);
render(html`<${Shift} />`, document.getElementById("app"));

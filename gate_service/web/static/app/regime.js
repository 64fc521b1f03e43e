// The emergency regime: opened by two, counted down, closed; paper entries typed in later; every passage ticked off.
import { signal } from "../vendor/signals.mjs";
import { get, loadSession, post, session } from "./api.js";
import { html, Mark, render } from "./html.js";
import { duration, startTexts, t, told } from "./i18n.js";
import { attempt, busy, Field, moment, Note, Page, SecondPerson, submitted, who } from "./people.js";

const KINDS = ["declared", "non_declared"];
const TYPES = ["1", "2", "3", "4", "5", "6", "7", "unknown"];
const HOURS = [1, 2, 4, 8];
const PAPER = "paper";
const OUTCOMES = ["confirmed", "discrepancy"];

const found = signal(null);
const chosen = signal(null);
const passed = signal([]);
const looked = signal({});
const lanes = signal([]);
const left = signal(0);

const base = (id) => `/api/v1/regimes/${encodeURIComponent(id)}`;
const covers = () => ["operator", "supervisor"].includes(session.value.role);
const reads = () => session.value.role !== "administrator";

async function load() {
  found.value = await get("/api/v1/regimes");
  lanes.value = (await get("/api/v1/lanes")).lanes;
  if (chosen.value === null) chosen.value = found.value.regimes[0]?.id ?? PAPER;
  if (reads()) passed.value = (await get(`${base(chosen.value)}/passages`)).passages;
  tick();
}

// The service's clock counts, not this machine's: only the time since the answer is measured here.
let answeredAt = 0;
let leftThen = 0;
function tick() {
  const open = found.value?.open;
  leftThen = open ? new Date(open.ends_at) - new Date(found.value.now_at) : 0;
  answeredAt = performance.now();
  left.value = leftThen;
}
setInterval(() => {
  if (!found.value?.open) return;
  left.value = Math.max(0, leftThen - (performance.now() - answeredAt));
  if (left.value === 0) attempt(async () => {}, load);
}, 1000);

const terms = (one) => html`
  <p>${one.reason}</p>
  <p class="dim">${one.lane_kinds.map((kind) => t(`kind.${kind}`)).join(", ")} · ${t("regime.types")} ${one.slip_types.map((type) => t(`regime.type.${type}`)).join(", ")}</p>
`;

const Open = ({ regime }) => html`
  <section class="card">
    <h2><span class="badge bad"><${Mark} name="bolt" />${t("regime.open")}</span></h2>
    ${terms(regime)}
    <p role="timer"><strong>${duration(left.value)}</strong> ${t("regime.left", { used: regime.used, passages: regime.passages })}</p>
    <p class="dim">${t("regime.opened_by", { by: who(regime.opened_by), second: who(regime.approved_by), at: moment(regime.opened_at) })}</p>
    <p>${t("regime.allowed")}</p>
    ${covers() &&
    html`<form class="inline" onSubmit=${submitted((form) => post(`${base(regime.id)}/close`, { reason: form.get("reason") }), load)}>
      <${Field} label=${t("regime.close_reason")} name="reason" required />
      <button class="confirm" disabled=${busy.value}>${t("regime.close")}</button>
    </form>`}
  </section>
`;

const Pending = ({ pending }) => html`
  <section class="card">
    <h2>${t("regime.pending", { by: who(pending.by) })}</h2>
    ${terms(pending)}
    ${pending.by === `user:${session.value.name}`
      ? html`<${SecondPerson} requestNo=${pending.request_no} onApprove=${(given) => post(`${base(pending.id)}/approve`, given)} load=${load} />`
      : html`<button class="confirm" disabled=${busy.value} onClick=${() => attempt(() => post(`${base(pending.id)}/approve`, {}), load)}>${t("second.approve")}</button>`}
  </section>
`;

const ask = (form) =>
  post("/api/v1/regimes", {
    reason: form.get("reason"),
    lane_kinds: form.getAll("kind"),
    slip_types: form.getAll("type"),
    ends_at: new Date(Date.now() + Number(form.get("hours")) * 3600e3 - 5e3).toISOString(),
    passages: Number(form.get("passages")),
  });

const Ask = () => html`
  <section class="card">
    <h2>${t("regime.ask")}</h2>
    <p class="dim">${t("regime.ask_text")}</p>
    <form class="inline" onSubmit=${submitted(ask, load)}>
      <${Note} label=${t("act.reason")} name="reason" required />
      <fieldset class="chips"><legend>${t("regime.kinds")}</legend>
        ${KINDS.map((kind) => html`<label key=${kind} class="chip"><input type="checkbox" name="kind" value=${kind} /><span>${t(`kind.${kind}`)}</span></label>`)}
      </fieldset>
      <fieldset class="chips"><legend>${t("regime.types")}</legend>
        ${TYPES.map((type) => html`<label key=${type} class="chip"><input type="checkbox" name="type" value=${type} /><span>${t(`regime.type.${type}`)}</span></label>`)}
      </fieldset>
      <label><span>${t("regime.hours")}</span><select name="hours">${HOURS.map((hours) => html`<option key=${hours} value=${hours}>${hours}</option>`)}</select></label>
      <${Field} label=${t("regime.passages")} name="passages" type="number" min="1" max="500" required />
      <button class="confirm" disabled=${busy.value}>${t("regime.ask")}</button>
    </form>
  </section>
`;

const paper = (form) =>
  post("/api/v1/paper-entries", {
    lane: form.get("lane"),
    crossed_at: new Date(form.get("crossed_at")).toISOString(),
    plate: form.get("plate"),
    slip_nos: form.get("slips").split(/[\s,，、;；]+/).filter(Boolean),
    released_by: form.get("released_by"),
    reason: form.get("reason"),
    paper_no: form.get("paper_no"),
    gross_kg: form.get("gross_kg") ? Number(form.get("gross_kg")) : null,
    regime_id: chosen.value === PAPER ? null : chosen.value,
  });

const Paper = () => html`
  <section class="card">
    <h2>${t("regime.paper")}</h2>
    <p class="dim">${t("regime.paper_text")}</p>
    <form class="inline" onSubmit=${submitted(paper, load)}>
      <label><span>${t("shift.lane")}</span><select name="lane">${lanes.value.map((lane) => html`<option key=${lane.id} value=${lane.id}>${told(lane.name)}</option>`)}</select></label>
      <${Field} label=${t("regime.crossed_at")} name="crossed_at" type="datetime-local" step="1" required />
      <${Field} label=${t("fact.plate")} name="plate" required />
      <${Field} label=${t("fact.slip_nos")} name="slips" />
      <${Field} label=${t("regime.gross_kg")} name="gross_kg" inputmode="decimal" />
      <${Field} label=${t("regime.released_by")} name="released_by" required />
      <${Field} label=${t("regime.paper_no")} name="paper_no" required />
      <${Field} label=${t("act.reason")} name="reason" required />
      <button class="confirm" disabled=${busy.value}>${t("regime.type_in")}</button>
    </form>
  </section>
`;

const choose = (event) => {
  chosen.value = event.target.value;
  looked.value = {};
  attempt(async () => {}, load);
};

const lookUp = (one) =>
  attempt(async () => {
    looked.value = { ...looked.value, [one.passage_id]: await get(`${base(chosen.value)}/passages/${encodeURIComponent(one.passage_id)}`) };
  }, async () => {});

const Now = ({ slip }) => html`<p class="dim">${slip.slip_no}: ${slip.is_known ? (slip.status ?? "") : t("regime.not_known")}
  ${slip.is_revoked ? ` · ${t("regime.revoked")}` : ""}${slip.other_uses ? ` · ${t("regime.other_uses", { count: slip.other_uses })}` : ""}</p>`;

const Tick = ({ one }) => html`
  <form class="inline" onSubmit=${submitted((form) => post(`${base(chosen.value)}/passages/${encodeURIComponent(one.passage_id)}/tick`, { outcome: form.get("outcome"), note: form.get("note") || null }), load)}>
    <label><span>${t("shift.outcome")}</span><select name="outcome">${OUTCOMES.map((outcome) => html`<option key=${outcome} value=${outcome}>${t(`outcome.${outcome}`)}</option>`)}</select></label>
    <${Field} label=${t("form.note")} name="note" />
    <button class="confirm" disabled=${busy.value}>${t("regime.tick")}</button>
  </form>
`;

const Row = ({ one }) => html`<tr>
  <td>${moment(one.crossed_at ?? one.at)}</td><td>${told(lanes.value.find((lane) => lane.id === one.lane)?.name) || one.lane}</td><td>${one.plate ?? ""}</td>
  <td>${one.slips.join(", ")}${looked.value[one.passage_id]?.slips_now.map((slip) => html`<${Now} key=${slip.slip_no} slip=${slip} />`)}</td>
  <td>${t(`regime.state.${one.state}`)} <span class="dim">${who(one.released_by)}</span></td>
  <td>
    ${one.ticked_by
      ? html`<span class=${one.outcome === "confirmed" ? "badge good" : "badge warn"}><${Mark} name=${one.outcome === "confirmed" ? "check" : "search"} />${t(`outcome.${one.outcome}`)}</span>
          <span class="dim">${who(one.ticked_by)} ${moment(one.ticked_at)} ${one.note ?? ""}</span>`
      : html`<button class="quiet" onClick=${() => lookUp(one)}>${t("regime.look_up")}<span class="hidden"> ${one.plate ?? ""}</span></button>
          ${session.value.role === "supervisor" && html`<${Tick} one=${one} />`}`}
  </td>
</tr>`;

const Reconcile = () => html`
  <section class="card wide">
    <h2>${t("regime.reconcile")}</h2>
    <label><span>${t("regime.which")}</span><select value=${chosen.value} onChange=${choose}>
      ${found.value.regimes.map((one) => html`<option key=${one.id} value=${one.id}>${moment(one.opened_at)} ${one.reason}${one.not_reconciled ? ` (${one.not_reconciled})` : ""}</option>`)}
      <option value=${PAPER}>${t("regime.outside")}</option>
    </select></label>
    <table>
      <thead><tr><th>${t("shift.at")}</th><th>${t("shift.lane")}</th><th>${t("fact.plate")}</th><th>${t("fact.slip_nos")}</th><th>${t("regime.how")}</th><th>${t("regime.tick")}</th></tr></thead>
      <tbody>${passed.value.map((one) => html`<${Row} key=${one.passage_id} one=${one} />`)}</tbody>
    </table>
  </section>
`;

const Regime = () => html`<${Page} title="title.regime">
  ${found.value?.open && html`<${Open} regime=${found.value.open} />`}
  ${found.value?.pending && html`<${Pending} pending=${found.value.pending} />`}
  ${found.value && !found.value.open && covers() && html`<${Ask} />`}
  ${found.value && covers() && html`<${Paper} />`}
  ${found.value && reads() && html`<${Reconcile} />`}
<//>`;

await startTexts();
await loadSession();
await attempt(async () => {}, load);
render(html`<${Regime} />`, document.getElementById("app"));

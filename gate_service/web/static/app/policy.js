// The policy workbench: what judges now, what was proposed, and a policy to check, compare and propose.
import { signal } from "../vendor/signals.mjs";
import { get, loadSession, newKey, post, session } from "./api.js";
import { DemoBanner, problemText, TopBar } from "./chrome.js";
import { html, Mark, render } from "./html.js";
import { language, number, startTexts, t } from "./i18n.js";

const KEEPERS = ["supervisor", "administrator"];
const TONES = { in_force: "good", scheduled: "warn", proposed: "warn", replaced: "none", withdrawn: "none" };
const MARKS = { in_force: "check", scheduled: "clock", proposed: "person", replaced: "dot", withdrawn: "cross" };

const book = signal(null);
const draft = signal("");
const mistakes = signal(null);
const compared = signal(null);
const problem = signal(null);
const busy = signal(false);
const approving = signal(null);

const mayKeep = () => KEEPERS.includes(session.value?.role);
const when = (at) =>
  at === null ? "–" : new Date(at).toLocaleString(language.value === "zh" ? "zh-CN" : "en-GB", { hour12: false });
const who = (label) => label?.replace(/^user:/, "") ?? "–";
const load = async () => { book.value = await get("/api/v1/policies"); };

async function attempt(work) {
  problem.value = null;
  busy.value = true;
  try {
    await work();
  } catch (found) {
    problem.value = found;
  }
  busy.value = false;
}

/** The text as a policy, or a mistake at the place where it stops being JSON. */
function written() {
  try {
    return JSON.parse(draft.value);
  } catch (found) {
    compared.value = null;
    mistakes.value = [{ place: "$", expected: "JSON", found: found.message }];
    return null;
  }
}

const check = () =>
  attempt(async () => {
    const policy = written();
    if (policy === null) return;
    compared.value = null;
    mistakes.value = (await post("/api/v1/policies/check", { policy })).problems;
  });

const compare = () =>
  attempt(async () => {
    const policy = written();
    if (policy === null) return;
    mistakes.value = null;
    compared.value = await post("/api/v1/policies/compare", { policy });
  });

function propose(event) {
  event.preventDefault();
  const form = event.target;
  const given = new FormData(form);
  attempt(async () => {
    const policy = written();
    if (policy === null) return;
    const from = given.get("from");
    const from_at = from ? new Date(from).toISOString() : null;
    await post("/api/v1/policies", { policy, from_at, reason: given.get("reason") }, { "idempotency-key": newKey() });
    form.reset();
    draft.value = "";
    mistakes.value = compared.value = null;
    await load();
  });
}

const act = (one, what, body) =>
  attempt(async () => {
    await post(`/api/v1/policies/${encodeURIComponent(one.version)}/${what}`, body);
    approving.value = null;
    await load();
  });

function answered(event, one, what) {
  event.preventDefault();
  act(one, what, Object.fromEntries([...new FormData(event.target)].filter(([, value]) => value !== "")));
}

const show = (one) =>
  attempt(async () => {
    const whole = one.policy ? one : await get(`/api/v1/policies/${encodeURIComponent(one.version)}`);
    draft.value = JSON.stringify(whole.policy, null, 1);
    mistakes.value = compared.value = null;
  });

const State = ({ state }) =>
  html`<span class=${`badge ${TONES[state]}`}><${Mark} name=${MARKS[state]} />${t(`policy.state.${state}`)}</span>`;

const Answer = ({ one }) => html`
  <tr><td colspan="6"><div class="answer">
    ${one.state === "proposed" &&
    html`<form class="inline" onSubmit=${(event) => answered(event, one, "approve")}>
      <p class="dim">${t(one.proposed_by === `user:${session.value.name}` ? "policy.approve.other" : "policy.approve.own")}</p>
      ${one.proposed_by === `user:${session.value.name}` &&
      html`<label><span>${t("form.name")}</span><input name="name" required maxlength="64" autocomplete="off" /></label>
        <label><span>${t("form.password")}</span><input name="password" type="password" required maxlength="128" autocomplete="off" /></label>`}
      <button class="confirm" disabled=${busy.value}>${t("policy.approve")}<span class="hidden"> ${one.version}</span></button>
    </form>`}
    <form class="inline" onSubmit=${(event) => answered(event, one, "withdraw")}>
      <label><span>${t("policy.reason")}</span><input name="reason" required maxlength="1000" /></label>
      <button disabled=${busy.value}>${t("policy.withdraw")}<span class="hidden"> ${one.version}</span></button>
    </form>
  </div></td></tr>
`;

const Row = ({ one }) => html`
  <tr>
    <td><code>${one.version}</code></td><td><${State} state=${one.state} /></td>
    <td>${when(one.in_force_from_at ?? one.from_at)}</td>
    <td>${who(one.proposed_by)}<br /><span class="dim">${when(one.proposed_at)} · ${one.reason}</span></td>
    <td>${who(one.approved_by)}${one.approved_at && html`<br /><span class="dim">${when(one.approved_at)}</span>`}</td>
    <td>
      <button type="button" class="quiet" onClick=${() => show(one)}>${t("policy.show")}<span class="hidden"> ${one.version}</span></button>
      ${mayKeep() && ["proposed", "scheduled"].includes(one.state) &&
      html`<button type="button" class="quiet" aria-expanded=${approving.value === one.version}
        onClick=${() => { approving.value = approving.value === one.version ? null : one.version; }}>
        ${t("policy.answer")}<span class="hidden"> ${one.version}</span></button>`}
    </td>
  </tr>
  ${approving.value === one.version && html`<${Answer} one=${one} />`}
`;

const Versions = () => html`
  <section class="card">
    <h2>${t("policy.in_force")} <code>${book.value.in_force.version}</code></h2>
    <p class="dim">${t(`policy.origin.${book.value.in_force.origin}`)}${book.value.in_force.since_at && ` · ${when(book.value.in_force.since_at)}`}
      <button type="button" class="quiet" onClick=${() => show(book.value.in_force)}>${t("policy.show")}</button></p>
    ${book.value.policies.length === 0
      ? html`<p>${t("policy.none")}</p>`
      : html`<table>
          <thead><tr>${["version", "state", "from", "proposed", "approved", "act"].map((name) => html`<th key=${name}>${t(`policy.column.${name}`)}</th>`)}</tr></thead>
          <tbody>${book.value.policies.map((one) => html`<${Row} key=${one.version} one=${one} />`)}</tbody>
        </table>`}
  </section>
`;

const Mistakes = () =>
  mistakes.value.length === 0
    ? html`<p role="status"><span class="badge good"><${Mark} name="check" />${t("policy.sound")}</span></p>`
    : html`<table role="status">
        <thead><tr>${["place", "expected", "found"].map((name) => html`<th key=${name}>${t(`policy.mistake.${name}`)}</th>`)}</tr></thead>
        <tbody>${mistakes.value.map((one, n) => html`<tr key=${n}><td><code>${one.place}</code></td><td lang="en">${one.expected}</td><td lang="en">${one.found}</td></tr>`)}</tbody>
      </table>`;

const Compared = () => html`
  <p role="status">${t("policy.compared", { compared: number(compared.value.compared), changed: number(compared.value.changed), skipped: number(compared.value.skipped) })}</p>
  ${compared.value.changed > 0 &&
  html`<table>
    <thead><tr>${["passage", "old", "new", "gone", "added"].map((name) => html`<th key=${name}>${t(`policy.change.${name}`)}</th>`)}</tr></thead>
    <tbody>
      ${compared.value.passages.map(
        (one) => html`<tr key=${one.passage}>
          <td>${one.plate ?? "–"}<br /><span class="dim">${one.lane} · ${when(one.opened_at)}</span></td>
          <td>${t(`verdict.${one.old.verdict}`)}<br /><span class="dim">${one.old.tier}</span></td>
          <td>${t(`verdict.${one.new.verdict}`)}<br /><span class="dim">${one.new.tier}</span></td>
          <td>${one.gone.map((code) => t(`check.${code}`)).join(", ") || "–"}</td>
          <td>${one.added.map((code) => t(`check.${code}`)).join(", ") || "–"}</td>
        </tr>`,
      )}
    </tbody>
  </table>`}
`;

const Bench = () => html`
  <section class="card">
    <h2>${t("policy.bench")}</h2>
    <form onSubmit=${propose}>
      <label><span>${t("policy.text")}</span>
        <textarea name="policy" rows="14" spellcheck="false" class="code" required value=${draft.value}
          onInput=${(event) => { draft.value = event.target.value; }}></textarea></label>
      <div class="inline">
        <button type="button" disabled=${busy.value || !draft.value} onClick=${check}>${t("policy.check")}</button>
        <button type="button" disabled=${busy.value || !draft.value} onClick=${compare}>${t("policy.compare")}</button>
      </div>
      ${mistakes.value && html`<${Mistakes} />`}
      ${compared.value && html`<${Compared} />`}
      ${mayKeep() &&
      html`<div class="inline">
        <label><span>${t("policy.from")}</span><input name="from" type="datetime-local" /></label>
        <label><span>${t("policy.reason")}</span><input name="reason" required maxlength="1000" /></label>
        <button class="confirm" disabled=${busy.value || !draft.value}>${t("policy.propose")}</button>
      </div>
      <p class="dim">${t("policy.two")}</p>`}
    </form>
  </section>
`;

const Page = () => {
  document.title = t("title.policy");
  return html`<div class="admin">
    <${DemoBanner} />
    <${TopBar} live=${false}><h1>${t("title.policy")}</h1><//>
    <main>
      ${problem.value &&
      html`<div class="refused" role="alert"><p><${Mark} name="cross" />${problemText(problem.value)}</p><p class="detail" lang="en">${problem.value.message}</p></div>`}
      <${Versions} />${mayKeep() || session.value.role === "auditor" ? html`<${Bench} />` : null}
    </main>
  </div>`;
};

await startTexts();
await loadSession();
await load();
render(html`<${Page} />`, document.getElementById("app"));

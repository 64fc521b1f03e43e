// The lines outside, for engineers: how each stands, what waits, what is parked, what contradicts.
import { loadSession } from "./api.js";
import { DemoBanner, problemText, TopBar } from "./chrome.js";
import { html, Mark, render } from "./html.js";
import { startTexts, t } from "./i18n.js";
import { asked, failed, facts, startAsking } from "./sync_facts.js";
import { Acts, Conflicts, Parked, Rejected } from "./sync_lists.js";
import { age, amount, when } from "./sync_words.js";

const TONES = { up: ["good", "check"], idle: ["none", "dot"], absent: ["none", "dot"], down: ["bad", "cross"] };

const Standing = ({ line, alarm }) => {
  const [tone, mark] = alarm ? ["bad", "bolt"] : (TONES[line] ?? TONES.down);
  return html`<span class=${`badge ${tone}`}><${Mark} name=${mark} />${t(alarm ? "sync.alarm" : `sync.line.${line}`)}</span>`;
};

const Row = ({ name, label, line }) => html`<tr data-line=${name}>
  <th scope="row">${label}</th>
  <td><${Standing} line=${line.line} alarm=${line.alarm} /></td>
  <td>${age(line.last_answer_age_s)}</td>
  <td>${line.down_since_at ? when(line.down_since_at) : ""}</td>
  <td class="why" lang="en">${line.reason ?? ""}</td>
</tr>`;

const Lines = ({ status }) => html`<section class="card wide" aria-label=${t("sync.lines")}>
  <h2>${t("sync.lines")}</h2>
  <div class="scroll" tabindex="0" role="group" aria-label=${t("sync.lines")}><table>
    <thead><tr><th>${t("sync.line")}</th><th>${t("sync.state")}</th><th>${t("sync.last_answer")}</th><th>${t("sync.down_since")}</th><th>${t("sync.reason")}</th></tr></thead>
    <tbody>
      <${Row} name="central" label=${t("sync.line.central")} line=${status.central} />
      ${status.outbox && html`<${Row} name="outbox" label=${t("sync.line.outbox")} line=${status.outbox} />`}
      <${Row} name="authority" label=${t("sync.line.authority")} line=${status.authority} />
    </tbody>
  </table></div>
</section>`;

const Facts = ({ title, rows, children }) => html`<section class="card" aria-label=${title}>
  <h2>${title}</h2>
  <dl>${rows.filter(Boolean).map(([word, value, bad]) => html`<div key=${word} class=${bad ? "bad" : ""}><dt>${word}</dt><dd>${bad && html`<${Mark} name="bolt" />`}${value}</dd></div>`)}</dl>
  ${children}
</section>`;

const Backlog = ({ title, queue }) => html`<${Facts} title=${title} rows=${[
  [t("sync.due"), amount(queue.due)],
  [t("sync.oldest"), queue.oldest_due_at ? when(queue.oldest_due_at) : "—"],
  [t("sync.parked"), amount(queue.parked), queue.parked > 0],
  queue.held ? [t("sync.held"), amount(queue.held), true] : null,
  queue.unacknowledged_s == null ? null : [t("sync.unacknowledged"), age(queue.unacknowledged_s), queue.unacknowledged_s > 10],
  queue.last_ack_at === undefined ? null : [t("sync.last_ack"), queue.last_ack_at ? when(queue.last_ack_at) : "—"],
]} />`;

const Room = ({ room, record, writable }) => html`<${Facts} title=${t("sync.room")} rows=${[
  [t("sync.hours_left"), room.hours_left == null ? t("sync.hours_left.none") : t("sync.hours", { n: amount(room.hours_left) }), room.hours_left != null && room.hours_left < 48],
  [t("sync.fill"), `${amount(room.fill_mb_per_h)} MB/h · ${t(room.measured ? "sync.measured" : "sync.estimated")}`],
  [t("sync.free"), `${amount(room.free_mb)} MB`],
  [t("sync.reserve"), `${amount(room.reserve_mb)} MB`],
  [t("sync.records"), amount(record?.records)],
  [t("sync.writable"), t(writable ? "sync.yes" : "sync.no"), !writable],
]} />`;

const Copy = ({ status }) => html`<${Facts} title=${t("sync.copy")} rows=${[
  status.copy && [t("sync.copy_age"), age(status.copy.as_of_age_s)],
  status.copy && [t("sync.as_of"), status.copy.as_of ? when(status.copy.as_of) : "—"],
  status.copy?.is_resyncing ? [t("sync.resyncing"), t("sync.yes"), true] : null,
  status.copy && [t("sync.applied"), amount(status.copy.applied)],
  status.copy && [t("sync.rejected"), amount(status.copy.rejected), status.copy.rejected > 0],
  [t("sync.clock"), status.clock?.error_bound_s == null ? t("sync.unknown") : `± ${status.clock.error_bound_s} s`, status.clock?.error_bound_s == null],
  [t("sync.keys"), status.slip_keys.kids.map((kid) => kid ?? "·").join(", ") || t("sync.keys.none")],
  status.slip_keys.problem && [t("sync.keys.problem"), status.slip_keys.problem, true],
]} />`;

const CLAIMS = ["granted", "asked", "refused", "unclaimed", "returning", "unconfirmed"];

const Claims = ({ claims }) => html`<${Facts} title=${t("sync.claims")} rows=${[
  ...CLAIMS.filter((state) => claims[state]).map((state) => [t(`sync.claim.${state}`), amount(claims[state])]),
  [t("sync.claim.expired"), amount(claims.expired), claims.expired > 0],
]} />`;

const Checkpoints = ({ found }) => html`<${Facts} title=${t("sync.checkpoints")} rows=${found ? [
  [t("sync.checkpoint.taken"), found.taken_records == null ? "—" : amount(found.taken_records), found.alarm],
  [t("sync.checkpoint.at"), found.taken_at ? when(found.taken_at) : "—"],
  [t("sync.checkpoint.newest"), found.records == null ? "—" : amount(found.records)],
  found.reason && [t("sync.reason"), found.reason, found.alarm],
  found.key && [t("sync.checkpoint.key"), html`<code class="key">${typeof found.key === "string" ? found.key : found.key.x}</code>`],
] : [[t("sync.checkpoint.taken"), "—"]]} />`;

const Faults = ({ faults }) =>
  Object.keys(faults).length > 0 &&
  html`<section class="card wide bad" role="alert" aria-label=${t("sync.faults")}>
    <h2>${t("sync.faults")}</h2>
    <ul>${Object.entries(faults).map(([name, text]) => html`<li key=${name} lang="en"><b>${name}</b> ${text}</li>`)}</ul>
  </section>`;

const Asked = () => html`<p class="asked" role="status">
  ${failed.value
    ? html`<strong class="badge bad"><${Mark} name="bolt" />${problemText(failed.value)}</strong> ${asked.value ? t("sync.shown_of", { at: when(asked.value) }) : ""}`
    : html`<span class="dim">${t("sync.refreshed")}</span>`}
</p>`;

const Page = () => {
  document.title = t("title.sync");
  const { status, parked, conflicts } = facts.value;
  return html`<div class="sync">
    <${DemoBanner} />
    <${TopBar} live=${false}><h1>${t("title.sync")}</h1><//>
    <main class=${failed.value ? "is-old" : ""}>
      <${Asked} />
      <${Acts} />
      ${status &&
      html`<${Faults} faults=${status.faults} />
        <${Lines} status=${status} />
        ${status.outbox && html`<${Backlog} title=${t("sync.backlog.outbox")} queue=${status.outbox} />`}
        ${status.authority.due !== undefined && html`<${Backlog} title=${t("sync.backlog.feed")} queue=${status.authority} />`}
        <${Room} room=${status.room} record=${status.record} writable=${status.writable} />
        <${Copy} status=${status} />
        <${Claims} claims=${status.claims} />
        <${Checkpoints} found=${status.checkpoints} />
        <${Parked} queues=${parked} />
        <${Conflicts} conflicts=${conflicts} />
        <${Rejected} rows=${status.rejected} />`}
    </main>
  </div>`;
};

await startTexts();
await loadSession();
await startAsking();
render(html`<${Page} />`, document.getElementById("app"));

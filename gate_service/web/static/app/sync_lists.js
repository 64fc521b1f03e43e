// Parked events, conflicts and refused changes, and what a supervisor or administrator does about them.
import { signal } from "../vendor/signals.mjs";
import { post, session } from "./api.js";
import { problemText } from "./chrome.js";
import { html, Mark } from "./html.js";
import { t } from "./i18n.js";
import { ask } from "./sync_facts.js";
import { amount, when } from "./sync_words.js";

const problem = signal(null);
const done = signal(null);
const closing = signal(null);

const mayAct = () => ["supervisor", "administrator"].includes(session.value.role);

async function attempt(work, text) {
  problem.value = null;
  done.value = null;
  try {
    const found = await work();
    done.value = t(text, { n: amount(found.taken) });
    await ask();
    return true;
  } catch (refused) {
    problem.value = refused;
    return false;
  }
}

const sendAgain = (queue, ids) => attempt(() => post("/api/v1/sync/parked", { queue, ids }), "sync.sent_again");

async function close(event, conflict) {
  event.preventDefault();
  const reason = new FormData(event.target).get("reason");
  const path = `/api/v1/sync/conflicts/${encodeURIComponent(conflict.id)}/close`;
  if (await attempt(() => post(path, { reason }), "sync.conflict.closed")) closing.value = null;
}

export const Acts = () => html`
  ${problem.value &&
  html`<div class="refused wide" role="alert"><p><${Mark} name="cross" />${problemText(problem.value)}</p><p class="detail" lang="en">${problem.value.message}</p></div>`}
  ${done.value && html`<p class="made wide" role="status">${done.value}</p>`}
`;

const Event = ({ queue, event }) => html`<tr data-parked=${event.id}>
  <td><code>${event.type}</code></td>
  <td>${amount(event.seq)}</td>
  <td>${when(event.at)}</td>
  <td>${event.passage_id ?? ""}</td>
  <td>${amount(event.attempts)}</td>
  <td class="why" lang="en">${event.reason}</td>
  ${mayAct() && html`<td><button type="button" onClick=${() => sendAgain(queue, [event.id])}>${t("sync.send_again")}<span class="hidden"> ${event.type} ${event.seq}</span></button></td>`}
</tr>`;

const Queue = ({ queue, events }) =>
  events.length > 0 &&
  html`<h3>${t(`sync.line.${queue === "outbox" ? "outbox" : "authority"}`)}</h3>
    ${mayAct() && html`<p><button type="button" class="confirm" onClick=${() => sendAgain(queue, null)}>${t("sync.send_all_again")}<span class="hidden"> ${queue}</span></button></p>`}
    <div class="scroll" tabindex="0" role="group" aria-label=${t(`sync.line.${queue === "outbox" ? "outbox" : "authority"}`)}><table>
      <thead><tr><th>${t("sync.event")}</th><th>${t("sync.seq")}</th><th>${t("sync.at")}</th><th>${t("sync.passage")}</th><th>${t("sync.attempts")}</th><th>${t("sync.reason")}</th>${mayAct() && html`<th><span class="hidden">${t("sync.send_again")}</span></th>`}</tr></thead>
      <tbody>${events.map((event) => html`<${Event} key=${event.id} queue=${queue} event=${event} />`)}</tbody>
    </table></div>`;

export const Parked = ({ queues }) => html`<section class="card wide parked" aria-label=${t("sync.parked_events")}>
  <h2>${t("sync.parked_events")}</h2>
  ${queues.outbox.length + queues.feed.length === 0 ? html`<p class="dim">${t("sync.parked_events.none")}</p>` : ""}
  <${Queue} queue="outbox" events=${queues.outbox} />
  <${Queue} queue="feed" events=${queues.feed} />
</section>`;

const Centre = ({ centre }) => html`
  ${centre.revoked_at || centre.told_at
    ? html`<p>${t("sync.conflict.centre")}: ${centre.reason ?? ""} · ${centre.revoked_at ? t("sync.conflict.revoked_at", { at: when(centre.revoked_at) }) : t("sync.conflict.told_at", { at: when(centre.told_at) })}${centre.unknown_here_since ? ` · ${t("sync.conflict.unknown_since", { at: when(centre.unknown_here_since) })}` : ""}</p>`
    : ""}
  ${(centre.used_by ?? []).map((other, place) => html`<p key=${place}>${t("sync.conflict.centre")}: ${t("sync.conflict.other", { site: other.site ?? "?", passage: other.passage_id ?? "?" })}${other.at ? ` · ${when(other.at)}` : ""}</p>`)}
`;

const Conflict = ({ conflict }) => html`<li data-conflict=${conflict.id} class=${conflict.closed_at ? "closed" : "open"}>
  <p><${Mark} name=${conflict.closed_at ? "check" : "bolt"} /><b>${t(`sync.conflict.${conflict.kind}`)}</b> <code>${conflict.slip_no}</code></p>
  <p>${t("sync.conflict.here")}: ${t(`sync.use.${conflict.here.state}`)} · ${when(conflict.here.at)} · ${t("sync.passage")} ${conflict.passage_id}</p>
  <${Centre} centre=${conflict.centre} />
  <p class="dim">${t("sync.conflict.found", { at: when(conflict.found_at) })}${conflict.closed_at ? ` → ${conflict.closed_by} · ${when(conflict.closed_at)}: ${conflict.close_reason}` : ""}</p>
  ${!conflict.closed_at &&
  mayAct() &&
  (closing.value === conflict.id
    ? html`<form class="inline" onSubmit=${(event) => close(event, conflict)}>
        <label><span>${t("sync.conflict.what_was_done")}</span><input name="reason" required maxlength="400" autocomplete="off" /></label>
        <button class="confirm">${t("sync.conflict.close")}</button>
      </form>`
    : html`<button type="button" onClick=${() => (closing.value = conflict.id)}>${t("sync.conflict.close")}<span class="hidden"> ${conflict.slip_no}</span></button>`)}
</li>`;

export const Conflicts = ({ conflicts }) => html`<section class="card wide conflicts" aria-label=${t("sync.conflicts")}>
  <h2>${t("sync.conflicts")}</h2>
  ${conflicts.length === 0 ? html`<p class="dim">${t("sync.conflicts.none")}</p>` : html`<ul>${conflicts.map((conflict) => html`<${Conflict} key=${conflict.id} conflict=${conflict} />`)}</ul>`}
</section>`;

export const Rejected = ({ rows }) =>
  rows.length > 0 &&
  html`<section class="card wide" aria-label=${t("sync.rejected_changes")}>
    <h2>${t("sync.rejected_changes")}</h2>
    <div class="scroll" tabindex="0" role="group" aria-label=${t("sync.rejected_changes")}><table>
      <thead><tr><th>${t("sync.kind")}</th><th>${t("sync.key")}</th><th>${t("sync.at")}</th><th>${t("sync.times")}</th><th>${t("sync.reason")}</th></tr></thead>
      <tbody>${rows.map((row, place) => html`<tr key=${place}><td>${row.kind}</td><td><code>${row.key}</code></td><td>${when(row.at)}</td><td>${amount(row.times)}</td><td class="why" lang="en">${row.reason}</td></tr>`)}</tbody>
    </table></div>
  </section>`;

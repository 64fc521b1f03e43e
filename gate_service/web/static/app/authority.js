// The zone authority's page: hazardous goods only. Shows the site's own copy, so it works when lines outside are down.
import { signal } from "../vendor/signals.mjs";
import { loadSession, newKey, post, session } from "./api.js";
import { DemoBanner, LostBanner, problemText, TopBar } from "./chrome.js";
import { Board, Plan } from "./hazmat_board.js";
import { Deliveries } from "./hazmat_deliveries.js";
import { ask, events, holds, startFeed, stock } from "./hazmat_feed.js";
import { History } from "./hazmat_history.js";
import { passageSheet, Sheet, unitSheet, when } from "./hazmat_sheet.js";
import { html, Mark, render } from "./html.js";
import { number, startTexts, t } from "./i18n.js";

const TARGETS = ["unit", "substance", "enterprise", "vehicle", "slip", "document"];
const MARKS = { entered: "forward", exited: "back", turned_away: "cross", corrected: "dot" };
const place = signal(location.hash);
const problem = signal(null);
const done = signal(null);
const lifting = signal(null);

addEventListener("hashchange", () => (place.value = location.hash));

const mayAct = () => session.value.role === "authority";

async function attempt(work, text) {
  problem.value = null;
  done.value = null;
  try {
    await work();
    done.value = text;
    await ask();
    return true;
  } catch (found) {
    problem.value = found;
    return false;
  }
}

async function placeHold(event) {
  event.preventDefault();
  const form = event.target;
  const given = Object.fromEntries(new FormData(form));
  const body = { target: { type: given.type, id: given.id.trim() }, reason: given.reason };
  const isPlaced = await attempt(() => post("/api/v1/hazmat/holds", body, { "idempotency-key": newKey() }), "authority.hold.placed");
  if (isPlaced) form.reset();
}

async function liftHold(event, hold) {
  event.preventDefault();
  const reason = new FormData(event.target).get("reason");
  const isLifted = await attempt(() => post(`/api/v1/hazmat/holds/${encodeURIComponent(hold.id)}/lift`, { reason }), "authority.hold.lifted");
  if (isLifted) lifting.value = null;
}

const Hold = ({ hold }) => html`<li class=${hold.lifted_at ? "lifted" : "standing"} data-hold=${hold.id}>
  <p><${Mark} name=${hold.lifted_at ? "check" : "hand"} /><b>${t(`authority.target.${hold.target.type}`)} ${hold.target.id}</b> <span class="dim">${t(hold.lifted_at ? "authority.hold.lifted" : "authority.hold.stands")}</span></p>
  <p>${t("authority.reason")}: ${hold.reason}</p>
  <p class="dim">${hold.placed_by} · ${when(hold.placed_at)}${hold.lifted_at ? ` → ${hold.lifted_by} · ${when(hold.lifted_at)}: ${hold.lift_reason}` : ""}</p>
  ${!hold.lifted_at &&
  mayAct() &&
  (lifting.value === hold.id
    ? html`<form class="inline" onSubmit=${(event) => liftHold(event, hold)}>
        <label><span>${t("authority.hold.why_lift")}</span><input name="reason" required maxlength="1000" autocomplete="off" /></label>
        <button class="confirm">${t("authority.hold.lift")}</button>
      </form>`
    : html`<button type="button" class="quiet" onClick=${() => (lifting.value = hold.id)}>${t("authority.hold.lift")}<span class="hidden"> ${hold.target.id}</span></button>`)}
</li>`;

const Holds = () => html`<section class="card holds" aria-label=${t("authority.holds")}>
  <h2>${t("authority.holds")}</h2>
  ${problem.value && html`<div class="refused" role="alert"><p><${Mark} name="cross" />${problemText(problem.value)}</p><p class="detail" lang="en">${problem.value.message}</p></div>`}
  ${done.value && html`<p class="made" role="status">${t(done.value)}</p>`}
  ${mayAct() &&
  html`<form class="inline place-hold" onSubmit=${placeHold}>
    <label><span>${t("authority.hold.target")}</span><select name="type">${TARGETS.map((one) => html`<option key=${one} value=${one}>${t(`authority.target.${one}`)}</option>`)}</select></label>
    <label><span>${t("authority.hold.id")}</span><input name="id" required maxlength="64" autocomplete="off" spellcheck="false" /></label>
    <label class="wide"><span>${t("authority.reason")}</span><input name="reason" required maxlength="1000" autocomplete="off" /></label>
    <button class="confirm">${t("authority.hold.place")}</button>
  </form>`}
  ${holds.value.length === 0 ? html`<p class="dim">${t("authority.hold.none")}</p>` : html`<ul>${holds.value.map((hold) => html`<${Hold} key=${hold.id} hold=${hold} />`)}</ul>`}
</section>`;

const Entry = ({ entry }) => {
  const kind = entry.type.split(".")[1];
  const data = entry.data;
  return html`<li data-entry=${entry.id}>
    <p><${Mark} name=${MARKS[kind] ?? "dot"} /><b>${t(`authority.event.${kind}`)}</b> <time>${when(entry.time)}</time> ${data.vehicle?.plate && html`<span class="plate">${data.vehicle.plate}</span>`}</p>
    <ul>${(data.lines ?? []).map((line, at) => html`<li key=${at}>UN ${line.un_no || "?"} ${line.name ?? ""} <span class="dim">${line.class ?? "?"} · ${line.storage_unit || t("authority.no_unit")}</span> ${line.net_kg == null ? t("authority.unknown") : `${number(line.net_kg)} kg`}</li>`)}</ul>
    ${kind === "corrected" && html`<p class="dim">${data.by}: ${data.reason}</p>`}
    <a href=${`#passage=${encodeURIComponent(entry.id)}`}>${t("authority.sheet")}<span class="hidden"> ${data.vehicle?.plate ?? ""} ${when(entry.time)}</span></a>
  </li>`;
};

const Entries = () => html`<section class="card entries" aria-label=${t("authority.entries")}>
  <h2>${t("authority.entries")}</h2>
  ${events.value.length === 0 ? html`<p class="dim">${t("authority.entries.none")}</p>` : html`<ol tabindex="0" aria-label=${t("authority.entries")}>${events.value.map((entry) => html`<${Entry} key=${entry.id} entry=${entry} />`)}</ol>`}
</section>`;

function sheet() {
  const asked = /^#(unit|passage)=(.*)$/.exec(place.value);
  if (!asked) return null;
  const id = decodeURIComponent(asked[2]);
  if (asked[1] === "unit") return unitSheet(stock.value, id);
  const entry = events.value.find((one) => one.id === id);
  return entry ? passageSheet(entry) : null;
}

const Authority = () => {
  document.title = t("title.authority");
  const shown = sheet();
  return html`<div class="authority">
    <${DemoBanner} />
    <${TopBar}><h1>${t("title.authority")}</h1><//>
    <${LostBanner} />
    ${shown ? html`<main class="one"><${Sheet} ...${shown} /></main>` : html`<main><div class="column"><${Board} /><${History} /></div><aside><${Plan} /><${Holds} /><${Entries} /><${Deliveries} /></aside></main>`}
  </div>`;
};

await startTexts();
await loadSession();
await startFeed();
render(html`<${Authority} />`, document.getElementById("app"));

// How far the events were told to the authority's own system: what waits, what a person must look at, what it answered.
import { signal } from "../vendor/signals.mjs";
import { useEffect } from "../vendor/hooks.mjs";
import { get, post, session } from "./api.js";
import { problemText } from "./chrome.js";
import { stock } from "./hazmat_feed.js";
import { when } from "./hazmat_sheet.js";
import { html, Mark } from "./html.js";
import { t } from "./i18n.js";

const SHOWN = 20;
const MARKS = { due: "clock", parked: "cross", delivered: "check" };
const MAY_TELL = ["authority", "supervisor"];

const found = signal([]);
const problem = signal(null);

async function load() {
  const [parked, newest] = await Promise.all(
    ["?state=parked&limit=100", `?limit=${SHOWN}`].map((query) => get(`/api/v1/hazmat/deliveries${query}`)),
  ).catch(() => [null, null]);
  if (!parked) return;
  const first = new Set(parked.deliveries.map((one) => one.id));
  found.value = [...parked.deliveries, ...newest.deliveries.filter((one) => !first.has(one.id))];
}

async function tellAgain(one) {
  problem.value = null;
  try {
    await post(`/api/v1/hazmat/deliveries/${encodeURIComponent(one.id)}/again`, {});
    await load();
  } catch (refused) {
    problem.value = refused;
  }
}

const Delivery = ({ one }) => {
  const last = one.receipts.at(-1);
  return html`<li data-delivery=${one.id} class=${one.state}>
    <p><${Mark} name=${MARKS[one.state]} /><b>${t(`authority.delivery.${one.state}`)}</b> ${t(`authority.event.${one.type.split(".")[1]}`)} <time>${when(one.at)}</time></p>
    ${one.reason && html`<p>${t("authority.reason")}: ${one.reason}</p>`}
    ${last && html`<p class="dim">${t("authority.delivery.receipt", { n: one.receipts.length })}: ${last.status ?? "–"} ${last.answer} · ${when(last.at)}</p>`}
    ${one.state !== "due" && MAY_TELL.includes(session.value.role) && html`<button type="button" class="quiet" onClick=${() => tellAgain(one)}>${t("authority.delivery.again")}<span class="hidden"> ${when(one.at)}</span></button>`}
  </li>`;
};

export const Deliveries = () => {
  useEffect(() => void load(), [stock.value?.as_of]);
  return html`<section class="card deliveries" aria-label=${t("authority.deliveries")}>
    <h2>${t("authority.deliveries")}</h2>
    ${problem.value && html`<p class="refused" role="alert"><${Mark} name="cross" />${problemText(problem.value)}</p>`}
    ${found.value.length === 0 ? html`<p class="dim">${t("authority.deliveries.none")}</p>` : html`<ul tabindex="0" aria-label=${t("authority.deliveries")}>${found.value.map((one) => html`<${Delivery} key=${one.id} one=${one} />`)}</ul>`}
  </section>`;
};

// What holds for the whole site and changes what a person may do: no line to the centre, the emergency regime.
import { effect, signal } from "../vendor/signals.mjs";
import { session } from "./api.js";
import { html, Mark } from "./html.js";
import { duration, t } from "./i18n.js";
import { connection, now, standing } from "./live.js";

/** A request to open the regime that was waiting when the service went away and waits no more when it is back. */
const gone = signal(null);
let wasCut = false;
let asked = null;
effect(() => {
  if (connection.value === "lost") wasCut = true;
  if (connection.value !== "live" || !standing.value) return;
  const { open, pending } = standing.value.regime;
  if (wasCut && asked && pending?.id !== asked.id && open?.id !== asked.id) gone.value = asked;
  if (pending || open) gone.value = null;
  asked = pending;
  wasCut = false;
});

const Gone = ({ by }) => html`<aside class="standing warn" aria-label=${t("standing.gone", { by: "" })}>
  <p role="alert"><${Mark} name="bolt" /><strong>${t("standing.gone", { by: by.replace(/^user:/, "") })}</strong> ${t("standing.gone_text")}</p>
  <span class="ways"><${Way} path="/regime" text="page./regime" /></span>
  <button type="button" class="quiet" onClick=${() => (gone.value = null)}>${t("act.read")}</button>
</aside>`;

/** Who covers a shift. */
const COVERS = new Set(["operator", "supervisor"]);
const may = (path) => session.value?.pages.includes(path);
const Way = ({ path, text }) => may(path) && html`<a href=${path}>${t(text)}</a>`;

/** The line to the central system is down: since when, what that means, where to look. */
const NoLine = ({ central }) => html`<aside class="standing warn" aria-label=${t("standing.central")}>
  <p role="status"><${Mark} name="bolt" /><strong>${t("standing.central")}</strong> ${t("standing.central_text")}</p>
  <span class="ways"><${Way} path="/sync" text="page./sync" /><${Way} path="/regime" text="page./regime" /></span>
  ${central.down_since_at && html`<time>${duration(now.value - Date.parse(central.down_since_at))}</time>`}
</aside>`;

const Open = ({ regime }) => html`<aside class="standing bad" aria-label=${t("standing.regime")}>
  <p><${Mark} name="flame" /><strong>${t("standing.regime")}</strong> ${t("standing.regime_text", { used: regime.used, passages: regime.passages })}</p>
  <span class="ways"><${Way} path="/regime" text="page./regime" /></span>
  <time role="timer">${duration(Date.parse(regime.ends_at) - now.value)}</time>
</aside>`;

const Pending = ({ pending, heardAt }) => html`<aside class="standing warn" aria-label=${t("standing.pending", { by: "" })}>
  <p role="status"><${Mark} name="two" /><strong>${t("standing.pending", { by: pending.by.replace(/^user:/, "") })}</strong> ${t("standing.pending_text")}</p>
  <span class="ways"><${Way} path="/regime" text="page./regime" /></span>
  <time>${duration(pending.seconds_left * 1000 - (performance.now() - heardAt))}</time>
</aside>`;

/** The shift was handed over: whoever sits here now has to accept it, but not one's own. */
const Handed = ({ by }) => html`<aside class="standing warn" aria-label=${t("standing.handed", { by: "" })}>
  <p role="status"><${Mark} name="two" /><strong>${t("standing.handed", { by })}</strong> ${t("standing.handed_text")}</p>
  <span class="ways"><${Way} path="/shift" text="page./shift" /></span>
</aside>`;

/** Bars under the top bar, only while they hold; with the connection lost nothing of it is known. */
export const Standing = () => {
  now.value;
  if (connection.value !== "live" || !standing.value) return null;
  const { central, regime, handed_by: handedBy, heardAt } = standing.value;
  const isForMe = handedBy && handedBy !== `user:${session.value?.name}` && COVERS.has(session.value?.role);
  return html`
    ${gone.value && html`<${Gone} by=${gone.value.by} />`}
    ${central.line === "down" && html`<${NoLine} central=${central} />`}
    ${isForMe && html`<${Handed} by=${handedBy.replace(/^user:/, "")} />`}
    ${regime.open && html`<${Open} regime=${regime.open} />`}
    ${regime.pending && html`<${Pending} pending=${regime.pending} heardAt=${heardAt} />`}
  `;
};

// A shared terminal: locks after a time without its person, unlocks for them, and lets the next one take it over.
import { effect, signal } from "../vendor/signals.mjs";
import { locked, post, session } from "./api.js";
import { html, Mark } from "./html.js";
import { t } from "./i18n.js";

const TELL_EVERY_MS = 60_000; // how often the service is told that somebody is there
const SIGNS = ["pointerdown", "keydown", "touchstart"];

export const isSwitching = signal(false);
const refused = signal(null);
const busy = signal(false);
const needsCode = signal(false);
let actedAt = Date.now();
let toldAt = Date.now();

function act() {
  if (locked.value) return;
  actedAt = Date.now();
  if (actedAt - toldAt < TELL_EVERY_MS) return;
  toldAt = actedAt;
  post("/api/v1/session/activity", {}).catch(() => null); // a refusal that says "locked" has set the signal
}

export async function lockNow() {
  await post("/api/v1/session/lock", {}).catch(() => null);
  locked.value = true;
}

/** Watch for the person, from when the session is known. The service counts by its own clock and has the last word. */
function startLock() {
  locked.value = session.peek().locked;
  for (const sign of SIGNS) addEventListener(sign, act, { passive: true });
  setInterval(() => {
    const after = session.value?.lock_after_s ?? 0;
    if (after && !locked.value && Date.now() - actedAt >= after * 1000) lockNow();
  }, 1000);
}

let isStarted = false;
effect(() => {
  if (session.value && !isStarted) {
    isStarted = true;
    startLock();
  }
});

async function attempt(event, work) {
  event.preventDefault();
  const form = new FormData(event.target);
  busy.value = true;
  refused.value = null;
  try {
    await work(form);
  } catch (problem) {
    needsCode.value ||= problem.code === "second_factor_needed";
    refused.value = problem;
  }
  busy.value = false;
}

const proof = (form) => ({ password: form.get("password"), ...(form.get("code") ? { code: form.get("code") } : {}) });

async function unlock(form) {
  await post("/api/v1/session/unlock", proof(form));
  actedAt = toldAt = Date.now();
  locked.value = false;
  needsCode.value = false;
}

async function takeOver(form) {
  await post("/api/v1/session", { name: form.get("name"), ...proof(form) });
  location.reload(); // everything on the page belongs to the person before
}

const Fields = () => html`
  <label><span>${t("form.password")}</span><input name="password" type="password" required maxlength="128" autocomplete="off" /></label>
  ${needsCode.value && html`<label><span>${t("form.code")}</span><input name="code" maxlength="20" autocomplete="one-time-code" /></label>`}
`;

const Refused = () => refused.value && html`<p class="refused" role="alert"><${Mark} name="cross" />${t(`problem.${refused.value.code}`)}</p>`;

const Switch = () => html`
  <form onSubmit=${(event) => attempt(event, takeOver)} aria-label=${t("lock.switch")}>
    <h2>${t("lock.switch")}</h2>
    <label><span>${t("form.name")}</span><input name="name" required maxlength="64" autocomplete="off" /></label>
    <${Fields} /><${Refused} />
    <button class="confirm" disabled=${busy.value}>${t("lock.take_over")}</button>
    ${locked.value || html`<button type="button" onClick=${() => (isSwitching.value = false)}>${t("act.cancel")}</button>`}
  </form>
`;

const Unlock = () => html`
  <form onSubmit=${(event) => attempt(event, unlock)} aria-label=${t("lock.title")}>
    <h2><${Mark} name="lock" />${t("lock.title")}</h2>
    <p>${t("lock.text", { name: session.value.name })}</p>
    <${Fields} /><${Refused} />
    <button class="confirm" disabled=${busy.value}>${t("lock.unlock")}</button>
    <button type="button" onClick=${() => (isSwitching.value = true)}>${t("lock.switch")}</button>
  </form>
`;

const open = (element) => element && !element.open && element.showModal();

/** Over everything while locked, or while the next person signs in. The page behind goes on watching. */
export const Lock = () =>
  (locked.value || isSwitching.value) &&
  html`<dialog class="card lock" ref=${open} onCancel=${(event) => (locked.value ? event.preventDefault() : (isSwitching.value = false))}>
    ${isSwitching.value ? html`<${Switch} />` : html`<${Unlock} />`}
  </dialog>`;

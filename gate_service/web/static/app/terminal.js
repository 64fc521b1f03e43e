// The operator terminal: every lane live, what waits for a person, one lane in detail.
import { signal } from "../vendor/signals.mjs";
import { closeDraft, leaveLane } from "./act.js";
import { loadSession, session } from "./api.js";
import { DemoBanner, LostBanner, TopBar } from "./chrome.js";
import { Detail } from "./detail.js";
import { queueOf } from "./facts.js";
import { html, render } from "./html.js";
import { startTexts, t } from "./i18n.js";
import { Lanes, Queue } from "./lanes.js";
import { connection, lanes, order, startLive } from "./live.js";

const selected = signal(null);

function select(id) {
  selected.value = id;
  leaveLane(id);
}

const current = () => order.value.map((id) => lanes.get(id).value);

function chosen() {
  if (selected.value && lanes.has(selected.value)) return selected.value;
  return queueOf(current())[0]?.id ?? order.value[0] ?? null;
}

function onKey(event) {
  if (event.key === "Escape") closeDraft();
  if (event.target.closest("input, textarea, select") || event.ctrlKey || event.altKey || event.metaKey) return;
  const place = "123456789".indexOf(event.key);
  if (place >= 0) {
    const lane = queueOf(current())[place];
    if (lane) select(lane.id);
  }
  if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    const step = event.key === "ArrowDown" ? 1 : -1;
    const at = order.value.indexOf(chosen());
    const next = order.value[Math.min(Math.max(at + step, 0), order.value.length - 1)];
    if (next) select(next);
    event.preventDefault();
  }
}

const Terminal = () => {
  const id = chosen();
  if (id && selected.peek() === null) selected.value = id; // what is being read must not change by itself
  document.title = t("title.terminal");
  return html`<div class=${connection.value === "lost" ? "terminal is-lost" : "terminal"}>
    <${DemoBanner} />
    <${TopBar}>
      <h1>${t("title.terminal")}</h1>
      ${session.value?.role === "administrator" && html`<a href="/admin">${t("title.admin")}</a>`}
    <//>
    <${LostBanner} />
    <${Queue} selected=${id} onSelect=${select} />
    <main>
      <${Lanes} selected=${id} onSelect=${select} />
      <${Detail} id=${id} />
    </main>
  </div>`;
};

await startTexts();
await loadSession();
render(html`<${Terminal} />`, document.getElementById("app"));
document.addEventListener("keydown", onKey);
startLive();

// The operator terminal: every lane live, what waits for a person, one lane in detail.
import { computed, signal } from "../vendor/signals.mjs";
import { useRef } from "../vendor/hooks.mjs";
import { loadSession, session } from "./api.js";
import { waiting, watchCalls } from "./calls.js";
import { DemoBanner, LostBanner, TopBar } from "./chrome.js";
import { Detail } from "./detail.js";
import { closeDraft, leaveLane } from "./draft.js";
import { html, Mark, render } from "./html.js";
import { language, startTexts, switchLanguage, t } from "./i18n.js";
import { KeyHelp, keysOn, startKeys } from "./keys.js";
import { Lanes } from "./lanes.js";
import { connection, lanes, order } from "./live.js";
import { Queue } from "./queue.js";
import { loadReasons } from "./reasons.js";
import { Standing } from "./standing.js";
import { isBlocked, isMuted, switchSound } from "./sound.js";

const REASONS_EVERY_MS = 300_000;

const selected = signal(null);
/** The lane shown. What is being read never changes by itself: without a choice the first that waits is taken, once. */
const shown = computed(() => {
  if (selected.value && lanes.has(selected.value)) return selected.value;
  return waiting()[0]?.id ?? order.value[0] ?? null;
});

function select(id) {
  selected.value = id;
  leaveLane(id);
}

function step(by) {
  const at = order.value.indexOf(shown.value);
  const next = order.value[Math.min(Math.max(at + by, 0), order.value.length - 1)];
  if (next) select(next);
}

/** The next that waits after the one shown, in the queue's order. */
function selectNext() {
  const calls = waiting().map((lane) => lane.id);
  if (calls.length) select(calls[(calls.indexOf(shown.value) + 1) % calls.length]);
}

const Sound = () => {
  const state = isMuted.value ? "muted" : isBlocked.value ? "blocked" : "on";
  return html`<button type="button" class=${`quiet sound ${state}`} data-sound=${state} onClick=${switchSoundOrWake} aria-keyshortcuts="M">
    <${Mark} name=${state === "on" ? "bell" : "silent"} /><span class=${state === "on" ? "tool" : ""}>${t(`sound.${state}`)}</span>
  </button>`;
};

/** A blocked sound is woken by any touch, this one too; then it is not to be muted by the same touch. */
function switchSoundOrWake() {
  if (isMuted.value || !isBlocked.value) switchSound();
}

const Terminal = () => {
  const dialog = useRef(null);
  help.open = () => dialog.current?.showModal();
  const id = shown.value;
  if (id && selected.peek() === null) selected.value = id;
  document.title = t("title.terminal");
  const tools = html`<${Sound} />
    <button type="button" class="quiet" onClick=${help.open} aria-keyshortcuts="?"><${Mark} name="keyboard" /><span class="tool">${t("keys.short")}</span>${keysOn.value && html` <kbd aria-hidden="true">?</kbd>`}</button>`;
  return html`<div class=${connection.value === "lost" ? "terminal is-lost" : "terminal"}>
    <${DemoBanner} />
    <${TopBar} tools=${tools} />
    <${LostBanner} />
    <${Standing} />
    <main>
      <h1 class="hidden">${t("title.terminal")}</h1>
      <div class="overview">
        <${Queue} selected=${id} onSelect=${select} />
        <${Lanes} selected=${id} onSelect=${select} />
      </div>
      <${Detail} id=${id} />
    </main>
    <${KeyHelp} dialog=${dialog} />
  </div>`;
};

const help = { open: () => {} };
const OTHERS = {
  Escape: closeDraft,
  ArrowDown: () => step(1),
  ArrowUp: () => step(-1),
  n: selectNext,
  N: selectNext,
  m: switchSound,
  M: switchSound,
  l: () => switchLanguage(language.value === "zh" ? "en" : "zh"),
  L: () => switchLanguage(language.value === "zh" ? "en" : "zh"),
  "?": () => help.open(),
};

await startTexts();
await loadSession();
render(html`<${Terminal} />`, document.getElementById("app"));
startKeys(OTHERS);
watchCalls(true);
if (session.value?.commands.length) {
  loadReasons();
  setInterval(loadReasons, REASONS_EVERY_MS);
}

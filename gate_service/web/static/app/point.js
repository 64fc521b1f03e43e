// The display of a place before the lanes: which lane to take, in both languages, to be read from a cab.
import { signal } from "../vendor/signals.mjs";
import { get } from "./api.js";
import { DemoBanner } from "./chrome.js";
import { html, render } from "./html.js";
import { startTexts } from "./i18n.js";

const WAIT = { zh: "请停车等候", en: "Stop and wait" };
const SIGNS = { go: "M50 82V22M24 46 50 20 76 46", stop: "M22 50h56" };
const EVERY_MS = 1000;
const shown = signal(null);

const Display = () => {
  const line = shown.value?.driver ?? WAIT;
  const sign = shown.value?.lane ? "go" : "stop";
  return html`<${DemoBanner} /><main class=${`driver ${sign}`} data-sign=${sign}>
    <svg viewBox="0 0 100 100" aria-hidden="true"><circle cx="50" cy="50" r="47" /><path d=${SIGNS[sign]} /></svg>
    <h1 aria-live="polite"><span lang="zh-CN">${line.zh}</span><span lang="en">${line.en}</span></h1>
  </main>`;
};

async function look() {
  shown.value = await get(`/api/v1/points/${encodeURIComponent(document.body.dataset.point)}`).catch(() => null);
  setTimeout(look, EVERY_MS);
}

await startTexts();
render(html`<${Display} />`, document.getElementById("app"));
look();

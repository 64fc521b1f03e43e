// The driver display: one light, one line, in both languages, to be read from a cab. Knows nothing a driver may not.
import { DemoBanner } from "./chrome.js";
import { html, render } from "./html.js";
import { startTexts } from "./i18n.js";
import "./theme.js";
import { ageNow, connection, DOUBTED_AFTER_MS, lanes, startLive } from "./live.js";

const WAIT = { zh: "请停车等候", en: "Stop and wait" };
const SIGNS = {
  go: "M50 82V22M24 46 50 20 76 46",
  back: "M50 18v60M24 54l26 26 26-26",
  stop: "M22 50h56",
};

/** Which sign the lights amount to. Green needs to be seen now; everything else is a stop. */
function signOf(lane, isFresh) {
  if (!isFresh || lane.fire) return "stop";
  const shown = Object.values(lane.lights);
  if (shown.includes("back_out")) return "back";
  return shown.includes("green") ? "go" : "stop";
}

const Display = ({ id }) => {
  const lane = lanes.get(id)?.value;
  const age = lane ? ageNow(lane, lane.inputs_age_ms) : null;
  const isFresh = connection.value === "live" && age !== null && age <= DOUBTED_AFTER_MS;
  const sign = lane ? signOf(lane, isFresh) : "stop";
  const line = lane && connection.value === "live" ? lane.driver : WAIT;
  return html`<${DemoBanner} /><main class=${`driver ${sign}`} data-sign=${sign}>
    <svg viewBox="0 0 100 100" aria-hidden="true"><circle cx="50" cy="50" r="47" /><path d=${SIGNS[sign]} /></svg>
    <h1 aria-live="polite"><span lang="zh-CN">${line.zh}</span><span lang="en">${line.en}</span></h1>
  </main>`;
};

const id = document.body.dataset.lane;
await startTexts();
render(html`<${Display} id=${id} />`, document.getElementById("app"));
startLive(id);

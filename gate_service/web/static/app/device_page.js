// The device page: every device as its driver sees it, those with a fault first. Read by who stands at the cabinet.
import { computed, signal } from "../vendor/signals.mjs";
import { get, loadSession } from "./api.js";
import { DemoBanner, LostBanner, problemText, TopBar } from "./chrome.js";
import { html, Mark, render } from "./html.js";
import { duration, has, startTexts, t } from "./i18n.js";
import { now, startLive } from "./live.js";

const EVERY_MS = 1000;
const OLD_MS = 3000;
const QUALITIES = { "verified on hardware": "hardware", "verified on a capture": "capture", "from the manual only": "manual" };

const devices = signal(null);
const heardAt = signal(0);
const problem = signal(null);
const onlyFaults = signal(false);

async function load() {
  try {
    devices.value = (await get("/api/v1/devices")).devices;
    heardAt.value = performance.now();
    problem.value = null;
  } catch (found) {
    problem.value = found;
  }
}

const ageOf = (device) => (device.age_ms == null ? null : device.age_ms + performance.now() - heardAt.value);
const isBad = (device) => device.fault != null || (ageOf(device) ?? 0) > OLD_MS;
const isDoubtful = (device) => device.is_safe_state_confirmed === false || (device.kind === "io_module" && device.is_safe_state_confirmed == null);
const rank = (device) => (isBad(device) ? 0 : isDoubtful(device) ? 1 : 2);

const shown = computed(() => {
  now.value;
  const all = devices.value ?? [];
  const wanted = onlyFaults.value ? all.filter((device) => rank(device) < 2) : all;
  return [...wanted].sort((a, b) => rank(a) - rank(b));
});

const Fact = ({ name, children }) => html`<div><dt>${t(name)}</dt><dd>${children}</dd></div>`;

const Age = ({ device }) => {
  now.value;
  const age = ageOf(device);
  if (age == null) return t("devices.never");
  return age < 1000 ? t("devices.age_ms", { age: Math.round(age) }) : duration(age);
};

const SafeState = ({ device }) => {
  const word = { true: "confirmed", false: "unconfirmed" }[device.is_safe_state_confirmed] ?? "unknown";
  const because = device.unsafe_because && device.is_safe_state_confirmed === false ? device.unsafe_because : null;
  return html`<span class=${`safe ${word}`}><${Mark} name=${word === "confirmed" ? "check" : "bolt"} />${t(`devices.safe.${word}`)}</span>
    ${because && html`<span class="fault" lang="en">${because}</span>`}`;
};

const Patience = ({ patience }) => {
  if (!patience.shared) return t("devices.patience.own");
  if (!patience.silent) return t("devices.patience.shared");
  return html`<b>${t("devices.patience.silent", { seconds: Math.ceil(patience.asked_again_in_ms / 1000) })}</b>`;
};

/** A reason in words where there are some; an exception of the device by its number; else the word as it is. */
function reasonText(reason) {
  const exception = /^exception_(\d+)$/.exec(reason);
  if (exception) return t("reject.exception", { code: exception[1] });
  return has(`reject.${reason}`) ? t(`reject.${reason}`) : reason;
}

const Rejects = ({ rejects }) => {
  const found = Object.entries(rejects ?? {}).filter(([, count]) => count > 0);
  if (found.length === 0) return t("devices.rejects.none");
  return html`<ul class="rejects">
    ${found.map(([reason, count]) => html`<li key=${reason}><b>${count}</b> ${reasonText(reason)} <code class="dim">${reason}</code></li>`)}
  </ul>`;
};

const Bytes = ({ name, hex }) =>
  html`<${Fact} name=${name}><code class="bytes" tabindex="0" role="group" aria-label=${t(name)}>${hex || "–"}</code><//>`;

const Points = ({ points, family }) => html`<ul class="points">
  ${Object.entries(points).map(([name, value]) => html`<li key=${name} class=${String(value)}>${t(`${family}${name}`)} <b>${pointText(value)}</b></li>`)}
</ul>`;

function pointText(value) {
  if (value === true || value === false) return t(value ? "devices.on" : "devices.off");
  if (value == null) return t("devices.unknown");
  return has(`presence.${value}`) ? t(`presence.${value}`) : t(`boom.${value}`);
}

const Outputs = ({ outputs }) => html`<span class="outputs">
  ${Object.entries(outputs).map(([number, isOn]) => html`<span key=${number} class=${isOn ? "on" : ""}>${number} <b>${t(isOn ? "devices.on" : "devices.off")}</b></span>`)}
</span>`;

const Device = ({ device }) => {
  now.value; // what was good grows old while nothing is heard
  const bad = isBad(device);
  const quality = QUALITIES[device.quality];
  return html`<li class=${`device card ${bad ? "bad" : isDoubtful(device) ? "warn" : ""}`} data-device=${device.device}>
    <header>
      <h2><code>${device.device}</code></h2>
      <span class="dim">${t(`device.${device.kind}`)}</span>
      <span class=${`badge ${bad ? "bad" : "good"}`}><${Mark} name=${bad ? "bolt" : "check"} />${t(bad ? "device.fault" : "device.good")}</span>
    </header>
    ${device.fault && html`<p class="refused" lang="en"><${Mark} name="bolt" />${device.fault}</p>`}
    <dl>
      <${Fact} name="devices.age"><${Age} device=${device} /><//>
      ${(device.url ?? device.port) && html`<${Fact} name="devices.address"><code>${device.url ?? device.port}</code><//>`}
      ${(device.profile ?? device.protocol) &&
      html`<${Fact} name=${device.profile ? "devices.profile" : "devices.protocol"}><code>${device.profile ?? device.protocol}</code> <span class="dim">${device.title ?? ""}</span><//>`}
      ${quality && html`<${Fact} name="devices.quality"><span class=${`quality ${quality}`}>${t(`devices.quality.${quality}`)}</span><//>`}
      ${"is_safe_state_confirmed" in device && html`<${Fact} name="devices.safe"><${SafeState} device=${device} /><//>`}
      ${device.patience && html`<${Fact} name="devices.patience"><${Patience} patience=${device.patience} /><//>`}
      ${"rejects" in device && html`<${Fact} name="devices.rejects"><${Rejects} rejects=${device.rejects} /><//>`}
      ${device.detectors && html`<${Fact} name="devices.inputs"><${Points} points=${device.detectors} family="detector." /><//>`}
      ${device.booms && html`<${Fact} name="devices.booms"><${Points} points=${device.booms} family="side." /><//>`}
      ${device.switches && html`<${Fact} name="devices.switches"><${Points} points=${device.switches} family="switch." /><//>`}
      ${device.outputs && html`<${Fact} name="devices.outputs"><${Outputs} outputs=${device.outputs} /><//>`}
      ${device.last_sent != null && html`<${Bytes} name="devices.sent" hex=${device.last_sent} />`}
      ${device.last_received != null && html`<${Bytes} name="devices.received" hex=${device.last_received} />`}
    </dl>
  </li>`;
};

const Devices = () => {
  now.value;
  document.title = t("title.devices");
  const faults = (devices.value ?? []).filter(isBad).length;
  return html`<div class="device-page">
    <${DemoBanner} />
    <${TopBar} />
    <${LostBanner} />
    <main>
      <div class="head">
        <h1>${t("title.devices")}</h1>
        <p role="status">${devices.value && t(faults ? "devices.count_faults" : "devices.count", { all: devices.value.length, faults })}</p>
        <button type="button" aria-pressed=${onlyFaults.value} onClick=${() => (onlyFaults.value = !onlyFaults.value)}>${t("devices.only_faults")}</button>
      </div>
      ${problem.value && html`<p class="refused" role="alert"><${Mark} name="cross" />${problemText(problem.value)}</p>`}
      <ul class="list" aria-label=${t("title.devices")}>${shown.value.map((device) => html`<${Device} key=${device.device} device=${device} />`)}</ul>
    </main>
  </div>`;
};

await startTexts();
await loadSession();
await load();
render(html`<${Devices} />`, document.getElementById("app"));
startLive();
setInterval(load, EVERY_MS);

// One lane with everything needed to decide, on one screen.
import { Commands } from "./act.js";
import { checksOf, declaredTotal, inputsAreOld, isOld } from "./facts.js";
import { html, Mark, tone, verdictMark } from "./html.js";
import { clockTime, duration, number, t, told } from "./i18n.js";
import { Plate, State, Verdict, Weight } from "./lanes.js";
import { ageNow, lanes } from "./live.js";
import { Strip } from "./strip.js";

const shown = (value) => {
  if (value === null || value === undefined) return "–";
  if (typeof value === "number") return number(value);
  if (Array.isArray(value)) return value.length ? value.join(", ") : t("value.nothing");
  if (typeof value === "boolean") return t(value ? "value.yes" : "value.no");
  return String(value);
};

/** The last minute or so of the weight: the shape tells a truck that still rocks from one that stands. */
const Curve = ({ points }) => {
  if (points.length < 2) return null;
  const [first, last] = [points[0].at, points[points.length - 1].at];
  const top = Math.max(...points.map((p) => p.kg), 1);
  const line = points.map((p) => `${(((p.at - first) / (last - first || 1)) * 200).toFixed(1)},${(34 - (p.kg / top) * 30).toFixed(1)}`);
  return html`<svg class="curve" viewBox="0 0 200 36" preserveAspectRatio="none" aria-hidden="true">
    <polyline points=${line.join(" ")} />
  </svg>`;
};

const MASSES = new Set([
  "weight_mismatch",
  "over_capacity",
  "not_empty",
  "service_gain",
  "tare_drift",
  "total_weight_sum",
  "declaration_exceeded",
  "declaration_short",
]);

const Number = ({ name, check, value }) => html`<div>
  <dt>${t(name)}</dt>
  <dd>${shown(value)}${typeof value === "number" && MASSES.has(check.reason_code) && html` <span class="unit">kg</span>`}</dd>
</div>`;

const Check = ({ check }) => html`
  <li class=${`check ${tone.verdict(check.verdict)}`}>
    <div class="head">
      <${Mark} name=${verdictMark(check.verdict)} /><b>${t(`check.${check.reason_code}`)}</b>
      <span class="dim">${t(`verdict.${check.verdict}`)}${check.cause && html` · ${t(`cause.${check.cause}`)}`}</span>
    </div>
    ${[check.expected, check.found, check.allowed].some((value) => value != null)
      ? html`<dl class="numbers">
          <${Number} name="check.expected" check=${check} value=${check.expected} />
          <${Number} name="check.found" check=${check} value=${check.found} />
          ${check.allowed != null && html`<${Number} name="check.allowed" check=${check} value=${check.allowed} />`}
        </dl>`
      : html`<p>${told(check.text)}</p>`}
  </li>
`;

const Fact = ({ name, children }) => html`<div><dt>${t(name)}</dt><dd>${children}</dd></div>`;

const Masses = ({ passage }) => {
  const declared = declaredTotal(passage);
  const gross = passage.gross_kg;
  const difference = declared !== null && gross !== null ? declared - gross : null;
  return html`<dl class="masses">
    <${Fact} name="mass.declared">${declared === null ? "–" : html`${number(declared)} <span class="unit">kg</span>`}<//>
    <${Fact} name="mass.measured">${gross === null ? "–" : html`${number(gross)} <span class="unit">kg</span>`}<//>
    <${Fact} name="mass.difference">${difference === null ? "–" : html`${difference > 0 ? "+" : ""}${number(difference)} <span class="unit">kg</span>`}<//>
  </dl>`;
};

const hasHazmat = (slip) => (slip.goods ?? []).some((line) => line.hazmat?.flag || line.hazmat?.un_no);

const Slip = ({ slip }) => html`
  <dl class="facts">
    <${Fact} name="slip.number"><code>${slip.slip_no}</code><//>
    <${Fact} name="slip.type">${t(`slip.type.${slip.type}`)}<//>
    <${Fact} name="slip.status">${t(`slip.status.${slip.status}`)}${slip.valid_until_at && html` <span class="dim">${t("slip.until", { at: slip.valid_until_at.slice(0, 16).replace("T", " ") })}</span>`}<//>
    <${Fact} name="fact.plate">${shown(slip.vehicle?.plate)}${slip.vehicle?.trailer_plate && html` + ${slip.vehicle.trailer_plate}`}<//>
    ${(slip.containers ?? []).length > 0 && html`<${Fact} name="fact.containers">${slip.containers.map((one) => one.number).join(", ")}<//>`}
    ${(slip.seals ?? []).length > 0 && html`<${Fact} name="fact.seals">${slip.seals.join(", ")}<//>`}
    <${Fact} name="slip.enterprise">${shown(slip.enterprise?.name)}${slip.enterprise?.credit && html` <span class="dim">${t(`credit.${slip.enterprise.credit}`)}</span>`}<//>
    <${Fact} name="slip.goods">
      ${(slip.goods ?? []).slice(0, 4).map((line) => line.name).join("、") || "–"}
      ${(slip.goods ?? []).length > 4 && html` <span class="dim">+${slip.goods.length - 4}</span>`}
      ${hasHazmat(slip) && html` <span class="badge warn"><${Mark} name="flame" />${t("lane.hazmat")}</span>`}
    <//>
  </dl>
`;

const Passage = ({ passage }) => {
  const checks = checksOf(passage);
  return html`<section class="passage">
    <div class="lead">
      <${Plate} plate=${passage.plate} />
      ${passage.trailer_plate && html`<${Plate} plate=${passage.trailer_plate} />`}
      <${Verdict} verdict=${passage.verdict} />
      ${passage.tier && html`<span class="dim">${t("passage.tier", { tier: passage.tier })}</span>`}
    </div>
    <${Masses} passage=${passage} />
    ${checks.length > 0
      ? html`<ul class="checks">${checks.map((check) => html`<${Check} key=${check.reason_code} check=${check} />`)}</ul>`
      : html`<p class="dim">${passage.verdict ? t("passage.nothing_wrong") : t("passage.not_judged")}</p>`}
    ${(passage.slips ?? []).map((slip) => html`<${Slip} key=${slip.slip_no} slip=${slip} />`)}
    ${(passage.slips ?? []).length === 0 &&
    html`<p class="dim">${passage.scanned?.length ? t("slip.scanned_only", { slip: passage.scanned.join(", ") }) : t("slip.none")}</p>`}
    ${passage.source &&
    html`<p class=${passage.source === "local" ? "source local" : "source"}>
      ${t(`source.${passage.source}`)}${passage.as_of && html` · ${t("source.as_of", { at: clockTime(passage.as_of) })}`}
      <span class="dim"> · ${t("passage.facts", { version: passage.facts_version })}</span>
    </p>`}
  </section>`;
};

/** How old the last word of a device is. What it said last is in the lane; health is told only when it changes. */
const lastWord = (lane, device) =>
  ({ io_module: lane.inputs_age_ms, weighbridge: lane.weight?.age_ms ?? null })[device.kind] ?? null;

const Device = ({ lane, device }) => {
  const heard = lastWord(lane, device);
  const old = heard !== null && isOld(lane, heard);
  const bad = device.fault !== null || old;
  const rejects = Object.entries(device.rejects ?? {}).filter(([, count]) => count > 0);
  const age = ageNow(lane, heard);
  return html`<li class=${bad ? "bad" : ""}>
    <${Mark} name=${bad ? "bolt" : "check"} /><code>${device.device}</code>
    <span class="dim">${t(`device.${device.kind}`)}</span>
    <span>${old ? t("device.silent", { age: duration(age) }) : t(bad ? "device.fault" : "device.good")}</span>
    ${rejects.length > 0 && html`<span class="dim">${t("device.rejects", { rejects: rejects.map(([why, n]) => `${why} ${n}`).join(", ") })}</span>`}
    ${device.fault && html`<span class="fault" lang="en">${device.fault}</span>`}
  </li>`;
};

/** The chosen lane. */
export const Detail = ({ id }) => {
  const lane = id && lanes.get(id)?.value;
  if (!lane) return html`<section class="detail empty" aria-label=${t("detail.title")}><p class="dim">${t("detail.choose")}</p></section>`;
  return html`<section class="detail" aria-label=${t("detail.title")} data-lane=${lane.id}>
    <header>
      <h2>${told(lane.name)}</h2>
      <${State} lane=${lane} />
    </header>
    <div class="live">
      <${Weight} lane=${lane} />
      <${Strip} lane=${lane} stale=${inputsAreOld(lane)} />
      <${Curve} points=${lane.curve} />
    </div>
    <div class="all" tabindex="0" role="group" aria-label=${t("detail.facts")}>
      ${lane.fire && html`<p class="refused" role="alert"><${Mark} name="flame" />${t("lane.fire")}</p>`}
      ${lane.closing_asked && html`<p class="note">${t("lane.closing_asked")}</p>`}
      ${lane.passage ? html`<${Passage} passage=${lane.passage} />` : html`<p class="dim">${t("lane.no_vehicle")}</p>`}
      <p class="driver-line"><span class="dim">${t("driver.sees")}</span> <q>${told(lane.driver)}</q></p>
      <ul class="devices">
        ${(lane.devices ?? []).map((device) => html`<${Device} key=${device.device} lane=${lane} device=${device} />`)}
      </ul>
    </div>
    <${Commands} lane=${lane} />
  </section>`;
};

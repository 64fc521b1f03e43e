// The vehicle in a lane: what was decided with every number, what is known of it, and where that comes from.
import { locked, session } from "./api.js";
import { checksOf, declaredTotal } from "./facts.js";
import { html, Mark, tone, verdictMark } from "./html.js";
import { clockTime, has, number, t, told } from "./i18n.js";
import { Plate } from "./lanes.js";
import { lanes, order } from "./live.js";

/** Families of words that stand in checks as their codes. */
const WORDS = ["kind", "direction", "slip.status", "credit"];

const worded = (code) => {
  const family = WORDS.find((name) => has(`${name}.${code}`));
  return family ? t(`${family}.${code}`) : code;
};

const shown = (value) => {
  if (value === null || value === undefined) return "–";
  if (typeof value === "number") return number(value);
  if (Array.isArray(value)) return value.length ? value.join(", ") : t("value.nothing");
  if (typeof value === "boolean") return t(value ? "value.yes" : "value.no");
  return worded(String(value));
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

/** Where the measured mass lies against what is allowed: the band is the tolerance, the mark the vehicle. */
const Gauge = ({ check }) => {
  const { expected, found, allowed } = check;
  if (![expected, found, allowed].every((value) => typeof value === "number") || allowed <= 0) return null;
  const off = found - expected;
  const reach = Math.max(Math.abs(off), allowed) * 1.25;
  const x = (kg) => 100 + (kg / reach) * 96;
  return html`<div class="gauge">
    <svg viewBox="0 0 200 18" preserveAspectRatio="none" aria-hidden="true">
      <line class="axis" x1="2" x2="198" y1="9" y2="9" />
      <rect class="band" x=${x(-allowed)} width=${x(allowed) - x(-allowed)} y="4" height="10" />
      <line class="zero" x1="100" x2="100" y1="2" y2="16" />
      <line class="off" x1="100" x2=${x(off)} y1="9" y2="9" />
      <line class="found" x1=${x(off)} x2=${x(off)} y1="1" y2="17" />
    </svg>
    <span>${t(off > 0 ? "mass.heavier" : "mass.lighter")} ${number(Math.abs(off))} kg · ${t("check.times_allowed", { times: number(Math.round((Math.abs(off) / allowed) * 10) / 10) })}</span>
  </div>`;
};

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
          </dl>
          <${Gauge} check=${check} />`
      : html`<p>${told(check.text)}</p>`}
  </li>
`;

const Fact = ({ name, children }) => html`<div><dt>${t(name)}</dt><dd>${children}</dd></div>`;

const kg = (value, word = null) => (value == null ? "–" : html`${word && html`<span class="word">${t(word)}</span> `}${number(value)} <span class="unit">kg</span>`);

const Masses = ({ passage }) => {
  const declared = declaredTotal(passage);
  const gross = passage.gross_kg;
  const difference = declared !== null && gross !== null ? gross - declared : null;
  return html`<dl class="masses">
    <${Fact} name="mass.declared">${kg(declared)}<//>
    <${Fact} name="mass.measured">${kg(gross)}<//>
    <${Fact} name="mass.difference">${difference === null ? "–" : kg(Math.abs(difference), difference > 0 ? "mass.heavier" : difference < 0 ? "mass.lighter" : null)}<//>
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

/** What was looked at and differs from what is on the slip is among the checks; here is what was seen. */
const Seen = ({ passage }) => {
  const listed = (name, of) => (passage.slips ?? []).flatMap((slip) => slip[name] ?? []).map(of);
  const differs = (seen, on) => seen?.length > 0 && [...seen].sort().join() !== [...on].sort().join();
  return html`<dl class="facts seen">
    ${differs(passage.containers, listed("containers", (one) => one.number)) && html`<${Fact} name="seen.containers">${shown(passage.containers)}<//>`}
    ${differs(passage.seals, listed("seals", (one) => one)) && html`<${Fact} name="seen.seals">${shown(passage.seals)}<//>`}
  </dl>`;
};

const SEE_PHOTOS = ["operator", "supervisor", "auditor", "customs"];

/** What the cameras took of it, the newest first; last in its column, so that one that comes moves nothing. A locked
 * terminal is given none, nor is an administrator: nothing is asked for that would be refused and stay broken. */
const Photos = ({ passage }) => {
  const photos = [...(passage.photos ?? [])].reverse();
  if (!photos.length || locked.value || !SEE_PHOTOS.includes(session.value?.role)) return null;
  return html`<ul class="photos">${photos.map(
    (photo, index) => html`<li key=${photo}><a href=${`/api/v1/files/${photo}`} target="_blank" rel="noopener"
      ><img src=${`/api/v1/files/${photo}`} alt=${t("photo.of_vehicle", { number: photos.length - index })} /></a></li>`,
  )}</ul>`;
};

/** Where a vehicle in the wrong lane belongs, by the names of this site's lanes. */
const ToGo = ({ passage }) => {
  const wanted = passage.lane_to_go;
  if (!wanted) return null;
  const fits = (lane) => lane.kind === wanted.kind && lane.direction === wanted.direction && (lane.hazmat || !wanted.hazmat);
  const names = order.value.map((id) => lanes.get(id).peek()).filter(fits).map((lane) => told(lane.name));
  return html`<p class="to-go"><${Mark} name="forward" />${t("passage.to_go")} <b>${names.join(t("passage.or")) || `${t(`direction.${wanted.direction}`)} ${t(`kind.${wanted.kind}`)}`}</b></p>`;
};

/** The verdict first, in one line a person can read out. */
const Judgement = ({ passage }) => {
  if (!passage.verdict) return html`<p class="judgement none"><${Mark} name="clock" /><b>${t("passage.not_judged")}</b></p>`;
  const mark = verdictMark(passage.verdict);
  const stops = checksOf(passage).filter((one) => one.verdict !== "release");
  return html`<div class=${`judgement ${tone.verdict(passage.verdict)}`}>
    <${Mark} name=${mark} />
    <p><b>${t(`verdict.${passage.verdict}`)}</b> <span>${stops.length ? stops.map((one) => t(`check.${one.reason_code}`)).join(t("passage.and")) : t("passage.nothing_wrong")}</span></p>
    ${passage.verdict !== "release" && passage.override_by && html`<p class="who-may">${t(`override.${passage.override_by}.long`)}</p>`}
  </div>`;
};

const Source = ({ passage }) => {
  if (!passage.source) return null;
  return html`<p class=${`source ${passage.source}`}>
    <${Mark} name=${passage.source === "central" ? "check" : "clock"} />${t(`source.${passage.source}`)}${passage.as_of && html` · ${t("source.as_of", { at: clockTime(passage.as_of) })}`}
  </p>`;
};

/** The facts' version lights up where it stands when they change: nothing else may move under the hand. */
const identity = (passage, isFresh, isTakenBack) => html`<div class="lead">
  <${Plate} plate=${passage.plate} />
  ${passage.trailer_plate && html`<${Plate} plate=${passage.trailer_plate} />`}
  ${(passage.other_plates ?? []).length > 0 && html`<span class="others"><span class="dim">${t("passage.other_plates")}</span> ${passage.other_plates.map((plate) => html`<${Plate} key=${plate} plate=${plate} small />`)}</span>`}
  <span class="versions" data-facts-version=${passage.facts_version}>
    <span class=${isFresh ? "fresh" : ""}>${t("passage.facts", { version: passage.facts_version })}${isFresh && html` · ${t("passage.fresh")}`}</span>
    ${passage.tier && html` · ${t("passage.tier", { tier: has(`tier.${passage.tier}`) ? t(`tier.${passage.tier}`) : passage.tier })}`}
    ${passage.disposition && html` · ${t(isTakenBack ? "passage.taken_back" : "passage.disposed", { way: t(`disposition.${passage.disposition}`), by: (passage.disposed_by ?? "").replace(/^user:/, "") || "–" })}`}
  </span>
</div>`;

/** The passage: left what was decided, right what it was decided on. */
export const Passage = ({ passage, isFresh, isTakenBack }) => {
  const checks = checksOf(passage);
  return html`<section class="passage" aria-label=${t("passage.title")}>
    ${identity(passage, isFresh, isTakenBack)}
    <${Judgement} passage=${passage} />
    <div class="two">
      <div>
        <${ToGo} passage=${passage} />
        ${checks.length > 0 && html`<ul class="checks">${checks.map((check) => html`<${Check} key=${check.reason_code} check=${check} />`)}</ul>`}
        ${passage.explanation && html`<p class="explanation">${told(passage.explanation)}</p>`}
        <${Photos} passage=${passage} />
      </div>
      <div>
        <${Masses} passage=${passage} />
        ${(passage.slips ?? []).map((slip) => html`<${Slip} key=${slip.slip_no} slip=${slip} />`)}
        ${(passage.slips ?? []).length === 0 && html`<p class="dim">${passage.scanned?.length ? t("slip.scanned_only", { slip: passage.scanned.join(", ") }) : t("slip.none")}</p>`}
        <${Seen} passage=${passage} />
        <${Source} passage=${passage} />
      </div>
    </div>
  </section>`;
};

// All lanes at a glance, one row each.
import { Spark } from "./curve.js";
import { firstStop, inputsAreOld, isOld } from "./facts.js";
import { html, Mark, stateMark, tone, verdictMark } from "./html.js";
import { duration, number, t, told } from "./i18n.js";
import { Kbd, keyed } from "./keys.js";
import { ageNow, lanes, now, order } from "./live.js";
import { Strip } from "./strip.js";

/** Weight as it is, or why there is none. Never an old number that looks like a current one. */
export const Weight = ({ lane }) => {
  const weight = lane.weight;
  if (!weight) return html`<span class="weight none">${t("weight.no_bridge")}</span>`;
  if (isOld(lane, weight.age_ms)) {
    const age = ageNow(lane, weight.age_ms);
    return html`<span class="weight old"><${Mark} name="clock" />${t("weight.old", { age: age === null ? "–" : duration(age) })}</span>`;
  }
  if (weight.status !== "ok" || weight.value_kg === null) {
    return html`<span class="weight old"><${Mark} name="bolt" />${t(`weight.status.${weight.status}`)}</span>`;
  }
  const motion = weight.stable === true ? "stable" : weight.stable === false ? "motion" : "unknown";
  return html`<span class="weight">
    <span class="value">${number(weight.value_kg)}</span> <span class="unit">kg</span>
    <span class=${`steady ${motion}`}>${t(`weight.${motion}`)}</span>
  </span>`;
};

export const Plate = ({ plate, small }) => {
  const size = small ? "small" : "";
  return plate ? html`<span class=${`plate ${size}`}>${plate}</span>` : html`<span class=${`plate unread ${size}`}>${t("plate.unread")}</span>`;
};

export const Verdict = ({ verdict }) =>
  verdict &&
  html`<span class=${`badge ${tone.verdict(verdict)}`}><${Mark} name=${verdictMark(verdict)} />${t(`verdict.${verdict}`)}</span>`;

export const State = ({ lane }) => html`
  <span class=${`state ${tone.state(lane.state)}`}>
    <${Mark} name=${stateMark(lane.state)} /><span>${told(lane.state_text)}</span>
    <time class="since">${duration(now.value - Date.parse(lane.since_at))}</time>
  </span>
`;

export const Kind = ({ lane }) => html`<span class="kind">
  <${Mark} name=${lane.direction === "inbound" ? "forward" : "back"} /><span>${t(`direction.${lane.direction}`)}</span>
  <span>${t(`kind.${lane.kind}`)}</span>
  ${lane.hazmat && html`<span class="hazmat">${t("lane.hazmat")}</span>`}
</span>`;

const Vehicle = ({ passage }) => {
  if (!passage) return html`<div class="vehicle empty">${t("lane.no_vehicle")}</div>`;
  const first = firstStop(passage);
  const slip = passage.slips?.[0]?.slip_no ?? passage.scanned?.[0];
  return html`<div class="vehicle">
    <div class="line"><${Plate} plate=${passage.plate} small /><${Verdict} verdict=${passage.verdict} /></div>
    <div class="line under">
      ${first ? html`<span class="reason">${t(`check.${first.reason_code}`)}</span>` : html`<span class="slip" title=${slip}>${slip ?? t("slip.none")}</span>`}
    </div>
  </div>`;
};

/** The key of a lane: its place at this site. What waits comes and goes, so a place in the queue is no key: it would
 * mean another truck by the time the finger is down. */
export const laneKey = (id) => (order.value.indexOf(id) < 9 ? String(order.value.indexOf(id) + 1) : null);

const Row = ({ id, selected, onSelect }) => {
  const lane = lanes.get(id).value;
  if (!lane) return null;
  const stale = inputsAreOld(lane);
  return html`<li class=${`lane ${tone.state(lane.state)} ${selected ? "selected" : ""}`} data-lane=${id}>
    <div class="name">
      <${Kbd} of=${laneKey(id)} /><${Mark} name=${lane.direction === "inbound" ? "forward" : "back"} />
      <button type="button" aria-pressed=${selected} ...${keyed(laneKey(id))} onClick=${() => onSelect(id)}>${told(lane.name)}</button>
      ${lane.hazmat && html`<span class="hazmat" title=${t("lane.hazmat")}><${Mark} name="flame" /><span class="word">${t("lane.hazmat")}</span></span>`}
    </div>
    <div class="sight">
      <${Strip} lane=${lane} stale=${stale} />
      ${stale && html`<span class="old"><${Mark} name="bolt" />${t("inputs.old")}</span>`}
    </div>
    <div class="mass"><${Weight} lane=${lane} />${lane.weight && html`<${Spark} id=${id} beat=${lane.heardAt} />`}</div>
    <${State} lane=${lane} />
    <${Vehicle} passage=${lane.passage} />
  </li>`;
};

/** Every lane of the site. */
export const Lanes = ({ selected, onSelect }) => html`
  <ul class="lanes" aria-label=${t("lanes.title")}>
    ${order.value.map((id) => html`<${Row} key=${id} id=${id} selected=${id === selected} onSelect=${onSelect} />`)}
  </ul>
`;

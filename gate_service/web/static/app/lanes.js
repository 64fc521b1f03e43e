// All lanes at a glance, and the queue of what waits for a person.
import { html, Mark, stateMark, tone, verdictMark } from "./html.js";
import { duration, number, t, told } from "./i18n.js";
import { ageNow, lanes, now, order } from "./live.js";
import { checksOf, inputsAreOld, isOld, queueOf } from "./facts.js";
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
    <span class=${`motion ${motion}`}>${t(`weight.${motion}`)}</span>
  </span>`;
};

export const Plate = ({ plate }) =>
  plate ? html`<span class="plate">${plate}</span>` : html`<span class="plate unread">${t("plate.unread")}</span>`;

export const Verdict = ({ verdict }) =>
  verdict &&
  html`<span class=${`badge ${tone.verdict(verdict)}`}><${Mark} name=${verdictMark(verdict)} />${t(`verdict.${verdict}`)}</span>`;

export const State = ({ lane }) => html`
  <span class=${`state ${tone.state(lane.state)}`}>
    <${Mark} name=${stateMark(lane.state)} /><span>${told(lane.state_text)}</span>
    <time class="since">${duration(now.value - Date.parse(lane.since_at))}</time>
  </span>
`;

const direction = (lane) => html`<${Mark} name=${lane.direction === "inbound" ? "forward" : "back"} />`;

const Vehicle = ({ passage }) => {
  if (!passage) return html`<div class="vehicle empty">${t("lane.no_vehicle")}</div>`;
  const first = checksOf(passage).find((check) => check.verdict !== "release");
  const slip = passage.slips?.[0]?.slip_no ?? passage.scanned?.[0];
  return html`<div class="vehicle">
    <div class="line"><${Plate} plate=${passage.plate} /><${Verdict} verdict=${passage.verdict} /></div>
    <div class="line small">
      ${first ? html`<span class="reason">${t(`check.${first.reason_code}`)}</span>` : html`<span class="slip">${slip ?? t("slip.none")}</span>`}
    </div>
  </div>`;
};

const Row = ({ id, selected, onSelect }) => {
  const lane = lanes.get(id).value;
  if (!lane) return null;
  const stale = inputsAreOld(lane);
  return html`<li class=${`lane ${tone.state(lane.state)} ${selected ? "selected" : ""}`} data-lane=${id}>
    <div class="name">
      <button type="button" aria-pressed=${selected} onClick=${() => onSelect(id)}>${told(lane.name)}</button>
      <span class="kind">
        ${direction(lane)}<span>${t(`direction.${lane.direction}`)}</span><span>${t(`kind.${lane.kind}`)}</span>
        ${lane.hazmat && html`<span class="hazmat">${t("lane.hazmat")}</span>`}
      </span>
    </div>
    <div class="sight">
      <${Strip} lane=${lane} stale=${stale} />
      ${stale && html`<span class="old"><${Mark} name="bolt" />${t("inputs.old")}</span>`}
    </div>
    <${Weight} lane=${lane} />
    <${State} lane=${lane} />
    <${Vehicle} passage=${lane.passage} />
  </li>`;
};

/** Every lane of the site, one row each. */
export const Lanes = ({ selected, onSelect }) => html`
  <ul class="lanes" aria-label=${t("lanes.title")}>
    ${order.value.map((id) => html`<${Row} key=${id} id=${id} selected=${id === selected} onSelect=${onSelect} />`)}
  </ul>
`;

const why = (lane) => {
  if (lane.state === "fault" || lane.state === "fire" || !lane.passage) return told(lane.state_text);
  const first = checksOf(lane.passage).find((check) => check.verdict !== "release");
  return first ? t(`check.${first.reason_code}`) : told(lane.state_text);
};

/** What waits for a person, the most urgent first; keys 1 to 9 choose. */
export const Queue = ({ selected, onSelect }) => {
  const waiting = queueOf(order.value.map((id) => lanes.get(id).value));
  return html`<nav class="queue" aria-label=${t("queue.title")}>
    <h2>${t("queue.title")} <span class=${waiting.length ? "count some" : "count"}>${waiting.length}</span></h2>
    ${waiting.length === 0 && html`<p class="dim">${t("queue.empty")}</p>`}
    <ol>
      ${waiting.map(
        (lane, place) => html`<li key=${lane.id}>
          <button
            type="button"
            class=${`call ${tone.state(lane.state)} ${lane.attention.escalated ? "escalated" : ""}`}
            aria-pressed=${lane.id === selected}
            onClick=${() => onSelect(lane.id)}
          >
            <kbd aria-hidden="true">${place + 1}</kbd><${Mark} name=${stateMark(lane.state)} />
            <span class="what"><b>${told(lane.name)}</b> ${why(lane)}</span>
            ${lane.passage?.plate && html`<span class="dim">${lane.passage.plate}</span>`}
            <time>${duration(now.value - Date.parse(lane.attention.since_at))}</time>
            ${lane.attention.escalated && html`<span class="late">${t("queue.escalated")}</span>`}
          </button>
        </li>`,
      )}
    </ol>
  </nav>`;
};

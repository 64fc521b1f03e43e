// What waits for a person, over all lanes: the most urgent first. Each call shows the key of its lane.
import { waiting } from "./calls.js";
import { firstStop, waitsSince } from "./facts.js";
import { html, Mark, stateMark, tone } from "./html.js";
import { duration, t, told } from "./i18n.js";
import { Kbd } from "./keys.js";
import { laneKey } from "./lanes.js";
import { now } from "./live.js";

const why = (lane) => {
  if (lane.approval) return t("queue.second");
  if (lane.state === "fault" || lane.state === "fire" || !lane.passage) return told(lane.state_text);
  const first = firstStop(lane.passage);
  return first ? t(`check.${first.reason_code}`) : told(lane.state_text);
};

const Call = ({ lane, isChosen, onSelect }) => {
  const isLate = lane.attention?.escalated;
  return html`<li>
    <button
      type="button"
      class=${`call ${tone.state(lane.state)} ${isLate ? "escalated" : ""}`}
      aria-pressed=${isChosen}
      title=${isLate ? t("queue.escalated") : undefined}
      onClick=${() => onSelect(lane.id)}
    >
      <${Kbd} of=${laneKey(lane.id)} /><${Mark} name=${lane.approval ? "two" : stateMark(lane.state)} />
      <b class="where">${told(lane.name)}</b>
      <span class="times"><time class=${isLate ? "late" : ""}>${isLate && html`<span aria-hidden="true">! </span><span class="hidden">${t("queue.escalated")} </span>`}${duration(now.value - waitsSince(lane))}</time></span>
      <span class="what">${lane.passage?.plate && html`<span class="plate small">${lane.passage.plate}</span> `}${why(lane)}</span>
    </button>
  </li>`;
};

export const Queue = ({ selected, onSelect }) => {
  const calls = waiting();
  return html`<section class=${calls.length ? "queue" : "queue calm"} aria-label=${t("queue.title")}>
    <h2>${t("queue.title")} <span class=${calls.length ? "count some" : "count"}>${calls.length}</span></h2>
    ${calls.length === 0 && html`<p class="dim"><${Mark} name="check" />${t("queue.empty")}</p>`}
    <ol>
      ${calls.map((lane) => html`<${Call} key=${lane.id} lane=${lane} isChosen=${lane.id === selected} onSelect=${onSelect} />`)}
    </ol>
  </section>`;
};

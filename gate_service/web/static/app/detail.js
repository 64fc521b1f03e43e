// One lane with everything needed to decide, on one screen.
import { Commands } from "./act.js";
import { Approval } from "./approval.js";
import { Chart } from "./chart.js";
import { Devices, isSilent } from "./devices.js";
import { inputsAreOld, isSettling, wantedWeight } from "./facts.js";
import { html, Mark } from "./html.js";
import { t, told } from "./i18n.js";
import { Kind, State, Weight } from "./lanes.js";
import { lanes, now } from "./live.js";
import { Passage } from "./passage.js";
import { Strip } from "./strip.js";

/** States in which a person owns the vehicle: what was decided for it before no longer carries it out. */
const TAKEN_OVER = new Set(["review", "detained"]);

/** What was read at the approach of the vehicle that comes next. */
const Next = ({ reads }) =>
  reads.length > 0 &&
  html`<p class="next"><${Mark} name="clock" /><span class="dim">${t("lane.kept_for_next")}</span> ${reads.map((read) => [read.plate, read.scanned].filter(Boolean).join(" ")).filter(Boolean).join(", ")}</p>`;

/** What must be known before anything else of this lane is believed. */
const Notices = ({ lane }) => html`
  ${lane.passage?.note === "restart_asked" && TAKEN_OVER.has(lane.state) && !lane.approval && html`<p class="note" role="status"><${Mark} name="two" />${t("passage.restart_asked")}</p>`}
  ${lane.fire && html`<p class="refused" role="alert"><${Mark} name="flame" />${t("lane.fire")}</p>`}
  ${lane.power_fail && html`<p class="refused" role="alert"><${Mark} name="bolt" />${t("lane.power_fail")}</p>`}
  ${lane.local_button && html`<p class="note" role="status"><${Mark} name="hand" />${t("lane.local_button")}</p>`}
  ${lane.closing_asked && html`<p class="note"><${Mark} name="clock" />${t("lane.closing_asked")}</p>`}
`;

/** What the inputs see, in words under the drawing: for those who do not read drawings at three in the morning. */
const Seen = ({ lane }) => {
  if (inputsAreOld(lane)) return html`<p class="seen-words bad"><${Mark} name="bolt" />${t("inputs.old")}</p>`;
  const booms = Object.entries(lane.booms).map(([side, at]) => html`<span class=${at}>${t(`side.${side}`)} <b>${t(`boom.${at}`)}</b></span>`);
  return html`<p class="seen-words">${booms}</p>`;
};

export const Detail = ({ id }) => {
  now.value; // ages and the settling moment
  const lane = id && lanes.get(id)?.value;
  if (!lane) return html`<section class="detail empty" aria-label=${t("detail.title")}><p class="dim">${t("detail.choose")}</p></section>`;
  const hasFault = (lane.devices ?? []).some((device) => isSilent(lane, device));
  return html`<section class="detail" aria-label=${t("detail.title")} data-lane=${lane.id}>
    <header>
      <div><h2 tabindex="-1">${told(lane.name)}</h2><${Kind} lane=${lane} /></div>
      <${State} lane=${lane} />
    </header>
    <div class=${lane.weight ? "live" : "live no-weight"}>
      <div class="mass"><${Weight} lane=${lane} /></div>
      ${lane.weight && html`<${Chart} lane=${lane} wanted=${wantedWeight(lane.passage)} />`}
      <div class="sight"><${Strip} lane=${lane} stale=${inputsAreOld(lane)} /><${Seen} lane=${lane} /></div>
    </div>
    <div class="all" tabindex="0" role="group" aria-label=${t("detail.facts")}>
      <${Notices} lane=${lane} />
      <${Approval} lane=${lane} />
      ${hasFault && html`<${Devices} lane=${lane} />`}
      ${lane.passage ? html`<${Passage} passage=${lane.passage} isFresh=${isSettling(lane)} isTakenBack=${TAKEN_OVER.has(lane.state)} />` : html`<p class="dim empty-lane">${t("lane.no_vehicle")}</p>`}
      <${Next} reads=${lane.kept_for_next ?? []} />
      <p class="driver-line"><span class="dim">${t("driver.sees")}</span> <q>${told(lane.driver)}</q></p>
      ${!hasFault && html`<${Devices} lane=${lane} />`}
    </div>
    <${Commands} lane=${lane} />
  </section>`;
};

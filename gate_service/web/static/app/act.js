// Asking for something: the buttons of a lane, and what became of the last command.
import { session } from "./api.js";
import { problemText } from "./chrome.js";
import { begin, draft, isAboutVehicle, outcome } from "./draft.js";
import { blockedBecause, isSettling, offered, suggested } from "./facts.js";
import { Form } from "./form.js";
import { html, Mark } from "./html.js";
import { t, told } from "./i18n.js";
import { COMMAND_KEYS, Kbd, keyed } from "./keys.js";
import { Plate } from "./lanes.js";
import { connection, now } from "./live.js";

const MARKS = {
  release: "check",
  inspect: "search",
  turn_back: "back",
  refuse: "cross",
  hold: "hand",
  reweigh: "scale",
  resolve: "pen",
  crossed: "gone",
  departed: "back",
  open_lane: "check",
  close_lane: "cross",
  clear_fault: "bolt",
  zero: "scale",
  raise_boom: "up",
  lower_boom: "down",
  emergency_raise: "flame",
};

/** How long the word that a command was taken stays: long enough to read, too short to be believed of what came after. */
const SAID_MS = 8000;
const PLACES = ["release", "resolve", "reweigh", "hold", "turn_back", "refuse", "inspect"];

/** Who must be part of a release against the verdict, as a word under the button. */
function needs(lane, command) {
  const by = lane.passage?.override_by;
  if (command !== "release" || lane.passage?.verdict === "release" || !by || by === "operator") return null;
  if (by === "supervisor" && session.value.role !== "operator") return null;
  return html`<small>${t(`override.${by}`)}</small>`;
}

function whyNot(lane, command, isOffered) {
  if (!isOffered) return "blocked.state";
  const blocked = blockedBecause(lane, command, connection.value);
  return blocked ?? (isAboutVehicle(command) && isSettling(lane) ? "blocked.settling" : null);
}

const Button = ({ lane, command, isNext, isOffered = true }) => {
  const blocked = whyNot(lane, command, isOffered);
  const key = COMMAND_KEYS[command];
  return html`<button
    type="button"
    class=${`command ${command} ${isNext ? "next" : ""}`}
    data-command=${command}
    disabled=${blocked !== null}
    title=${blocked ? t(blocked) : undefined}
    ...${keyed(key)}
    onClick=${() => begin(lane, command)}
  >
    <${Mark} name=${MARKS[command]} /><span>${t(`command.${command}`)}${needs(lane, command)}</span><${Kbd} of=${key} />
  </button>`;
};

/** What the last command came to. A vehicle that changed under the hand is shown large: nothing was done to either. */
export const Outcome = ({ lane }) => {
  const last = outcome.value;
  if (last?.lane !== lane.id) return null;
  const command = t(`command.${last.command}`);
  if (!last.code) {
    now.value;
    if (performance.now() - last.at > SAID_MS) return null;
    return html`<p class=${last.pending ? "note" : "done"} role="status">
      <${Mark} name=${last.pending ? "two" : "check"} />${t(last.pending ? "act.pending" : "act.done", { command })}
      ${last.plate && html` <span class="plate small">${last.plate}</span>`}
    </p>`;
  }
  const isOther = last.code === "passage_changed";
  return html`<div class=${`refused ${isOther ? "moved" : ""}`} role="alert">
    <p class="lead"><${Mark} name="cross" /><b>${t("act.refused", { command })}</b></p>
    ${isOther && html`<${Changed} last=${last} now=${lane.passage} />`}
    <p>${problemText(last)}</p>
    ${last.detail && !isOther && html`<p class="detail-text" lang="en">${last.detail}</p>`}
    <button type="button" class="quiet" onClick=${() => (outcome.value = null)}>${t("act.read")}</button>
  </div>`;
};

/** The vehicle that was meant, and the one that is there now; for a moment this page may not have heard of it yet. */
const Changed = ({ last, now }) => {
  const isOldNews = now?.id === last.passageId && now?.facts_version === last.factsVersion;
  const there = now ? html`<${Plate} plate=${now.plate} small />` : t("lane.no_vehicle");
  return html`<p class="changed">
    <span><span class="dim">${t("act.meant")}</span> <${Plate} plate=${last.plate} small /> <span class="dim">${t("passage.facts", { version: last.factsVersion })}</span></span>
    <span><span class="dim">${t("act.there_now")}</span> ${isOldNews ? t("act.not_heard") : there} ${now && !isOldNews && html`<span class="dim">${t("passage.facts", { version: now.facts_version })}</span>`}</span>
  </p>`;
};

/** Why what is shown cannot be clicked, said once for all buttons. */
const Blocked = ({ lane }) => {
  const why = blockedBecause(lane, "release", connection.value);
  if (why === null || why === "blocked.nobody") return null;
  return html`<p class="blocked" role="status"><${Mark} name="bolt" />${t(why)}</p>`;
};

/** Every command on a vehicle has its own place, whether it can be given now or not: a hand that knows the place of
 * "turn back" never finds "release" there. They stand at the bottom, where nothing above can push them. */
const Choices = ({ lane }) => {
  const groups = offered(lane, session.value.commands);
  const next = suggested(lane);
  const mine = PLACES.filter((command) => session.value.commands.includes(command));
  return html`
    <${Blocked} lane=${lane} />
    <div class="group on-lane" role="group" aria-label=${t("act.lane", { lane: told(lane.name) })}>
      ${[...groups.seen, ...groups.lane].map((command) => html`<${Button} key=${command} lane=${lane} command=${command} />`)}
    </div>
    ${lane.passage &&
    html`<div class="group on-vehicle" role="group" aria-label=${t("act.vehicle")}>
      ${mine.map((command) => html`<${Button} key=${command} lane=${lane} command=${command} isNext=${command === next} isOffered=${groups.vehicle.includes(command)} />`)}
    </div>`}
  `;
};

/** All that can be asked of one lane. */
export const Commands = ({ lane }) => {
  if (!session.value?.commands.length) return null;
  const isOpen = draft.value?.lane === lane.id;
  return html`<section class="commands" aria-label=${t("act.title")}>
    <${Outcome} lane=${lane} />
    ${isOpen ? html`<${Form} key=${draft.value.key} lane=${lane} />` : html`<${Choices} lane=${lane} />`}
  </section>`;
};

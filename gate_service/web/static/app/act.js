// Asking for something: the commands of a lane, each with its reason, bound to the vehicle and facts it was chosen on.
import { signal } from "../vendor/signals.mjs";
import { newKey, post, session } from "./api.js";
import { problemText } from "./chrome.js";
import { blockedBecause, offered } from "./facts.js";
import { html, Mark } from "./html.js";
import { t, told } from "./i18n.js";
import { connection, lanes } from "./live.js";

const OTHER = "other";
/** Reasons of each command, the frequent ones first. */
export const REASONS = {
  release: ["documents_checked", "weight_explained", "plate_confirmed", "customs_instruction", OTHER],
  inspect: ["suspicion", "hold_notice", "customs_instruction", "seal_damaged", OTHER],
  turn_back: ["driver_request", "wrong_lane", "documents_missing", "customs_instruction", OTHER],
  refuse: ["documents_missing", "not_authorised", "overweight", "customs_instruction", OTHER],
  hold: ["waiting_for_documents", "waiting_for_customs", "questions", OTHER],
  reweigh: [],
  resolve: [],
  open_lane: [],
  close_lane: ["maintenance", "end_of_shift", "accident", "traffic", OTHER],
  zero: ["snow_or_mud", "zero_drift", OTHER],
  clear_fault: ["device_repaired", "checked_on_site", "link_back", OTHER],
  raise_boom: ["vehicle_waiting", "test", "boom_blocked", OTHER],
  lower_boom: ["lane_empty", "test", OTHER],
  emergency_raise: ["fire_engine", "ambulance", "person_in_danger", OTHER],
};
const NEEDS_SIDE = new Set(["raise_boom", "lower_boom", "emergency_raise"]);
const ON_VEHICLE = new Set(["release", "inspect", "turn_back", "refuse", "hold", "reweigh", "resolve"]);
const MARKS = { release: "check", inspect: "search", turn_back: "back", refuse: "cross", hold: "hand", resolve: "person" };
const FACTS = ["plate", "slip_nos", "trailer_plate", "containers", "seals"];
const LISTS = new Set(["slip_nos", "containers", "seals"]);

/** The command being filled in, or null. */
export const draft = signal(null);
/** What became of the last one: {lane, code?, detail?, command}. */
export const outcome = signal(null);

function begin(lane, command) {
  outcome.value = null;
  draft.value = {
    lane: lane.id,
    command,
    key: newKey(),
    passageId: lane.passage?.id ?? null,
    factsVersion: lane.passage?.facts_version ?? null,
    plate: lane.passage?.plate ?? null,
    reasonCode: REASONS[command].length ? null : undefined,
    reason: "",
    side: NEEDS_SIDE.has(command) ? "exit" : null,
    fields: {},
    sending: false,
  };
}

const change = (values) => (draft.value = { ...draft.value, ...values });

export function closeDraft() {
  draft.value = null;
}

const words = (text) => text.split(/[\s,，、;；]+/).filter(Boolean);

function fieldsOf(asked) {
  const fields = asked.side ? { side: asked.side } : {};
  for (const [name, text] of Object.entries(asked.fields)) {
    if (text.trim()) fields[name] = LISTS.has(name) ? words(text) : text.trim();
  }
  return fields;
}

/** Whether the vehicle or its facts changed since the command was chosen. */
function hasMovedOn(asked, lane) {
  if (!ON_VEHICLE.has(asked.command)) return false;
  return lane.passage?.id !== asked.passageId || lane.passage?.facts_version !== asked.factsVersion;
}

function isComplete(asked) {
  if (asked.reasonCode === null) return false;
  if (asked.reasonCode === OTHER && !asked.reason.trim()) return false;
  return asked.command !== "resolve" || Object.keys(fieldsOf(asked)).length > 0;
}

async function send() {
  const asked = draft.value;
  change({ sending: true });
  const body = {
    command: asked.command,
    ...(ON_VEHICLE.has(asked.command) ? { passage_id: asked.passageId, facts_version: asked.factsVersion } : {}),
    reason_code: asked.reasonCode ?? null,
    reason: asked.reason.trim() || null,
    fields: fieldsOf(asked),
  };
  try {
    await post(`/api/v1/lanes/${encodeURIComponent(asked.lane)}/commands`, body, { "idempotency-key": asked.key });
    outcome.value = { lane: asked.lane, command: asked.command };
    draft.value = null;
  } catch (problem) {
    outcome.value = { lane: asked.lane, command: asked.command, code: problem.code, detail: problem.message };
    // No answer: the same key again is the same act. Refused: it is over, choose anew on what is there now.
    if (problem.code === "no_answer") change({ sending: false });
    else draft.value = null;
  }
}

const Button = ({ lane, command }) => {
  const blocked = blockedBecause(lane, command, connection.value);
  return html`<button
    type="button"
    class=${`command ${command}`}
    data-command=${command}
    disabled=${blocked !== null}
    title=${blocked ? t(blocked) : undefined}
    onClick=${() => begin(lane, command)}
  >
    ${MARKS[command] && html`<${Mark} name=${MARKS[command]} />`}${t(`command.${command}`)}
  </button>`;
};

const Reasons = ({ asked }) => html`
  <fieldset class="chips">
    <legend>${t("act.reason")}</legend>
    ${REASONS[asked.command].map(
      (code) => html`<label key=${code} class="chip">
        <input
          type="radio"
          name="reason"
          value=${code}
          checked=${asked.reasonCode === code}
          onChange=${() => change({ reasonCode: code })}
        /><span>${t(`reason.${code}`)}</span>
      </label>`,
    )}
  </fieldset>
`;

const Sides = ({ asked, lane }) => html`
  <fieldset class="chips">
    <legend>${t("act.side")}</legend>
    ${["entry", "exit"]
      .filter((side) => side in lane.booms)
      .map(
        (side) => html`<label key=${side} class="chip">
          <input type="radio" name="side" checked=${asked.side === side} onChange=${() => change({ side })} />
          <span>${t(`side.${side}`)}</span>
        </label>`,
      )}
  </fieldset>
`;

const Facts = ({ asked }) => html`
  <div class="fields">
    ${FACTS.map(
      (name) => html`<label key=${name}>
        <span>${t(`fact.${name}`)}</span>
        <input
          name=${name}
          autocomplete="off"
          maxlength="200"
          value=${asked.fields[name] ?? ""}
          onInput=${(event) => change({ fields: { ...asked.fields, [name]: event.target.value } })}
        />
      </label>`,
    )}
  </div>
`;

/** The form of the chosen command. It acts on the vehicle it was opened for, or on none. */
const Form = ({ lane }) => {
  const asked = draft.value;
  const moved = hasMovedOn(asked, lane);
  const blocked = blockedBecause(lane, asked.command, connection.value);
  const submit = (event) => {
    event.preventDefault();
    send();
  };
  return html`<form class=${`act ${asked.command}`} onSubmit=${submit} aria-label=${t(`command.${asked.command}`)}>
    <h3>
      ${t(`command.${asked.command}`)}
      ${ON_VEHICLE.has(asked.command) && html` <span class=${asked.plate ? "plate" : "plate unread"}>${asked.plate ?? t("plate.unread")}</span>`}
    </h3>
    ${asked.side && html`<${Sides} asked=${asked} lane=${lane} />`}
    ${asked.command === "resolve" && html`<${Facts} asked=${asked} />`}
    ${REASONS[asked.command].length > 0 && html`<${Reasons} asked=${asked} />`}
    ${asked.command !== "resolve" &&
    html`<label class="text">
      <span>${t(asked.reasonCode === OTHER ? "act.text_needed" : "act.text")}</span>
      <textarea
        name="reason"
        rows="2"
        maxlength="1000"
        value=${asked.reason}
        onInput=${(event) => change({ reason: event.target.value })}
      ></textarea>
    </label>`}
    ${moved && html`<p class="refused" role="alert"><${Mark} name="bolt" />${t("act.moved_on")}</p>`}
    ${blocked && html`<p class="refused" role="alert"><${Mark} name="bolt" />${t(blocked)}</p>`}
    <div class="buttons">
      <button class="confirm" disabled=${moved || blocked !== null || asked.sending || !isComplete(asked)}>
        ${asked.sending ? t("act.sending") : t("act.confirm", { command: t(`command.${asked.command}`) })}
      </button>
      <button type="button" class="quiet" onClick=${closeDraft}>${t("act.cancel")}</button>
    </div>
  </form>`;
};

const Outcome = ({ lane }) => {
  const last = outcome.value;
  if (last?.lane !== lane.id) return null;
  if (!last.code) {
    return html`<p class="done" role="status"><${Mark} name="check" />${t("act.done", { command: t(`command.${last.command}`) })}</p>`;
  }
  return html`<div class="refused" role="alert">
    <p><${Mark} name="cross" /><b>${t("act.refused", { command: t(`command.${last.command}`) })}</b></p>
    <p>${problemText(last)}</p>
    ${last.detail && html`<p class="detail" lang="en">${last.detail}</p>`}
  </div>`;
};

/** All that can be asked of one lane. */
export const Commands = ({ lane }) => {
  const groups = offered(lane, session.value?.commands ?? []);
  if (!session.value?.commands.length) return null;
  const open = draft.value?.lane === lane.id;
  return html`<section class="commands" aria-label=${t("act.title")}>
    <${Outcome} lane=${lane} />
    ${open ? html`<${Form} lane=${lane} />` : html`<${Choices} lane=${lane} groups=${groups} />`}
  </section>`;
};

const Choices = ({ lane, groups }) => html`
  ${groups.vehicle.length > 0 &&
  html`<div class="group on-vehicle">
    ${groups.vehicle.map((command) => html`<${Button} key=${command} lane=${lane} command=${command} />`)}
  </div>`}
  <h3 class="dim">${t("act.lane", { lane: told(lane.name) })}</h3>
  <div class="group on-lane">
    ${groups.lane.map((command) => html`<${Button} key=${command} lane=${lane} command=${command} />`)}
  </div>
`;

/** A draft for a lane that is no longer shown is given up. */
export function leaveLane(id) {
  if (draft.peek() && draft.peek().lane !== id) closeDraft();
  if (outcome.peek() && outcome.peek().lane !== id) outcome.value = null;
  return lanes.get(id);
}

// The form of the chosen command. It acts on the vehicle it was opened for, or on none.
import { session } from "./api.js";
import { change, closeDraft, draft, hasMovedOn, isAboutVehicle, isComplete, mayApprove, send, stoppedBecause, waysFor } from "./draft.js";
import { effectOf } from "./effect.js";
import { checksOf } from "./facts.js";
import { html, Mark } from "./html.js";
import { t, told } from "./i18n.js";
import { Kbd, keyed, keysOn } from "./keys.js";
import { isSwitching } from "./lock.js";
import { OTHER, reasonsFor, REASONS, reasonText } from "./reasons.js";
import { useEffect, useRef } from "../vendor/hooks.mjs";

const FACTS = ["plate", "slip_nos", "trailer_plate", "containers", "seals"];

/** One choice among a few: chips with their digits. */
const Chips = ({ name, legend, options, chosen, onChoose, digits }) => html`
  <fieldset class="chips">
    <legend>${legend}</legend>
    ${options.map(
      ({ code, text, times }, place) => html`<label key=${code} class="chip">
        <input type="radio" name=${name} value=${code} checked=${chosen === code} ...${digits && place < 9 ? keyed(String(place + 1)) : {}} onChange=${() => onChoose(code)} />
        <span>${digits && place < 9 && html`<${Kbd} of=${String(place + 1)} />`}${text}${times > 0 && html` <small title=${t("act.times", { times })}>${times}</small>`}</span>
      </label>`,
    )}
  </fieldset>
`;

const Reasons = ({ asked, lane }) => {
  const stops = asked.command === "release" ? [] : checksOf(lane.passage).filter((one) => one.verdict !== "release");
  const fitting = isAboutVehicle(asked.command) ? stops.map((one) => one.reason_code).slice(0, 3) : [];
  const options = reasonsFor(asked.command, fitting).map((one) => ({ ...one, text: reasonText(one.code) }));
  return html`<${Chips} name="reason" legend=${t("act.reason")} options=${options} chosen=${asked.reasonCode} digits onChoose=${(reasonCode) => change({ reasonCode })} />`;
};

const Sides = ({ asked, lane }) => {
  const sides = ["entry", "exit"].filter((side) => side in lane.booms).map((code) => ({ code, text: t(`side.${code}`) }));
  return html`<${Chips} name="side" legend=${t("act.side")} options=${sides} chosen=${asked.side} onChoose=${(side) => change({ side })} />`;
};

const Ways = ({ asked, lane }) => {
  const ways = waysFor(lane, asked.command).map((code) => ({ code, text: t(`way.${code}`) }));
  return html`<${Chips} name="way" legend=${t("act.way")} options=${ways} chosen=${asked.way} onChoose=${(way) => change({ way })} />
    ${asked.way === "escort" && html`<div class="fields"><${Field} asked=${asked} name="escort" label=${t("fact.escort")} /></div>`}`;
};

const Field = ({ asked, name, label, ...more }) => html`<label>
  <span>${label}</span>
  <input
    name=${name}
    autocomplete="off"
    maxlength="200"
    spellcheck=${false}
    value=${asked.fields[name] ?? ""}
    onInput=${(event) => change({ fields: { ...asked.fields, [name]: event.target.value } })}
    ...${more}
  />
</label>`;

/** Plates that are known already, so that nobody types one at night: what was read, and what the slips say. */
function platesOf(passage) {
  const read = [passage?.plate, ...(passage?.other_plates ?? [])].map((code) => [code, "act.plate_read"]);
  const listed = (passage?.slips ?? []).map((slip) => [slip.vehicle?.plate, "act.plate_listed"]);
  const known = [...read, ...listed].filter(([code]) => code);
  const first = (code) => known.findIndex(([other]) => other === code);
  const different = known.filter(([code], place) => first(code) === place);
  const isOpen = !passage?.plate || different.length > 1;
  return isOpen ? different.map(([code, from]) => ({ code, text: `${code} · ${t(from)}` })) : [];
}

/** Facts of the vehicle that a person supplies; the one that is missing comes first. */
const Facts = ({ asked, lane }) => {
  const plates = platesOf(lane.passage);
  const isSlipMissing = checksOf(lane.passage).some((one) => one.reason_code.startsWith("slip_"));
  const order = isSlipMissing && lane.passage?.plate ? ["slip_nos", ...FACTS.filter((name) => name !== "slip_nos")] : FACTS;
  return html`${plates.length > 0 && html`<${Chips} name="seen-plate" legend=${t("act.which_plate")} options=${plates} chosen=${asked.fields.plate} digits onChoose=${(plate) => change({ fields: { ...asked.fields, plate } })} />`}
  <div class="fields">
    ${order.map((name) => html`<${Field} key=${name} asked=${asked} name=${name} label=${t(`fact.${name}`)} placeholder=${name === "plate" ? (lane.passage?.plate ?? "") : ""} />`)}
  </div>`;
};

/** The second person: with their own session, or here with name and password. */
const Second = ({ asked }) => {
  const own = mayApprove(asked.approval);
  const { by, reason_code: code, reason } = asked.approval;
  return html`<div class="second">
    <p>${t("approval.what", { by: by.replace(/^user:/, ""), command: t(`command.${asked.approval.command}`) })} ${code && html`<b>${reasonText(code)}</b>`}${reason && html` · ${reason}`}</p>
    ${own
      ? html`<p class="dim">${t("approval.as", { name: session.value.name })}</p>`
      : html`<p class="dim">${t("approval.here")} ${t("second.number", { number: asked.approval.request_no })}</p>
          <div class="fields">
            <${Field} asked=${asked} name="name" label=${t("approval.name")} />
            <${Field} asked=${asked} name="password" label=${t("approval.password")} type="password" />
            <${Field} asked=${asked} name="code" label=${t("form.code")} inputmode="numeric" />
            <p class="dim">${t("approval.code", { number: asked.approval.request_no })}</p>
          </div>`}
  </div>`;
};

const Remark = ({ asked }) => html`<label class="text">
  <span>${t(asked.reasonCode === OTHER ? "act.text_needed" : "act.text")}</span>
  <textarea
    name="reason"
    rows="1"
    maxlength="1000"
    value=${asked.reason}
    onInput=${(event) => change({ reason: event.target.value })}
    onKeyDown=${(event) => event.key === "Enter" && (event.ctrlKey || event.metaKey) && send()}
  ></textarea>
</label>`;

/** What the person should know before confirming: that it goes against the verdict, and who must agree. */
const Warning = ({ asked, lane }) => {
  const by = lane.passage?.override_by;
  if (asked.command !== "release" || lane.passage?.verdict === "release" || !by) return null;
  const isNotMine = stoppedBecause(asked, lane) === "override.not_you";
  return html`<p class="note">
    <${Mark} name=${by === "two" ? "two" : "person"} />${t(`override.${by}.text`)}
    ${isNotMine && html` <b>${t("override.not_you")}</b> <button type="button" onClick=${() => (isSwitching.value = true)}>${t("override.take_over")}</button>`}
  </p>`;
};

/** What others did while the form was open: it still stands, but on another situation than the one it was opened on. */
const Meanwhile = ({ asked, lane }) =>
  asked.state !== lane.state && html`<p class="note" role="alert"><${Mark} name="clock" />${t("act.meanwhile", { state: told(lane.state_text) })}</p>`;

/** Where the hand is put: on what is chosen, else on the first field, else on the button that Enter presses. */
const PLACES = ["input:checked", "input", ".confirm"];

export const Form = ({ lane }) => {
  const asked = draft.value;
  const place = useRef(null);
  const moved = hasMovedOn(asked, lane);
  const blocked = stoppedBecause(asked, lane);
  const effect = effectOf(asked);
  useEffect(() => {
    const before = document.activeElement;
    PLACES.map((one) => place.current.querySelector(one)).find(Boolean)?.focus({ preventScroll: true });
    const command = asked.command;
    const back = () => (document.querySelector(`[data-command=${command}]`) ?? before)?.focus?.({ preventScroll: true });
    return () => setTimeout(back); // once the buttons are there again
  }, []);
  const submit = (event) => {
    event.preventDefault();
    send();
  };
  const title = t(`command.${asked.command}`);
  const isReady = !moved && blocked === null && !asked.sending && isComplete(asked);
  return html`<form class=${`act ${asked.command}`} ref=${place} onSubmit=${submit} aria-label=${title}>
    <h3>
      ${title}
      ${isAboutVehicle(asked.command) && html` <span class=${asked.plate ? "plate small" : "plate small unread"}>${asked.plate ?? t("plate.unread")}</span> <span class="dim">${t("passage.facts", { version: asked.factsVersion })}</span>`}
    </h3>
    <${Warning} asked=${asked} lane=${lane} />
    ${asked.side && html`<${Sides} asked=${asked} lane=${lane} />`}
    ${asked.way && html`<${Ways} asked=${asked} lane=${lane} />`}
    ${asked.command === "resolve" && html`<${Facts} asked=${asked} lane=${lane} />`}
    ${asked.command === "approve" && html`<${Second} asked=${asked} />`}
    ${["crossed", "departed"].includes(asked.command) && html`<p>${t(`attest.${asked.command}`)}</p>`}
    ${(REASONS[asked.command] ?? []).length > 0 && html`<${Reasons} asked=${asked} lane=${lane} /><${Remark} asked=${asked} />`}
    ${moved && html`<p class="refused" role="alert"><${Mark} name="bolt" />${t("act.moved_on")}</p>`}
    ${moved || html`<${Meanwhile} asked=${asked} lane=${lane} />`}
    ${blocked && blocked !== "override.not_you" && html`<p class="refused" role="alert"><${Mark} name="bolt" />${t(blocked)}</p>`}
    <div class="buttons">
      ${effect && html`<p class="effect">${t(effect)}</p>`}
      <button class="confirm" disabled=${!isReady}>
        ${asked.sending ? t("act.sending") : t("act.confirm", { command: title })}${keysOn.value && html` <kbd aria-hidden="true">Enter</kbd>`}
      </button>
      <button type="button" class="quiet" onClick=${closeDraft}>${t("act.cancel")}${keysOn.value && html` <kbd aria-hidden="true">Esc</kbd>`}</button>
    </div>
  </form>`;
};

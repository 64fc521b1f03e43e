// The keyboard: a key presses the button that shows it. What cannot be seen or clicked cannot be pressed either.
import { signal } from "../vendor/signals.mjs";
import { html } from "./html.js";
import { t } from "./i18n.js";

const KEPT = "gate.keys";

/** Whether single keys act; a person who dictates or leans on the keyboard switches them off (WCAG 2.1.4). */
export const keysOn = signal(localStorage.getItem(KEPT) !== "off");

export function switchKeys() {
  keysOn.value = !keysOn.value;
  localStorage.setItem(KEPT, keysOn.value ? "on" : "off");
}

/** Keys of the commands, by what one would say; one table for buttons, help and tests. */
export const COMMAND_KEYS = {
  release: "R",
  inspect: "I",
  turn_back: "T",
  refuse: "X",
  hold: "H",
  reweigh: "W",
  resolve: "S",
  approve: "A",
  crossed: "G",
  departed: "B",
  open_lane: "O",
  close_lane: "C",
  clear_fault: "F",
  zero: "Z",
  turn_lane: "Y",
  reconfigure_lane: "P",
  raise_boom: "U",
  lower_boom: "D",
  emergency_raise: "E",
};

/** The key as it is shown on its button. */
export const Kbd = ({ of }) => keysOn.value && of && html`<kbd aria-hidden="true">${of}</kbd>`;

/** What a button or field with a key needs. */
export const keyed = (key) => (key && keysOn.value ? { "data-key": key, "aria-keyshortcuts": key } : {});

const TYPING = "input:not([type=radio]):not([type=checkbox]), textarea, select";
/** Where a key is looked for, the innermost first: an open dialog keeps its keys to itself, then the form, then the page. */
const PLACES = ["dialog[open]", ".act", "body"];

function pressed(event) {
  return /^Key([A-Z])$/.exec(event.code)?.[1] ?? /^(?:Digit|Numpad)([1-9])$/.exec(event.code)?.[1] ?? event.key;
}

/** Press the button that shows this key. True when there was one. */
function press(key) {
  for (const place of PLACES) {
    const inside = document.querySelector(place);
    const found = inside?.querySelector(`[data-key="${CSS.escape(key)}"]`);
    if (found) {
      if (!found.disabled) found.click();
      return true;
    }
    if (inside?.matches("dialog")) return false;
  }
  return false;
}

/** Listen; `others` are keys that no button shows: {key: act}. They work while typing nowhere, and never with a dialog open. */
export function startKeys(others) {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
    if (event.key === "Escape") others.Escape?.();
    if (event.key === "Enter" && event.repeat) event.preventDefault(); // a key that stays down confirms nothing twice
    if (event.target.closest(TYPING) || event.repeat) return;
    const isNavigation = event.key.startsWith("Arrow");
    if (!keysOn.value && !isNavigation) return;
    const isInChoice = event.target.matches("input[type=radio]") && isNavigation; // arrows move within a choice
    if (isInChoice) return;
    if (press(pressed(event))) event.preventDefault();
    else if (!document.querySelector("dialog[open]") && others[event.key]) {
      others[event.key]();
      event.preventDefault();
    }
  });
}

const KeyRow = ({ keys, text }) => html`<div><dt>${keys.map((key) => html`<kbd>${key}</kbd>`)}</dt><dd>${text}</dd></div>`;

/** All keys, in a dialog; opened by its button or `?`. */
export const KeyHelp = ({ dialog }) => html`
  <dialog ref=${dialog} class="help" aria-labelledby="help-title">
    <h2 id="help-title">${t("keys.title")}</h2>
    <p class="dim">${t("keys.text")}</p>
    <dl class="keys">
      <${KeyRow} keys=${["1 – 9"]} text=${t("keys.queue")} />
      <${KeyRow} keys=${["N"]} text=${t("keys.next")} />
      <${KeyRow} keys=${["↑", "↓"]} text=${t("keys.lanes")} />
      ${Object.entries(COMMAND_KEYS).map(([command, key]) => html`<${KeyRow} keys=${[key]} text=${t(`command.${command}`)} />`)}
      <${KeyRow} keys=${["1 – 9"]} text=${t("keys.reasons")} />
      <${KeyRow} keys=${["Enter"]} text=${t("keys.confirm")} />
      <${KeyRow} keys=${["Esc"]} text=${t("keys.cancel")} />
      <${KeyRow} keys=${["M"]} text=${t("keys.sound")} />
      <${KeyRow} keys=${["L"]} text=${t("keys.language")} />
    </dl>
    <div class="buttons">
      <button type="button" aria-pressed=${keysOn.value} onClick=${switchKeys}>${t(keysOn.value ? "keys.are_on" : "keys.are_off")}</button>
      <button type="button" class="confirm" autofocus onClick=${() => dialog.current.close()}>${t("keys.close")}</button>
    </div>
  </dialog>
`;

// The form for gate-registered goods (GACC Announcement 2023 No. 200). What is wanting the service says, field by field.
import { signal } from "../vendor/signals.mjs";
import { html } from "./html.js";
import { t } from "./i18n.js";

const CATEGORIES = ["infrastructure", "office", "labour_protection", "living", "other"];
const LINE = ["name", "quantity", "unit", "gross_kg", "hs_code", "item_no"];
const NUMBERS = ["quantity", "gross_kg", "tare_kg", "trailer_tare_kg"];
const lines = signal(1);

const value = (name, given) => (NUMBERS.includes(name) ? (given ? Number(given) : null) : given.trim());

function read(form) {
  const given = new FormData(form);
  const line = (at) => Object.fromEntries(LINE.map((name) => [name, value(name, given.get(`${name}-${at}`))]));
  const head = ["direction", "plate", "category", "customs_code", "enterprise", "driver", "tare_kg", "trailer_plate", "trailer_tare_kg"];
  return { ...Object.fromEntries(head.map((name) => [name, value(name, given.get(name))])), goods: Array.from({ length: lines.value }, (_, at) => line(at)) };
}

const Field = ({ name, at = "", required = false }) => html`<label><span>${t(`goods.${name}`)}</span>
  <input name=${`${name}${at === "" ? "" : `-${at}`}`} required=${required} maxlength="200" autocomplete="off" spellcheck="false" ...${NUMBERS.includes(name) ? { type: "number", min: 0, step: "any" } : {}} /></label>`;

const Choice = ({ name, words, family }) => html`<label><span>${t(`goods.${name}`)}</span><select name=${name}>${words.map((one) => html`<option key=${one} value=${one}>${t(`${family}.${one}`)}</option>`)}</select></label>`;

/** `onSend` is given the document of the form; true clears it. */
export const GoodsForm = ({ onSend }) => {
  const send = async (event) => {
    event.preventDefault();
    const form = event.target;
    if (await onSend(read(form))) {
      form.reset();
      lines.value = 1;
    }
  };
  return html`<details class="goods-form"><summary>${t("goods.title")}</summary>
    <form onSubmit=${send}>
      <div class="inline">
        <${Choice} name="direction" words=${["inbound", "outbound"]} family="direction" />
        <${Choice} name="category" words=${CATEGORIES} family="category" />
        <${Field} name="plate" required /><${Field} name="tare_kg" required />
        <${Field} name="trailer_plate" /><${Field} name="trailer_tare_kg" />
        <${Field} name="customs_code" required /><${Field} name="enterprise" required /><${Field} name="driver" />
      </div>
      ${Array.from({ length: lines.value }, (_, at) => html`<fieldset key=${at} class="inline"><legend>${t("goods.line", { n: at + 1 })}</legend>${LINE.map((name) => html`<${Field} key=${name} name=${name} at=${at} />`)}</fieldset>`)}
      <p class="dim">${t("goods.grades")}</p>
      <button type="button" class="quiet" disabled=${lines.value >= 50} onClick=${() => (lines.value += 1)}>${t("goods.more")}</button>
      <button class="confirm">${t("goods.send")}</button>
    </form>
  </details>`;
};

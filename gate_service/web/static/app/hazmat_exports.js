// Workbooks: begun here, told how far they are, fetched as a file.
import { signal } from "../vendor/signals.mjs";
import { get, post } from "./api.js";
import { problemText } from "./chrome.js";
import { html, Mark } from "./html.js";
import { number, t } from "./i18n.js";

const ASK_EVERY_MS = 400;

/** The export under way or done: {what, id, state, rows}; or {what, problem}. */
const current = signal(null);

async function begin(what) {
  try {
    current.value = { what, ...(await post("/api/v1/hazmat/exports", { what })) };
    while (current.value.state === "running") {
      await new Promise((done) => setTimeout(done, ASK_EVERY_MS));
      current.value = { what, ...(await get(`/api/v1/hazmat/exports/${current.value.id}`)) };
    }
  } catch (problem) {
    current.value = { what, problem };
  }
}

const Progress = ({ export: found }) => {
  if (found.problem) return html`<span class="refused" role="alert"><${Mark} name="cross" />${problemText(found.problem)}</span>`;
  if (found.state === "failed") return html`<span class="refused" role="alert"><${Mark} name="cross" />${t("authority.xlsx.failed")}</span>`;
  return html`<span role="status">
    ${found.state === "running"
      ? html`<${Mark} name="clock" />${t("authority.xlsx.running", { n: number(found.rows) })}`
      : html`<${Mark} name="check" />${t("authority.xlsx.done", { n: number(found.rows) })} <a class="button" href=${`/api/v1/hazmat/exports/${found.id}/file`} download>${t("authority.xlsx.fetch")}</a>`}
  </span>`;
};

export const Workbooks = () => html`
  ${["inventory", "entries"].map(
    (what) => html`<button key=${what} type="button" disabled=${current.value?.state === "running"} onClick=${() => begin(what)}>${t(`authority.xlsx.${what}`)}</button>`,
  )}
  ${current.value && html`<${Progress} export=${current.value} />`}
`;

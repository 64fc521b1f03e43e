// What the pages about people share: one attempt at a time with its refusal in words, forms, times.
import { signal } from "../vendor/signals.mjs";
import { DemoBanner, problemText, TopBar } from "./chrome.js";
import { html, Mark } from "./html.js";
import { clockTime, language, t } from "./i18n.js";

export const problem = signal(null);
export const busy = signal(false);

/** Do one thing and load again; what is refused stands on the page in words. */
export async function attempt(work, load) {
  problem.value = null;
  busy.value = true;
  try {
    await work();
    await load();
  } catch (found) {
    problem.value = found;
  }
  busy.value = false;
}

/** A handler of a form: its fields as an object, cleared once it was taken. */
export const submitted = (work, load) => (event) => {
  event.preventDefault();
  const form = event.target;
  attempt(async () => {
    await work(new FormData(form));
    form.reset();
  }, load);
};

export const Refused = () =>
  problem.value &&
  html`<div class="refused" role="alert">
    <p><${Mark} name="cross" />${problemText(problem.value)}</p>
    <p class="detail" lang="en">${problem.value.message}</p>
  </div>`;

export const Field = ({ label, name, type = "text", ...more }) => html`
  <label><span>${label}</span><input name=${name} type=${type} maxlength="200" autocomplete="off" ...${more} /></label>
`;

export const Note = ({ label, name = "note", ...more }) => html`
  <label><span>${label}</span><textarea name=${name} rows="2" maxlength="1000" ...${more}></textarea></label>
`;

/** Date and time of an RFC 3339 moment, in this terminal's zone. */
export function moment(at) {
  if (!at) return "";
  const day = new Date(at).toLocaleDateString(language.value === "zh" ? "zh-CN" : "en-GB", { month: "2-digit", day: "2-digit" });
  return `${day} ${clockTime(at)}`;
}

/** Who, without the kind of account. */
export const who = (label) => (label ?? "").replace(/^(user|token|paper):/, "");

/** A page of cards below the usual bar. */
export const Page = ({ title, children }) => {
  document.title = t(title);
  return html`<div class="admin">
    <${DemoBanner} />
    <${TopBar} live=${false}><h1>${t(title)}</h1><//>
    <main><${Refused} />${children}</main>
  </div>`;
};

/** The second person of two, at this terminal: name, and password or one-time code made for the request number. */
export const SecondPerson = ({ requestNo, onApprove, load }) => {
  const approve = (form) => {
    const given = { name: form.get("name") };
    for (const name of ["password", "code"]) if (form.get(name)) given[name] = form.get(name);
    return onApprove(given);
  };
  return html`<form class="inline" onSubmit=${submitted(approve, load)} aria-label=${t("second.title")}>
    <p class="dim">${t("second.text", { number: requestNo })}</p>
    <${Field} label=${t("form.name")} name="name" required />
    <${Field} label=${t("form.password")} name="password" type="password" />
    <${Field} label=${t("form.code")} name="code" inputmode="numeric" pattern="[0-9]{6,8}" />
    <button class="confirm" disabled=${busy.value}>${t("second.approve")}</button>
  </form>`;
};

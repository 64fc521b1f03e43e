// The small pages: signing in, the first administrator, and a problem in words.
import { signal } from "../vendor/signals.mjs";
import { post } from "./api.js";
import { DemoBanner, LanguageSwitch, problemText, site, ThemeSwitch } from "./chrome.js";
import { html, Mark, render } from "./html.js";
import { startTexts, t, told } from "./i18n.js";

const problem = signal(null);
const sending = signal(false);

/** Only a path of this service: never where somebody else's link would lead. */
function next(home) {
  const wanted = new URLSearchParams(location.search).get("next") ?? "";
  return /^\/(?![/\\])/.test(wanted) && wanted !== "/" ? wanted : home;
}

async function attempt(event, work) {
  event.preventDefault();
  const form = new FormData(event.target);
  sending.value = true;
  problem.value = null;
  try {
    await work(Object.fromEntries(form));
  } catch (found) {
    needsCode.value ||= found.code === "second_factor_needed";
    problem.value = found;
  }
  sending.value = false;
}

const needsCode = signal(false);

const signIn = async (given) => {
  const code = given.code ? { code: given.code } : {};
  const opened = await post("/api/v1/session", { name: given.name, password: given.password, ...code });
  if (opened.must_enrol) {
    location.assign("/account");
    return;
  }
  location.assign(next(opened.home));
};

const makeFirst = async (given) => {
  if (given.password !== given.again) throw Object.assign(new Error(), { code: "passwords_differ" });
  const token = location.hash.slice(1);
  await post("/api/v1/first", { token, name: given.name, password: given.password });
  history.replaceState(null, "", location.pathname);
  await signIn(given);
};

const Field = ({ name, type = "text", complete }) => html`
  <label><span>${t(`form.${name}`)}</span>
    <input name=${name} type=${type} autocomplete=${complete} required maxlength="128" spellcheck=${false} autocapitalize="none" autofocus=${name === "name"} />
  </label>
`;

const Refused = () =>
  problem.value &&
  html`<div class="refused" role="alert">
    <p><${Mark} name="cross" />${problemText(problem.value)}</p>
    ${problem.value.code === "account_invalid" && html`<p class="detail" lang="en">${problem.value.message}</p>`}
  </div>`;

const Card = ({ title, children }) => html`
  <div class="small-page">
    <${DemoBanner} />
    <main class="card">
      <div class="place"><span class="site-id">${site.id}</span><span class="site-name">${told(site.name)}</span></div>
      <h1>${t(title)}</h1>
      ${children}
    </main>
    <footer><${LanguageSwitch} /><${ThemeSwitch} /></footer>
  </div>
`;

const SignIn = () => html`<${Card} title="title.sign_in">
  <form onSubmit=${(event) => attempt(event, signIn)}>
    <${Field} name="name" complete="username" /><${Field} name="password" type="password" complete="current-password" />
    ${needsCode.value && html`<${Field} name="code" complete="one-time-code" />`}
    <${Refused} />
    <button class="confirm" disabled=${sending.value}>${t("form.sign_in")}</button>
    ${"outside" in document.body.dataset && html`<a href="/sign-in/outside">${t("form.outside")}</a>`}
  </form>
<//>`;

const First = () => html`<${Card} title="title.first">
  <p class="dim">${t("first.text")}</p>
  <form onSubmit=${(event) => attempt(event, makeFirst)}>
    <${Field} name="name" complete="username" />
    <${Field} name="password" type="password" complete="new-password" />
    <${Field} name="again" type="password" complete="new-password" />
    <${Refused} />
    <button class="confirm" disabled=${sending.value}>${t("form.make")}</button>
  </form>
<//>`;

const Problem = () => html`<${Card} title="title.problem">
  <p>${problemText({ code: document.body.dataset.code })}</p>
  <p><a href="/sign-in">${t("problem.home")}</a></p>
<//>`;

/** Back from the provider: on by a navigation of our own, which the session's strict cookie comes along with. */
const Outside = () => {
  location.replace(document.body.dataset.home);
  return html`<${Card} title="title.outside"><p><a href=${document.body.dataset.home}>${t("problem.home")}</a></p><//>`;
};

const PAGES = { outside: Outside, sign_in: SignIn, first: First, problem: Problem };
await startTexts();
const page = document.body.dataset.page;
const Page = () => {
  document.title = t(`title.${page}`);
  return html`<${PAGES[page]} />`;
};
render(html`<${Page} />`, document.getElementById("app"));

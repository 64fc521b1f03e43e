// Accounts and tokens, for the administrator.
import { signal } from "../vendor/signals.mjs";
import { get, loadSession, post, session } from "./api.js";
import { DemoBanner, problemText, TopBar } from "./chrome.js";
import { html, Mark, render } from "./html.js";
import { startTexts, t, told } from "./i18n.js";

const ROLES = ["operator", "supervisor", "auditor", "customs", "authority", "administrator", "device"];
const SCOPES = ["scan", "plate", "display", "read", "events", "routing", "hazmat", "holds", "metrics"];

const users = signal([]);
const tokens = signal([]);
const lanes = signal([]);
const made = signal(null);
const problem = signal(null);

async function load() {
  users.value = (await get("/api/v1/users")).users;
  tokens.value = (await get("/api/v1/tokens")).tokens;
  lanes.value = (await get("/api/v1/lanes")).lanes;
}

async function attempt(work) {
  problem.value = null;
  made.value = null;
  try {
    await work();
    await load();
  } catch (found) {
    problem.value = found;
  }
}

function submitted(event, work) {
  event.preventDefault();
  const form = event.target;
  attempt(async () => {
    await work(new FormData(form));
    form.reset();
  });
}

const addUser = (form) =>
  post("/api/v1/users", { name: form.get("name"), role: form.get("role"), password: form.get("password") });

const addToken = async (form) => {
  made.value = await post("/api/v1/tokens", { name: form.get("name"), scopes: [form.get("scope")], lanes: form.getAll("lane") });
};

const Disabled = ({ one }) =>
  one.is_disabled
    ? html`<span class="badge none"><${Mark} name="cross" />${t("admin.disabled")}</span>`
    : html`<span class="badge good"><${Mark} name="check" />${t("admin.enabled")}</span>`;

const Off = ({ kind, name }) => html`
  <button type="button" class="quiet" onClick=${() => attempt(() => post(`/api/v1/${kind}/${encodeURIComponent(name)}/disable`, {}))}>
    ${t("admin.disable")}<span class="hidden"> ${name}</span>
  </button>
`;

const account = (name, what) => `/api/v1/users/${encodeURIComponent(name)}/${what}`;

/** What else can be done with somebody's account: enabled again, another role, a new password for a lost one. */
const Change = ({ one }) => html`<details>
  <summary>${t("admin.change")}<span class="hidden"> ${one.name}</span></summary>
  <form class="inline" onSubmit=${(event) => submitted(event, (form) => post(account(one.name, "role"), { role: form.get("role") }))}>
    <label><span>${t("admin.role")}</span><select name="role">${ROLES.map((role) => html`<option key=${role} value=${role} selected=${role === one.role}>${t(`role.${role}`)}</option>`)}</select></label>
    <button>${t("admin.set_role")}</button>
  </form>
  <form class="inline" onSubmit=${(event) => submitted(event, (form) => post(account(one.name, "reset"), { password: form.get("password") }))}>
    <label><span>${t("form.password")}</span><input name="password" type="password" required maxlength="128" autocomplete="new-password" /></label>
    <button>${t("admin.reset")}</button>
  </form>
  ${one.is_disabled && html`<button type="button" onClick=${() => attempt(() => post(account(one.name, "enable"), {}))}>${t("admin.enable")}</button>`}
</details>`;

const Users = () => html`
  <section class="card">
    <h2>${t("admin.users")}</h2>
    <table>
      <thead><tr><th>${t("form.name")}</th><th>${t("admin.role")}</th><th>${t("admin.state")}</th><th><span class="hidden">${t("admin.disable")}</span></th></tr></thead>
      <tbody>
        ${users.value.map(
          (one) => html`<tr key=${one.name}>
            <td><code>${one.name}</code></td><td>${t(`role.${one.role}`)}</td><td><${Disabled} one=${one} /></td>
            <td>${!one.is_disabled && one.name !== session.value.name && html`<${Off} kind="users" name=${one.name} />`}
              ${one.name !== session.value.name && html`<${Change} one=${one} />`}</td>
          </tr>`,
        )}
      </tbody>
    </table>
    <form class="inline add" onSubmit=${(event) => submitted(event, addUser)}>
      <label><span>${t("form.name")}</span><input name="name" required maxlength="64" autocomplete="off" /></label>
      <label><span>${t("form.password")}</span><input name="password" type="password" required maxlength="128" autocomplete="new-password" /></label>
      <label><span>${t("admin.role")}</span><select name="role">${ROLES.map((role) => html`<option key=${role} value=${role}>${t(`role.${role}`)}</option>`)}</select></label>
      <button class="confirm">${t("admin.add_user")}</button>
    </form>
  </section>
`;

const Tokens = () => html`
  <section class="card">
    <h2>${t("admin.tokens")}</h2>
    <table>
      <thead><tr><th>${t("form.name")}</th><th>${t("admin.scope")}</th><th>${t("admin.lanes")}</th><th>${t("admin.state")}</th><th><span class="hidden">${t("admin.disable")}</span></th></tr></thead>
      <tbody>
        ${tokens.value.map(
          (one) => html`<tr key=${one.name}>
            <td><code>${one.name}</code></td><td>${one.scopes.map((scope) => t(`scope.${scope}`)).join(", ")}</td>
            <td>${one.lanes.join(", ") || t("admin.all_lanes")}</td><td><${Disabled} one=${one} /></td>
            <td>${!one.is_disabled && html`<${Off} kind="tokens" name=${one.name} />`}</td>
          </tr>`,
        )}
      </tbody>
    </table>
    ${made.value &&
    html`<p class="made" role="status">${t("admin.token_once", { name: made.value.name })} <code>${made.value.token}</code></p>`}
    <form class="inline add" onSubmit=${(event) => submitted(event, addToken)}>
      <label><span>${t("form.name")}</span><input name="name" required maxlength="64" autocomplete="off" /></label>
      <label><span>${t("admin.scope")}</span><select name="scope">${SCOPES.map((scope) => html`<option key=${scope} value=${scope}>${t(`scope.${scope}`)}</option>`)}</select></label>
      <fieldset class="chips"><legend>${t("admin.lanes")}</legend>
        ${lanes.value.map((lane) => html`<label key=${lane.id} class="chip"><input type="checkbox" name="lane" value=${lane.id} /><span>${told(lane.name)}</span></label>`)}
      </fieldset>
      <button class="confirm">${t("admin.add_token")}</button>
    </form>
  </section>
`;

const Admin = () => {
  document.title = t("title.admin");
  return html`<div class="admin">
    <${DemoBanner} />
    <${TopBar} live=${false}><h1>${t("title.admin")}</h1><a href="/">${t("title.terminal")}</a><//>
    <main>
      ${problem.value &&
      html`<div class="refused" role="alert"><p><${Mark} name="cross" />${problemText(problem.value)}</p><p class="detail" lang="en">${problem.value.message}</p></div>`}
      <${Users} /><${Tokens} />
    </main>
  </div>`;
};

await startTexts();
await loadSession();
await load();
render(html`<${Admin} />`, document.getElementById("app"));

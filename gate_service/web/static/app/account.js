// One's own account: password, the device for signing in, the key for approvals without a line.
import { signal } from "../vendor/signals.mjs";
import { get, loadSession, post } from "./api.js";
import { html, Mark, render } from "./html.js";
import { startTexts, t } from "./i18n.js";
import { attempt, busy, Field, Page, submitted } from "./people.js";

const found = signal(null);
const begun = signal(null);
const recovery = signal([]);

const load = async () => {
  found.value = await get("/api/v1/account");
};

const proof = (form) => ({ password: form.get("password"), ...(form.get("code") ? { code: form.get("code") } : {}) });

const Proof = () => html`
  <${Field} label=${t("account.password")} name="password" type="password" required autocomplete="current-password" />
  ${found.value.factors.sign_in && html`<${Field} label=${t("form.code")} name="code" required autocomplete="one-time-code" />`}
`;

const changePassword = async (form) => {
  if (form.get("new") !== form.get("again")) throw Object.assign(new Error(), { code: "passwords_differ" });
  await post("/api/v1/account/password", { ...proof(form), new: form.get("new") });
};

const Password = () => html`
  <section class="card">
    <h2>${t("account.change")}</h2>
    <form class="inline" onSubmit=${submitted(changePassword, load)}>
      <${Proof} />
      <${Field} label=${t("account.new")} name="new" type="password" required autocomplete="new-password" />
      <${Field} label=${t("form.again")} name="again" type="password" required autocomplete="new-password" />
      <button class="confirm" disabled=${busy.value}>${t("account.change")}</button>
    </form>
  </section>
`;

const begin = (purpose) => async (form) => {
  recovery.value = [];
  begun.value = { purpose, ...(await post(`/api/v1/account/factors/${purpose}`, proof(form))) };
};

const confirm = (purpose) => async (form) => {
  const made = await post(`/api/v1/account/factors/${purpose}/confirm`, { code: form.get("first") });
  recovery.value = made.recovery_codes;
  begun.value = null;
};

const remove = (purpose) => (form) => post(`/api/v1/account/factors/${purpose}/remove`, proof(form));

/** Dark on white in both colours of the page: a camera reads nothing else. */
const Code = ({ qr }) => html`<figure class="qr">
  <svg viewBox=${`0 0 ${qr.size} ${qr.size}`} role="img" aria-label=${t("account.qr")} shape-rendering="crispEdges"><path d=${qr.path} /></svg>
  <figcaption class="dim">${t("account.qr_text")}</figcaption>
</figure>`;

const Factor = ({ purpose }) => {
  const has = found.value.factors[purpose];
  const mine = begun.value?.purpose === purpose;
  return html`<section class="card">
    <h2>${t(`account.factor.${purpose}`)}</h2>
    <p class="dim">${t(`account.about.${purpose}`)}</p>
    ${has && html`<p><span class="badge good"><${Mark} name="check" />${t("account.enrolled")}</span>${purpose === "sign_in" ? ` ${t("account.recovery_left", { count: found.value.factors.recovery_left })}` : ""}</p>`}
    ${mine &&
    html`<${Code} qr=${begun.value.qr} />
      <p class="made" role="status">${t("account.secret")} <code>${begun.value.secret.replace(/(.{4})/g, "$1 ").trim()}</code></p>
      <p class="dim"><code>${begun.value.uri}</code></p>
      <form class="inline" onSubmit=${submitted(confirm(purpose), load)}>
        <${Field} label=${t("account.first_code")} name="first" inputmode="numeric" pattern="[0-9]{6}" required />
        <button class="confirm" disabled=${busy.value}>${t("account.confirm")}</button>
      </form>`}
    ${!mine &&
    html`<form class="inline" onSubmit=${submitted(has ? remove(purpose) : begin(purpose), load)}>
      <${Proof} />
      <button class=${has ? "" : "confirm"} disabled=${busy.value}>${t(has ? "account.remove" : "account.begin")}</button>
    </form>`}
  </section>`;
};

const Recovery = () => html`
  <section class="card">
    <h2>${t("account.recovery")}</h2>
    <p>${t("account.recovery_text")}</p>
    <div role="status"><ul class="made">${recovery.value.map((code) => html`<li key=${code}><code>${code}</code></li>`)}</ul></div>
  </section>
`;

const Account = () => html`<${Page} title="title.account">
  ${found.value?.must_enrol && html`<p class="refused" role="status"><${Mark} name="lock" />${t("account.must_enrol")}</p>`}
  ${recovery.value.length > 0 && html`<${Recovery} />`}
  ${found.value && html`<${Factor} purpose="sign_in" />${found.value.may_approve && html`<${Factor} purpose="approval" />`}<${Password} />`}
<//>`;

await startTexts();
await loadSession();
await attempt(async () => {}, load);
render(html`<${Account} />`, document.getElementById("app"));

// The frame of every page: site, clock, language, colours, who is signed in, and what must be said loudly.
import { signal } from "../vendor/signals.mjs";
import { remove, session, toSignIn } from "./api.js";
import { html, Mark } from "./html.js";
import { clockTime, duration, language, LANGUAGES, switchLanguage, t, told } from "./i18n.js";
import { connection, lostFor, now } from "./live.js";

const KEPT = "gate.theme";
const THEMES = ["auto", "light", "dark"];
const theme = signal(THEMES.includes(localStorage.getItem(KEPT)) ? localStorage.getItem(KEPT) : "auto");

function showTheme() {
  if (theme.value === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = theme.value;
}
showTheme();

function nextTheme() {
  theme.value = THEMES[(THEMES.indexOf(theme.value) + 1) % THEMES.length];
  localStorage.setItem(KEPT, theme.value);
  showTheme();
}

export const site = JSON.parse(document.body.dataset.site);

export const LanguageSwitch = () => html`
  <div class="languages" role="group" aria-label=${t("chrome.language")}>
    ${LANGUAGES.map(
      (name) => html`<button
        key=${name}
        type="button"
        lang=${name === "zh" ? "zh-CN" : "en"}
        aria-pressed=${language.value === name}
        onClick=${() => switchLanguage(name)}
      >
        ${name === "zh" ? "中文" : "EN"}
      </button>`,
    )}
  </div>
`;

export const ThemeSwitch = () => html`
  <button type="button" class="quiet" onClick=${nextTheme}>
    ${t("chrome.theme")} <span class="dim">${t(`chrome.theme.${theme.value}`)}</span>
  </button>
`;

export const DemoBanner = () =>
  site.demo &&
  html`<aside class="demo" aria-label="DEMO"><strong>演示现场 · DEMO SITE</strong><span>${t("chrome.demo")}</span></aside>`;

async function signOut() {
  await remove("/api/v1/session").catch(() => null);
  toSignIn();
}

const Connection = () => html`
  <span class=${`connection ${connection.value}`} role="status">
    <span class="lamp" aria-hidden="true"></span>${t(`connection.${connection.value}`)}
  </span>
`;

/** Said at once and over the whole width when what is shown can no longer be believed. */
export const LostBanner = () =>
  connection.value === "lost" &&
  html`<aside class="stop" aria-label=${t("connection.lost.title")}>
    <p role="alert"><${Mark} name="bolt" /><strong>${t("connection.lost.title")}</strong> ${t("connection.lost.text")}</p>
    <span class="time">${duration(lostFor.value ?? 0)}</span>
  </aside>`;

export const TopBar = ({ live = true, children }) => html`
  <header class="top">
    <div class="place">
      <span class="site-id">${site.id}</span>
      <span class="site-name">${told(site.name)}</span>
    </div>
    ${children}
    <span class="gap"></span>
    ${live && html`<${Connection} /><time class="clock">${clockTime(now.value)}</time>`}
    <${LanguageSwitch} /><${ThemeSwitch} />
    ${session.value &&
    html`<span class="who">${session.value.name} <span class="dim">${t(`role.${session.value.role}`)}</span></span>
      <button type="button" class="quiet" onClick=${signOut}>${t("chrome.sign_out")}</button>`}
  </header>
`;

/** The words for a problem: ours where there are some, else what the service said. */
export const problemText = (problem) => t(`problem.${problem.code}`);

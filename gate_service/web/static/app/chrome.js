// The frame of every page: site, clock, language, colours, who is signed in, and what must be said loudly.
import { remove, session, toSignIn } from "./api.js";
import { html, Mark } from "./html.js";
import { clockTime, duration, language, LANGUAGES, switchLanguage, t, told } from "./i18n.js";
import { connection, lostFor, now } from "./live.js";
import { isSwitching, Lock, lockNow } from "./lock.js";
import { Nav } from "./nav.js";
import { choice, nextTheme } from "./theme.js";

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

const THEME_MARKS = { auto: "half", light: "sun", dark: "moon" };

export const ThemeSwitch = () => html`
  <button type="button" class="quiet" onClick=${nextTheme} title=${t("chrome.theme")}>
    <${Mark} name=${THEME_MARKS[choice.value]} /><span class="hidden">${t("chrome.theme")} </span>
    <span class="tool">${t(`chrome.theme.${choice.value}`)}</span>
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

const Clock = () => html`<time class="clock">${clockTime(now.value)}</time>`;

/** The bar of every page. `tools` stand before the language; children after the links. */
export const TopBar = ({ live = true, tools = null, children }) => html`
  <header class="top">
    <div class="place">
      <span class="site-id">${site.id}</span>
      <span class="site-name">${told(site.name)}</span>
    </div>
    <${Nav} />
    ${children}
    <span class="gap"></span>
    ${live && html`<${Connection} /><${Clock} />`}
    ${tools}
    <${LanguageSwitch} /><${ThemeSwitch} />
    ${session.value && html`<${Who} />`}
  </header>
`;

const PersonTool = ({ mark, word, onClick }) => html`
  <button type="button" class="quiet" title=${t(word)} onClick=${onClick}><${Mark} name=${mark} /><span class="tool">${t(word)}</span></button>
`;

const Who = () => html`
  <span class="who"><b>${session.value.name}</b> <span class="dim tool">${t(`role.${session.value.role}`)}</span></span>
  <${PersonTool} mark="two" word="lock.switch" onClick=${() => (isSwitching.value = true)} />
  <${PersonTool} mark="lock" word="lock.lock" onClick=${lockNow} />
  <${PersonTool} mark="gone" word="chrome.sign_out" onClick=${signOut} />
  <${Lock} />
`;

/** The words for a problem: ours where there are some, else what the service said. */
export const problemText = (problem) => t(`problem.${problem.code}`);

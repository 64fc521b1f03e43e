// The way between the pages: those that this person may open, the daily ones first.
import { effect } from "../vendor/signals.mjs";
import { session } from "./api.js";
import { waitingCount, watchCalls } from "./calls.js";
import { html } from "./html.js";
import { has, t } from "./i18n.js";

const ORDER = ["/", "/shift", "/regime", "/authority", "/reports", "/registers", "/devices", "/policy", "/admin", "/account", "/api/docs"];

/** Where a page stands; one that is newer than this list, before the last two. */
const placeOf = (path) => (ORDER.includes(path) ? ORDER.indexOf(path) : ORDER.length - 2.5);

let isWatching = false;
effect(() => {
  if (isWatching || location.pathname === "/" || !session.value?.pages.includes("/")) return;
  isWatching = true;
  watchCalls(false); // whoever writes a hand-over is still called to the lane
});

/** On every page but the terminal itself: somebody waits there. */
const Calls = () => {
  const count = location.pathname === "/" ? 0 : waitingCount();
  return count > 0 && html` <span class="calls"><span class="hidden">${t("queue.title")} </span>${count}</span>`;
};

/** Links to the pages; the one that is open is marked. */
export const Nav = () => {
  const pages = (session.value?.pages ?? []).filter((path) => has(`page.${path}`)).sort((a, b) => placeOf(a) - placeOf(b));
  if (pages.length < 2) return null;
  return html`<nav class="pages" aria-label=${t("chrome.pages")}>
    <ul>
      ${pages.map(
        (path) => html`<li key=${path}>
          <a href=${path} aria-current=${location.pathname === path ? "page" : undefined}>${t(`page.${path}`)}${path === "/" && html`<${Calls} />`}</a>
        </li>`,
      )}
    </ul>
  </nav>`;
};

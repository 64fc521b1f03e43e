// The way between the pages: those that this person may open, in the service's own order.
import { session } from "./api.js";
import { html } from "./html.js";
import { has, t } from "./i18n.js";

/** Links to the pages; the one that is open is marked. */
export const Nav = () => {
  const pages = (session.value?.pages ?? []).filter((path) => has(`page.${path}`));
  if (pages.length < 2) return null;
  return html`<nav class="pages" aria-label=${t("chrome.pages")}>
    <ul>
      ${pages.map(
        (path) => html`<li key=${path}>
          <a href=${path} aria-current=${location.pathname === path ? "page" : undefined}>${t(`page.${path}`)}</a>
        </li>`,
      )}
    </ul>
  </nav>`;
};

// The frame around the list of addresses, which the service itself writes.
import { loadSession } from "./api.js";
import { DemoBanner, TopBar } from "./chrome.js";
import { html, render } from "./html.js";
import { startTexts, t } from "./i18n.js";

const Frame = () => {
  document.title = t("title.docs");
  return html`<${DemoBanner} /><${TopBar} live=${false}><h1>${t("title.docs")}</h1><//>`;
};

await startTexts();
await loadSession();
render(html`<${Frame} />`, document.getElementById("app"));

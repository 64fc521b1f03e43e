// Light, dark, or as the system has it; kept on this terminal.
import { signal } from "../vendor/signals.mjs";

const KEPT = "gate.theme";
const THEMES = ["auto", "light", "dark"];
const system = matchMedia("(prefers-color-scheme: dark)");

/** What the person chose: "auto", "light" or "dark". */
export const choice = signal(THEMES.includes(localStorage.getItem(KEPT)) ? localStorage.getItem(KEPT) : "auto");
/** What is shown now: "light" or "dark". Whoever draws with colours of their own follows it. */
export const theme = signal("light");

function show() {
  const isDark = choice.value === "dark" || (choice.value === "auto" && system.matches);
  document.documentElement.dataset.theme = isDark ? "dark" : "light";
  theme.value = isDark ? "dark" : "light";
}

/** The next choice in turn. */
export function nextTheme() {
  choice.value = THEMES[(THEMES.indexOf(choice.value) + 1) % THEMES.length];
  localStorage.setItem(KEPT, choice.value);
  show();
}

system.addEventListener("change", show);
show();

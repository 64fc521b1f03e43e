// Texts in the language of the person: one catalogue file per language, switched without reloading.
import { signal } from "../vendor/signals.mjs";

export const LANGUAGES = ["zh", "en"];
const KEPT = "gate.language";
const catalogues = {};

export const language = signal(LANGUAGES.includes(localStorage.getItem(KEPT)) ? localStorage.getItem(KEPT) : "zh");

async function load(name) {
  if (!catalogues[name]) {
    const answer = await fetch(`/static/i18n/${name}.json`);
    catalogues[name] = await answer.json();
  }
}

/** Load the catalogue of the kept language; await it before the first rendering. */
export async function startTexts() {
  await load(language.value);
  document.documentElement.lang = language.value === "zh" ? "zh-CN" : "en";
}

/** Switch, and remember it on this terminal. */
export async function switchLanguage(name) {
  await load(name);
  localStorage.setItem(KEPT, name);
  document.documentElement.lang = name === "zh" ? "zh-CN" : "en";
  language.value = name;
}

/** Whether there is a text for a key; for words that come from the service and may be newer than this page. */
export const has = (key) => key in catalogues[language.value];

/** The text of a key, with {names} filled in. A missing one shows its key: the tests fail on it. */
export function t(key, values = {}) {
  const text = catalogues[language.value][key] ?? key;
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name] ?? "");
}

/** One of the service's own texts: {"zh": …, "en": …}. */
export const told = (text) => (text ? (text[language.value] ?? text.zh ?? text.en ?? "") : "");

export function number(value) {
  const locale = language.value === "zh" ? "zh-CN" : "en-GB";
  return new Intl.NumberFormat(locale, { maximumFractionDigits: 3 }).format(value);
}

export function clockTime(at) {
  return new Date(at).toLocaleTimeString("en-GB", { hour12: false });
}

/** A duration as m:ss, or h:mm:ss. */
export function duration(milliseconds) {
  const seconds = Math.max(0, Math.floor(milliseconds / 1000));
  const two = (n) => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

// Ages, times and amounts as the page of the lines writes them.
import { duration, language, number, t } from "./i18n.js";

export const amount = (value) => (value == null ? "—" : number(value));

/** Seconds as a duration; what nobody knows is said, not shown as zero. */
export const age = (seconds) => (seconds == null ? t("sync.never") : duration(seconds * 1000));

export function when(at) {
  const locale = language.value === "zh" ? "zh-CN" : "en-GB";
  return new Date(at).toLocaleString(locale, { hour12: false, dateStyle: "short", timeStyle: "medium" });
}

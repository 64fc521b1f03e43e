// Reason codes of each command: those of this gate that were given most come first, with how often.
import { signal } from "../vendor/signals.mjs";
import { get } from "./api.js";
import { has, t } from "./i18n.js";

export const OTHER = "other";
/** The codes that a form offers. A site's own codes come in over the record once somebody has used them. */
export const REASONS = {
  release: ["documents_checked", "weight_explained", "plate_confirmed", "customs_instruction", OTHER],
  inspect: ["suspicion", "hold_notice", "customs_instruction", "seal_damaged", OTHER],
  turn_back: ["driver_request", "wrong_lane", "documents_missing", "customs_instruction", OTHER],
  refuse: ["documents_missing", "not_authorised", "overweight", "customs_instruction", OTHER],
  hold: ["waiting_for_documents", "waiting_for_customs", "questions", OTHER],
  reweigh: [],
  resolve: [],
  crossed: [],
  departed: [],
  open_lane: [],
  close_lane: ["maintenance", "end_of_shift", "accident", "traffic", OTHER],
  turn_lane: ["traffic", "customs_instruction", OTHER],
  reconfigure_lane: ["settings_changed", OTHER],
  zero: ["snow_or_mud", "zero_drift", OTHER],
  clear_fault: ["device_repaired", "checked_on_site", "link_back", OTHER],
  raise_boom: ["vehicle_waiting", "test", "boom_blocked", OTHER],
  lower_boom: ["lane_empty", "test", OTHER],
  emergency_raise: ["fire_engine", "ambulance", "person_in_danger", OTHER],
};

const counts = signal({});

/** Ask how often each was given lately; without an answer the order is the list's. */
export async function loadReasons() {
  const answer = await get("/api/v1/reasons").catch(() => null);
  if (answer) counts.value = answer.counts;
}

/** [{code, times}] for a form, the frequent ones first, "other" last. `fitting`: the codes of what stops this vehicle. */
export function reasonsFor(command, fitting = []) {
  const given = counts.value[command] ?? {};
  const listed = REASONS[command];
  const codes = new Set([...fitting, ...listed.filter((code) => code !== OTHER)]);
  const ordered = [...codes].map((code) => ({ code, times: given[code] ?? 0 }));
  ordered.sort((a, b) => b.times - a.times);
  return listed.includes(OTHER) ? [...ordered, { code: OTHER, times: given[OTHER] ?? 0 }] : ordered;
}

/** The words of a reason: ours, or those of the check that it names, or the code as it stands. */
export function reasonText(code) {
  if (has(`reason.${code}`)) return t(`reason.${code}`);
  return has(`check.${code}`) ? t(`check.${code}`) : code;
}

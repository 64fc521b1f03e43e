// The devices of a lane: whether each is heard, and what it sent that could not be used.
import { isOld } from "./facts.js";
import { html, Mark } from "./html.js";
import { duration, t } from "./i18n.js";
import { ageNow } from "./live.js";

/** How old the last word of a device is. What it said last is in the lane; health is told only when it changes. */
const lastWord = (lane, device) =>
  ({ io_module: lane.inputs_age_ms, weighbridge: lane.weight?.age_ms ?? null })[device.kind] ?? null;

/** Whether a device is in fault, or has not been heard for too long. */
export function isSilent(lane, device) {
  const heard = lastWord(lane, device);
  return device.fault !== null || (heard !== null && isOld(lane, heard));
}

const Device = ({ lane, device }) => {
  const heard = lastWord(lane, device);
  const old = heard !== null && isOld(lane, heard);
  const bad = isSilent(lane, device);
  const rejects = Object.entries(device.rejects ?? {}).filter(([, count]) => count > 0);
  return html`<li class=${bad ? "bad" : ""}>
    <${Mark} name=${bad ? "bolt" : "check"} /><span>${t(`device.${device.kind}`)}</span>
    <b>${old ? t("device.silent", { age: duration(ageNow(lane, heard)) }) : t(bad ? "device.fault" : "device.good")}</b>
    <code class="dim">${device.device}</code>
    ${rejects.length > 0 && html`<span class="dim" title=${rejects.map(([why, n]) => `${why} ${n}`).join(", ")}>${t("device.rejects", { rejects: rejects.reduce((sum, [, n]) => sum + n, 0) })}</span>`}
    ${device.fault && html`<span class="fault" lang="en">${device.fault}</span>`}
  </li>`;
};

export const Devices = ({ lane }) => html`
  <ul class="devices" aria-label=${t("detail.devices")}>
    ${(lane.devices ?? []).map((device) => html`<${Device} key=${device.device} lane=${lane} device=${device} />`)}
  </ul>
`;

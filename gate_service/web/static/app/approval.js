// A command that waits for its second person: who asked for what, why, how long it is good, and the way to approve it.
import { session } from "./api.js";
import { begin, draft, mayApprove } from "./draft.js";
import { blockedBecause, isSettling } from "./facts.js";
import { html, Mark } from "./html.js";
import { duration, t } from "./i18n.js";
import { COMMAND_KEYS, Kbd, keyed } from "./keys.js";
import { connection, now } from "./live.js";
import { reasonText } from "./reasons.js";

const secondsLeft = (lane) => {
  now.value; // counts down while it is looked at
  return Math.max(0, lane.approval.seconds_left - (performance.now() - lane.heardAt) / 1000);
};

/** What waits in this lane; nothing where nothing does. */
export const Approval = ({ lane }) => {
  const waits = lane.approval;
  if (!waits || draft.value?.command === "approve") return null;
  const who = waits.by.replace(/^user:/, "");
  const isMine = waits.by === `user:${session.value?.name}`;
  const may = session.value?.commands.includes("release");
  const blocked = blockedBecause(lane, "approve", connection.value) !== null || isSettling(lane);
  return html`<aside class="approval" aria-label=${t("approval.title")}>
    <${Mark} name="two" />
    <div>
      <p><b>${t("approval.title")}</b> <time>${t("approval.left", { left: duration(secondsLeft(lane) * 1000) })}</time></p>
      <p>${t("approval.what", { by: who, command: t(`command.${waits.command}`) })} ${waits.reason_code && html`<b>${reasonText(waits.reason_code)}</b>`}${waits.reason && html` · ${waits.reason}`}</p>
      <p class="dim">${t(isMine ? "approval.own" : mayApprove(waits) ? "approval.yours" : "approval.others")}</p>
    </div>
    ${may &&
    html`<button type="button" class="command approve" data-command="approve" disabled=${blocked} ...${keyed(COMMAND_KEYS.approve)} onClick=${() => begin(lane, "approve")}>
      <span>${t(mayApprove(waits) ? "approval.act" : "approval.act_here")}</span><${Kbd} of=${COMMAND_KEYS.approve} />
    </button>`}
  </aside>`;
};

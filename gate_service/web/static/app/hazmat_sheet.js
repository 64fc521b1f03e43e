// The emergency sheet of a storage unit or of one passage: what it is, how much, whom to call. Prints on one page.
import { html, Mark } from "./html.js";
import { clockTime, has, number, t, told } from "./i18n.js";

const ONE_PAGE = 20; // lines that fit on an A4 page in the plain size; more are set smaller

const mass = (kg) => (kg == null ? t("authority.unknown") : `${number(kg)} kg`);

/** The words for a class: 1.1D is 1, 2.1 is itself. */
export function className(hazard) {
  const key = [hazard, hazard?.replace(/[A-Z]$/, ""), hazard?.slice(0, 1)].find((one) => one && has(`hazmat.class.${one}`));
  return key ? t(`hazmat.class.${key}`) : t("authority.unknown");
}

/** As on the vehicle or the door: the diamond with its class, the plate with the UN number. */
export const Placard = ({ line }) => html`
  <span class="placard">
    <svg viewBox="0 0 48 48" aria-hidden="true"><path d="M24 2 46 24 24 46 2 24Z" /><text x="24" y="31">${line.class ?? "?"}</text></svg>
    <strong>UN ${line.un_no || "????"}</strong>
  </span>
`;

/** Only an address of the web becomes a link; everything else is shown as text. */
const SafetyData = ({ sds }) =>
  /^https?:\/\//.test(sds ?? "")
    ? html`<a href=${sds} rel="noreferrer">${sds}</a>`
    : html`${sds || t("authority.unknown")}`;

const Line = ({ line }) => html`<tr>
  <td><${Placard} line=${line} /></td>
  <td><strong>${line.name || line.goods_name || t("authority.unknown")}</strong><br />${line.cas ? `CAS ${line.cas}` : t("authority.no_cas")}</td>
  <td>${line.class || "?"} ${className(line.class)}${line.subsidiary?.length ? ` (${line.subsidiary.join(", ")})` : ""}${line.packing_group ? ` · ${line.packing_group}` : ""}</td>
  <td class="figure">${mass(line.net_kg)}${line.unmatched ? html`<br />${t("authority.because.unmatched")}` : ""}${line.unknown_lines ? html`<br />${t("authority.unknown_lines", { n: line.unknown_lines })}` : ""}</td>
  <td>${line.enterprise || line.customs_code || "–"}</td>
  <td><strong class="phone">${line.emergency_phone || t("authority.unknown")}</strong></td>
  <td class="sds"><${SafetyData} sds=${line.sds} /></td>
</tr>`;

/** `facts` are pairs of key and text for the head. */
export const Sheet = ({ title, facts, lines, edition }) => html`
  <section class=${`sheet ${lines.length > ONE_PAGE ? "dense" : ""}`} aria-label=${t("authority.sheet")}>
    <header>
      <h2>${t("authority.sheet")}: ${title}</h2>
      <span class="buttons">
        <button type="button" class="confirm" onClick=${() => window.print()}>${t("authority.print")}</button>
        <a class="button" href="#">${t("authority.back")}</a>
      </span>
    </header>
    <dl>${facts.map(([key, text]) => html`<div key=${key}><dt>${t(key)}</dt><dd>${text}</dd></div>`)}</dl>
    <div class="scroll" tabindex="0" role="region" aria-label=${t("authority.lines")}>
      <table>
        <thead><tr>${["un", "name", "class", "quantity", "enterprise", "phone", "sds"].map((key) => html`<th key=${key}>${t(`authority.column.${key}`)}</th>`)}</tr></thead>
        <tbody>${lines.map((line, place) => html`<${Line} key=${place} line=${line} />`)}</tbody>
      </table>
    </div>
    ${lines.length === 0 && html`<p><${Mark} name="check" />${t("authority.empty")}</p>`}
    <p class="source">${t("authority.sheet.source", { edition: edition ?? "–" })}</p>
  </section>
`;

export function unitSheet(stock, unit) {
  const named = stock.zone?.units.find((one) => one.id === unit)?.name;
  return {
    title: [unit || t("authority.no_unit"), told(named)].filter(Boolean).join(" "),
    lines: stock.balances.filter((row) => row.storage_unit === unit && (row.net_kg !== 0 || row.unknown_lines)),
    facts: [["authority.as_of", when(stock.as_of)]],
    edition: stock.edition,
  };
}

export function passageSheet(entry) {
  const data = entry.data;
  const enterprise = data.enterprise ?? {};
  return {
    title: data.vehicle?.plate || data.slip_no || entry.id,
    lines: (data.lines ?? []).map((line) => ({ ...line, enterprise: enterprise.name, customs_code: enterprise.customs_code })),
    facts: [
      ["authority.event", t(`authority.event.${entry.type.split(".")[1]}`)],
      ["authority.at", when(entry.time)],
      ["authority.slip", data.slip_no || "–"],
      ["authority.driver", data.driver?.name || "–"],
      ["authority.unit", [...new Set((data.lines ?? []).map((line) => line.storage_unit))].filter(Boolean).join(", ") || "–"],
    ],
    edition: data.tables_edition,
  };
}

export const when = (at) => (at ? `${new Date(at).toLocaleDateString("en-CA")} ${clockTime(at)}` : "–");

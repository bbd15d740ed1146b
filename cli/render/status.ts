/**
 * `heartline status` for people: what is wrong first, then who holds what and why, then what that rests on. Made of
 * one view, without any other knowledge. Bad states are in capitals, so that no colour is needed to see them.
 */

import type { NodeView } from "../../lib/core/view.ts";
import { printable } from "../../lib/runtime/report_line.ts";
import { renderAge } from "./ages.ts";
import { findings } from "./findings.ts";
import type { Paint } from "./paint.ts";
import { arbiterRows, fenceRows, fencingRows, groupLines, peerRows, pingRows } from "./status_sections.ts";
import { type Cell, elide, renderTable, wrap } from "./table.ts";

export interface StatusStyle {
  readonly width: number;
  readonly paint: Paint;
}

/** Lines without their ends. `ageMs`: since the daemon took the view. */
export function renderStatus(view: NodeView, ageMs: number, style: StatusStyle): string[] {
  const { width, paint } = style;
  const lines = [...heading(view, ageMs, style), ...banners(view, style)];
  const section = (title: string, body: readonly string[]) => {
    if (body.length > 0) lines.push("", paint.strong(title), ...body);
  };
  const table = (rows: ReadonlyArray<readonly Cell[]>, widthsMax: readonly number[]) =>
    renderTable(rows, { width, indent: 2, widthsMax });
  section(
    "ALARMS",
    table(
      view.alarms.map((alarm) => [
        { text: `! ${alarm.code}`, paint: paint.bad },
        `for ${renderAge(alarm.sinceMs)}`,
        alarm.sentence,
      ]),
      [24],
    ),
  );
  section(
    "GROUPS",
    view.groups.length === 0 ? ["  none"] : view.groups.flatMap((group) => groupLines(view, group, style)),
  );
  section("NODES AND LINKS", table(peerRows(view, paint), [34]));
  section("ARBITERS", table(arbiterRows(view, paint), [24]));
  section("FENCING", table(fencingRows(view, paint), [24]));
  section("FENCING DEVICES", table(fenceRows(view, paint), [24]));
  section("PING NODES", table(pingRows(view, paint), [24]));
  section("UNPROTECTED", view.unprotected.flatMap((sentence) => bullet(sentence, width)));
  const refused = Object.entries(view.refused).filter(([, count]) => count > 0);
  section(
    "MESSAGES REFUSED",
    refused.length === 0 ? [] : [`  ${refused.map(([why, count]) => `${why} ${count}`).join(", ")}`],
  );
  return lines;
}

function heading(view: NodeView, ageMs: number, { width, paint }: StatusStyle): string[] {
  const phase = view.phase === "settled" ? "" : `, ${view.phase.toUpperCase()}`;
  const coordinator = view.coordinator === view.node ? ", coordinator" : "";
  const name = `${elide(view.node, 28)} in cluster ${elide(printable(view.cluster), 20)}`;
  const left = `${name}${phase}${coordinator}, up ${renderAge(view.uptimeMs)}`;
  const right = `answer ${renderAge(ageMs)} old`;
  const room = width - right.length - 2;
  const first = paint.strong(elide(left, room).padEnd(room)) + "  " + paint.faint(right);
  const count = findings(view).length;
  const isAlone = view.peers.length > 0 && !view.peers.some((peer) => peer.state === "alive");
  const verdict = count > 0
    ? paint.bad(`NOT WELL: ${count} finding${count === 1 ? "" : "s"}.`)
    : isAlone
    ? paint.doubtful("No alarm, but no other node is there: nobody could take over.")
    : paint.good("All is well.");
  return [first, verdict];
}

function banners(view: NodeView, { width, paint }: StatusStyle): string[] {
  const sentences: string[] = [];
  if (view.maintenance) {
    sentences.push(
      'MAINTENANCE: nothing is taken, given up, monitored or moved until "heartline maintenance off".',
    );
  }
  if (view.isolated === true) {
    sentences.push("ISOLATED: neither a peer nor an arbiter answers; nothing is taken here.");
  }
  return sentences.flatMap((sentence) => ["", ...wrap(`*** ${sentence}`, width).map(paint.doubtful)]);
}

function bullet(sentence: string, width: number): string[] {
  return wrap(printable(sentence), width - 4).map((line, index) => (index === 0 ? "  - " : "    ") + line);
}

/**
 * Whether the links fit the nodes and each other: enough of them, none twice, each reaching everybody, and lines
 * that are fast enough for the heartbeats.
 */

import { linkName, type MediumSettings, type Settings } from "../../core/settings.ts";
import { formatDuration as time } from "../durations.ts";
import type { Place, Places, Say } from "../problem.ts";

/**
 * What a heartbeat takes as text, and what each group adds to it; measured, rounded up. Lower calls a line fit on
 * which heartbeats queue up; higher refuses one that would just do.
 */
const heartbeatBytes = 500;
const groupBytes = 150;

/** `nodeName` null: the settings are read for no node in particular, and the peers of a link cannot be counted. */
export function checkLinks(settings: Settings, places: Places, nodeName: string | null, say: Say): void {
  const { media, nodes } = settings;
  if (nodes.length < 2) return;
  const links = Map.groupBy(media, linkName);
  const [onlyLink] = links.keys();
  if (onlyLink === undefined) {
    const hint = "add at least one, better two over separate wires";
    say("error", places.at("media"), "no-links", "there is no link to any other node", hint);
    return;
  }
  if (links.size === 1) {
    const message = `"${onlyLink}" is the only link: when it breaks, the nodes lose each other`;
    const hint = "add a second over another interface, cable and switch";
    say("warning", places.at("media"), "single-link", message, hint);
  }
  for (const [index, medium] of media.entries()) {
    checkMedium(settings, medium, places.at("media", index), say);
    if (media.findIndex((other) => isTwin(other, medium)) < index) {
      const to = "peer" in medium ? ` to "${medium.peer}"` : "";
      const message = `the link "${linkName(medium)}"${to} stands twice`;
      const place = places.at("media", index);
      say("warning", place, "duplicate-link", message, "remove one: it only doubles the packets");
    }
  }
  for (const [name, paths] of links) {
    const place = places.at("media", media.findIndex((medium) => linkName(medium) === name));
    checkLink(name, paths, nodes.length - 1, nodeName, place, say);
  }
}

function checkMedium(
  { timing, nodes, groups }: Settings,
  medium: MediumSettings,
  place: Place,
  say: Say,
): void {
  if ("peer" in medium && medium.local !== null && medium.local.includes(":") !== medium.peer.includes(":")) {
    const message = `the link cannot reach "${medium.peer}" from "${medium.local}"`;
    say("error", place, "mixed-families", message, "both ends need the same family of addresses");
  }
  if (medium.kind !== "serial") return;
  if (nodes.length > 2) {
    const message = `the serial line "${medium.tty}" reaches one of ${nodes.length - 1} other nodes`;
    say("warning", place, "partial-link", message, "nothing is handed on from line to line");
  }
  // Ten bits on the line for each byte.
  const leastMs = Math.ceil((heartbeatBytes + groups.length * groupBytes) * 10_000 / medium.baud);
  if (leastMs > timing.keepaliveMs) {
    const message = `a heartbeat takes up to ${time(leastMs)} on "${medium.tty}" at ${medium.baud} baud, ` +
      `longer than keepalive ${time(timing.keepaliveMs)}: some are left out`;
    say("warning", place, "slow-line", message, "raise baud (up to 460800, at both ends) or keepalive");
  }
}

function checkLink(
  name: string,
  paths: readonly MediumSettings[],
  others: number,
  nodeName: string | null,
  place: Place,
  say: Say,
): void {
  const kinds = [...new Set(paths.map((path) => path.kind))];
  if (kinds.length > 1) {
    const message = `${kinds.join(" and ")} over "${name}" count as one link: they share its cable`;
    say("warning", place, "shared-link", message, "keep one, and add a link over another interface");
  }
  const peers = new Set(paths.flatMap((path) => "peer" in path ? [path.peer] : []));
  if (nodeName === null || !paths.every((path) => "peer" in path) || peers.size >= others) return;
  const message = `link "${name}" reaches ${peers.size} of ${others} other nodes`;
  say("warning", place, "partial-link", message, "add an address for each node");
}

function isTwin(a: MediumSettings, b: MediumSettings): boolean {
  if (a.kind !== b.kind || linkName(a) !== linkName(b)) return false;
  if ("peer" in a && "peer" in b) return a.peer === b.peer && a.port === b.port;
  return a.kind !== "mcast" || b.kind !== "mcast" || (a.group === b.group && a.port === b.port);
}

/**
 * Whether settings that are fine one by one fit together, and what follows from them, each with its reason. Looks at
 * typed settings only; where something was written comes from `Places`.
 */

import type { Authentication, Settings } from "../core/settings.ts";
import { checkFencing } from "./checks/fencing.ts";
import { checkGroups } from "./checks/groups.ts";
import { checkLinks } from "./checks/links.ts";
import { unprotectedSentences } from "./checks/unprotected.ts";
import { nodesMax } from "./defaults.ts";
import { formatDuration as time } from "./durations.ts";
import { type Places, type Problem, problem, type Say } from "./problem.ts";

export { settingsHash } from "./checks/fingerprint.ts";
export { unprotectedSentences } from "./checks/unprotected.ts";

/** Shorter secrets fall to an afternoon of guessing, since every packet is a sample. */
const secretLengthGood = 8;

/** `nodeName` null: the settings are read for no node in particular, and links cannot be counted. */
export function checkSettings(settings: Settings, places: Places, nodeName: string | null): Problem[] {
  const problems: Problem[] = [];
  const say: Say = (...found) => problems.push(problem(...found));
  checkTiming(settings, places, say);
  checkNodes(settings, places, say);
  checkLinks(settings, places, nodeName, say);
  const isPrivate = settings.media.length > 0 && settings.media.every((medium) => medium.kind === "serial");
  problems.push(...checkKeys(settings.authentication, places, isPrivate));
  checkGroups(settings, places, say);
  checkFencing(settings, places, say);
  for (const sentence of unprotectedSentences(settings)) say("note", places.at(), "unprotected", sentence);
  return problems;
}

function checkTiming({ timing, arbiters }: Settings, places: Places, say: Say): void {
  const { keepaliveMs, deadTimeMs, warnTimeMs, initDeadMs } = timing;
  const at = (key: string) => places.at("timing", key);
  const [keepalive, deadtime] = [time(keepaliveMs), time(deadTimeMs)];
  if (deadTimeMs <= 2 * keepaliveMs) {
    const message = `deadtime ${deadtime} is not more than twice keepalive ${keepalive}: ` +
      "one lost packet would look like a death";
    const fifth = time(Math.max(1, Math.floor(deadTimeMs / 5)));
    const hint = `raise deadtime to ${time(5 * keepaliveMs)}, or lower keepalive to ${fifth}`;
    say("error", at("deadtime"), "deadtime-short", message, hint);
    return;
  }
  if (arbiters.length > 0 && deadTimeMs < 4 * keepaliveMs) {
    // An echo of a heartbeat is up to two keepalives old, and a node must give up a keepalive before the dead time.
    const message =
      `deadtime ${deadtime} is less than four times keepalive ${keepalive}: with an arbiter, a node ` +
      "could think itself cut off between two heartbeats";
    const quarter = time(Math.max(1, Math.floor(deadTimeMs / 5)));
    const hint = `raise deadtime to ${time(5 * keepaliveMs)}, or lower keepalive to ${quarter}`;
    say("error", at("deadtime"), "deadtime-short-for-arbiter", message, hint);
  }
  if (initDeadMs < deadTimeMs) {
    const message = `initdead ${time(initDeadMs)} is less than deadtime ${deadtime}: ` +
      "a starting node would judge others sooner than a running one";
    say("error", at("initdead"), "initdead-short", message, `raise initdead to at least ${deadtime}`);
  }
  const warntime = time(warnTimeMs);
  if (warnTimeMs >= deadTimeMs) {
    const message =
      `warntime ${warntime} is not less than deadtime ${deadtime}: no late heartbeat is ever reported`;
    const hint = `lower warntime to about half of deadtime, ${time(Math.floor(deadTimeMs / 2))}`;
    say("warning", at("warntime"), "warntime-long", message, hint);
  } else if (warnTimeMs <= keepaliveMs) {
    const message =
      `warntime ${warntime} is not more than keepalive ${keepalive}: every heartbeat is reported as late`;
    say("warning", at("warntime"), "warntime-short", message, `raise warntime above ${keepalive}`);
  }
}

function checkNodes({ nodes }: Settings, places: Places, say: Say): void {
  const place = places.at("nodes");
  if (nodes.length > nodesMax) {
    say(
      "error",
      place,
      "too-many-nodes",
      `there are ${nodes.length} nodes`,
      `at most ${nodesMax} are possible`,
    );
  } else if (nodes.length === 1) {
    const message = `"${nodes[0]}" is the only node: nobody takes over from it`;
    say("warning", place, "one-node", message, "name the other nodes too");
  }
}

/** Keys that keep nobody out. `isPrivate`: all links are wires that nobody else is on, where `crc` suffices. */
export function checkKeys(authentication: Authentication, places: Places, isPrivate = false): Problem[] {
  const problems: Problem[] = [];
  const say: Say = (...found) => problems.push(problem(...found));
  for (const { index, method, secret } of authentication.keys) {
    const place = places.at("keys", index);
    if (method === "crc") {
      if (isPrivate) continue;
      if (authentication.allowCrc) {
        const message = `key ${index} is crc: anybody on the network can take part`;
        say("warning", place, "crc", message, "use sha256, or sha1 beside Heartbeat daemons");
      } else {
        const message = `key ${index} is crc, which keeps out noise but nobody: refused over UDP`;
        const hint = "use sha1 with a secret (in heartline.yaml, keys.allow-crc: true accepts it)";
        say("error", place, "crc-refused", message, hint);
      }
    } else if (secret.length < secretLengthGood) {
      const message = `the secret of key ${index} has only ${secret.length} characters`;
      const hint = `use at least ${secretLengthGood}, better the output of "openssl rand -hex 32"`;
      say("warning", place, "weak-secret", message, hint);
    }
  }
  return problems;
}

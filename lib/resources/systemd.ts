/**
 * systemd units, through `systemctl`. The manager knows for certain what runs, so its words decide: `ActiveState`
 * after every command, not the exit code of the command.
 *
 *     active, reloading, refreshing ──► running
 *     inactive, failed, maintenance ──► stopped (a failed unit has no processes left)
 *     activating, deactivating ───────► asked again until the limit; then unknown
 */

import type { ResourceOutcome } from "../core/inputs.ts";
import type { SystemdSpec } from "../core/settings.ts";
import type { ProcessResult } from "../system/process.ts";
import { Attempt, failureReason, NOT_INSTALLED } from "./attempt.ts";
import type { Operation, OperationContext, ResourceRunner } from "./resource.ts";

const RUNNING_STATES: readonly string[] = ["active", "reloading", "refreshing"];
const STOPPED_STATES: readonly string[] = ["inactive", "failed", "maintenance"];

/** Between two questions to a unit that is on its way. Lower costs processes, higher costs outage. */
const POLL_PAUSE_MS = 100;

/** Codes of `systemctl is-active`: 0 active, 3 not. */
const RUNNING = 0, STOPPED = 3;

export class SystemdRunner implements ResourceRunner<SystemdSpec> {
  async run(spec: SystemdSpec, operation: Operation, context: OperationContext): Promise<ResourceOutcome> {
    const attempt = new Attempt(`systemd:${spec.unit}`, operation, context);
    if (operation === "monitor") return await state(spec, attempt);

    const words = `"systemctl ${operation} ${spec.unit}"`;
    const call = await attempt.call("systemctl", [operation, spec.unit]);
    const abnormal = missing(call, attempt) ?? attempt.withoutCode(call, words);
    if (abnormal !== null) return abnormal;
    const seen = await state(spec, attempt);
    const wanted = operation === "start" ? "running" : "stopped";
    if (seen.result === wanted) return { ...seen, code: 0 };
    if (seen.result === "unknown") return seen;
    if (seen.code === NOT_INSTALLED) return attempt.end("failed", NOT_INSTALLED, seen.reason);
    if (call.code !== 0) return attempt.end("failed", call.code, failureReason(words, call, undefined));
    const hint = operation === "start" ? "; a unit that ends by itself needs RemainAfterExit=yes" : "";
    return attempt.end("failed", seen.code, `${words} reported success, but it is ${seen.reason}${hint}`);
  }

  describe(spec: SystemdSpec, operation: Operation): string {
    return `systemctl ${operation === "monitor" ? "is-active" : operation} ${spec.unit}`;
  }
}

async function state(spec: SystemdSpec, attempt: Attempt): Promise<ResourceOutcome> {
  while (true) {
    const args = ["show", "--property=LoadState,ActiveState,SubState,Result", "--", spec.unit];
    const call = await attempt.call("systemctl", args);
    const words = `"systemctl show ${spec.unit}"`;
    const abnormal = missing(call, attempt) ?? attempt.withoutCode(call, words);
    if (abnormal !== null) return abnormal;
    if (call.code !== 0) return attempt.end("failed", call.code, failureReason(words, call, undefined));
    const found = properties(call.stdout);
    const active = found.get("ActiveState") ?? "";
    const details = `${active} (${found.get("SubState") ?? "?"})`;
    if (RUNNING_STATES.includes(active)) return attempt.end("running", RUNNING, details);
    if (found.get("LoadState") === "not-found") {
      return attempt.end("stopped", NOT_INSTALLED, `no unit "${spec.unit}" is installed`);
    }
    if (STOPPED_STATES.includes(active)) {
      const result = found.get("Result") ?? "success";
      return attempt.end("stopped", STOPPED, result === "success" ? details : `${details}, result ${result}`);
    }
    if (active === "") return attempt.end("unknown", call.code, `${words} gave no ActiveState`);
    if (!await attempt.pause(POLL_PAUSE_MS)) {
      return attempt.end("unknown", null, `still ${details} after ${attempt.context.limitMs} ms`);
    }
  }
}

/** Without `systemctl` nothing can run under it. */
function missing(call: ProcessResult, attempt: Attempt): ResourceOutcome | null {
  if (call.spawnError !== "ENOENT") return null;
  return attempt.notInstalled(`Cannot ${attempt.operation} a systemd unit: no "systemctl" on this machine`);
}

function properties(text: string): Map<string, string> {
  const found = new Map<string, string>();
  for (const line of text.split("\n")) {
    const equals = line.indexOf("=");
    if (equals > 0) found.set(line.slice(0, equals), line.slice(equals + 1).trim());
  }
  return found;
}

/**
 * LSB init scripts: `/etc/init.d/SCRIPT start|stop|status`, judged by exit codes alone.
 *
 * Start of what runs and stop of what is stopped succeed by the standard, so no question precedes them. After a
 * start the status is asked: a daemon that dies at once must not count as running.
 */

import type { ResourceOutcome } from "../core/inputs.ts";
import type { LsbSpec } from "../core/settings.ts";
import { Attempt, failureReason } from "./attempt.ts";
import { lsbMeanings, lsbStatusMeanings } from "./exit_codes.ts";
import type { Operation, OperationContext, ResourceRunner } from "./resource.ts";
import { findScript } from "../system/program_files.ts";

/** Where LSB scripts are. */
const initDirectory = "/etc/init.d";

/** A daemon may write its pid file a little after its starter ended: so often, so far apart, it is asked again. */
const VERIFY_ATTEMPTS_MAX = 10;
const VERIFY_PAUSE_MS = 100;

export class LsbRunner implements ResourceRunner<LsbSpec> {
  /** `directories` is there for tests. */
  constructor(readonly directories: readonly string[] = [initDirectory]) {}

  async run(spec: LsbSpec, operation: Operation, context: OperationContext): Promise<ResourceOutcome> {
    const attempt = new Attempt(`lsb:${spec.script}`, operation, context);
    const path = findScript(spec.script, this.directories);
    if (path === null) {
      const places = this.directories.map((directory) => `"${directory}"`).join(" or ");
      return attempt.notInstalled(
        `Cannot ${operation} "${spec.script}": no executable file of that name in ${places}`,
      );
    }
    if (operation === "monitor") return await status(path, spec, attempt);

    const words = `"${spec.script} ${operation}"`;
    const call = await attempt.call(path, [operation]);
    const abnormal = attempt.withoutCode(call, words);
    if (abnormal !== null) return abnormal;
    if (call.code !== 0) {
      return attempt.end("failed", call.code, failureReason(words, call, lsbMeanings.get(call.code ?? -1)));
    }
    if (operation === "stop") return attempt.end("stopped", 0, "stopped");
    return await verified(path, spec, attempt);
  }

  describe(spec: LsbSpec, operation: Operation): string {
    const path = findScript(spec.script, this.directories) ?? `${this.directories[0]}/${spec.script}`;
    return `${path} ${operation === "monitor" ? "status" : operation}`;
  }
}

async function status(path: string, spec: LsbSpec, attempt: Attempt): Promise<ResourceOutcome> {
  const call = await attempt.call(path, ["status"]);
  const abnormal = attempt.withoutCode(call, `"${spec.script} status"`);
  if (abnormal !== null) return abnormal;
  const code = call.code ?? -1;
  if (code === 0) return attempt.end("running", 0, "running");
  if (code >= 1 && code <= 3) return attempt.end("stopped", code, lsbStatusMeanings.get(code)!);
  return attempt.end(
    "failed",
    code,
    failureReason(`"${spec.script} status"`, call, lsbStatusMeanings.get(code)),
  );
}

async function verified(path: string, spec: LsbSpec, attempt: Attempt): Promise<ResourceOutcome> {
  for (let attempts = 1;; attempts++) {
    const seen = await status(path, spec, attempt);
    if (seen.result === "running") return attempt.end("running", 0, "started");
    if (seen.result === "unknown") return seen;
    if (attempts === VERIFY_ATTEMPTS_MAX || !await attempt.pause(VERIFY_PAUSE_MS)) {
      const reason =
        `"${spec.script} start" reported success, but afterwards it does not run: ${seen.reason}`;
      return attempt.end("failed", seen.code, reason);
    }
  }
}

/**
 * A plain command: `PATH ARG… start|stop|status`, exit 0 for success, and of `status` 3 or 7 for stopped.
 *
 * Nothing obliges such a command to be idempotent, so the status is asked before a start, and again after it: a
 * command that cannot tell its status cannot be kept running, and is refused at the start rather than at a failover.
 */

import type { ResourceOutcome } from "../core/inputs.ts";
import type { ExecSpec } from "../core/settings.ts";
import { Attempt, failureReason } from "./attempt.ts";
import type { Operation, OperationContext, ResourceRunner } from "./resource.ts";
import { isExecutable } from "../system/program_files.ts";

const STOPPED_CODES: readonly number[] = [3, 7];

export class ExecRunner implements ResourceRunner<ExecSpec> {
  async run(spec: ExecSpec, operation: Operation, context: OperationContext): Promise<ResourceOutcome> {
    const attempt = new Attempt(["exec", spec.path, ...spec.args].join(" "), operation, context);
    if (!isExecutable(spec.path)) {
      return attempt.notInstalled(`Cannot ${operation} "${spec.path}": it is not an executable file`);
    }
    switch (operation) {
      case "monitor":
        return await status(spec, attempt);
      case "start": {
        const before = await status(spec, attempt);
        if (before.result === "running") return { ...before, reason: "was running already" };
        if (before.result === "unknown") return before;
        const failure = await act(spec, attempt, "start");
        if (failure !== null) return failure;
        const after = await status(spec, attempt);
        if (after.result === "running") return { ...after, reason: "started" };
        if (after.result === "unknown") return after;
        const reason =
          `"${spec.path} start" reported success, but afterwards it does not run: ${after.reason}`;
        return attempt.end("failed", after.code, reason);
      }
      case "stop":
        return await act(spec, attempt, "stop") ?? attempt.end("stopped", 0, "stopped");
    }
  }

  describe(spec: ExecSpec, operation: Operation): string {
    return [spec.path, ...spec.args, operation === "monitor" ? "status" : operation].join(" ");
  }
}

/** `null`: done. A stop that fails on what is stopped already is forgiven. */
async function act(
  spec: ExecSpec,
  attempt: Attempt,
  action: "start" | "stop",
): Promise<ResourceOutcome | null> {
  const call = await attempt.call(spec.path, [...spec.args, action]);
  const abnormal = attempt.withoutCode(call, `"${spec.path} ${action}"`);
  if (abnormal !== null) return abnormal;
  if (call.code === 0) return null;
  if (action === "stop") {
    const after = await status(spec, attempt);
    if (after.result === "stopped") return { ...after, reason: `the stop failed, but it is ${after.reason}` };
  }
  return attempt.end("failed", call.code, failureReason(`"${spec.path} ${action}"`, call, undefined));
}

async function status(spec: ExecSpec, attempt: Attempt): Promise<ResourceOutcome> {
  const call = await attempt.call(spec.path, [...spec.args, "status"]);
  const abnormal = attempt.withoutCode(call, `"${spec.path} status"`);
  if (abnormal !== null) return abnormal;
  if (call.code === 0) return attempt.end("running", 0, "running");
  if (STOPPED_CODES.includes(call.code ?? -1)) return attempt.end("stopped", call.code, "stopped");
  return attempt.end("failed", call.code, failureReason(`"${spec.path} status"`, call, undefined));
}

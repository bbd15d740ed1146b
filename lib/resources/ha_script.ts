/**
 * Scripts of `/etc/ha.d/resource.d` and `/etc/init.d`, as Heartbeat calls them: `SCRIPT ARG… start|stop|status`.
 *
 * Whether one runs is decided by what `status` prints on standard output and by nothing else: these scripts are
 * older than agreed exit codes. A stop that failed is believed only when the script says in so many words that the
 * resource is not running; text that merely fails to say "running" (a usage line, nothing) is no such proof.
 */

import { basename, dirname } from "node:path";
import type { ResourceOutcome } from "../core/inputs.ts";
import type { HaScriptSpec } from "../core/settings.ts";
import { Attempt, failureReason } from "./attempt.ts";
import { lsbMeanings } from "./exit_codes.ts";
import type { Operation, OperationContext, ResourceRunner } from "./resource.ts";
import { findScript } from "../system/program_files.ts";

/** As Heartbeat does: so many further stops after a failed one, this far apart, as long as the limit allows. */
const STOP_RETRIES_MAX = 10;
const STOP_RETRY_PAUSE_MS = 1000;

/** The same order of questions as Heartbeat's: "not …running" beats "running" and "OK"; all else is stopped. */
export function saysRunning(printed: string): boolean {
  if (/[Nn][Oo][Tt] [\s\S]*[Rr]unning/.test(printed)) return false;
  return /[Rr]unning|OK/.test(printed);
}

/** The script names the stopped state, instead of merely not naming the running one. */
export function saysStopped(printed: string): boolean {
  return !saysRunning(printed) && /not [\s\S]*running|\b(stopped|dead|inactive|down|unused)\b/i.test(printed);
}

export class HaScriptRunner implements ResourceRunner<HaScriptSpec> {
  async run(spec: HaScriptSpec, operation: Operation, context: OperationContext): Promise<ResourceOutcome> {
    const name = ["ha", spec.script, ...spec.args].join("::");
    const attempt = new Attempt(name, operation, context, environment(context));
    const path = findScript(spec.script, context.scriptDirectories);
    if (path === null) return attempt.notInstalled(missing(spec, operation, context));
    const script = new Script(path, spec, attempt);
    switch (operation) {
      case "start":
        return await script.start();
      case "stop":
        return await script.stop();
      case "monitor":
        return await script.monitor();
    }
  }

  describe(spec: HaScriptSpec, operation: Operation, context: OperationContext): string {
    const path = findScript(spec.script, context.scriptDirectories) ?? spec.script;
    return [path, ...spec.args, operation === "monitor" ? "status" : operation].join(" ");
  }
}

class Script {
  constructor(readonly path: string, readonly spec: HaScriptSpec, readonly attempt: Attempt) {}

  async monitor(): Promise<ResourceOutcome> {
    const call = await this.#call("status");
    const abnormal = this.attempt.withoutCode(call, this.#words("status"));
    if (abnormal !== null) return abnormal;
    const printed = call.stdout.trim().split("\n").at(-1) ?? "";
    const said = printed === "" ? `${this.#words("status")} printed nothing` : printed;
    return this.attempt.end(saysRunning(call.stdout) ? "running" : "stopped", call.code, said);
  }

  async start(): Promise<ResourceOutcome> {
    const before = await this.monitor();
    if (before.result === "running") {
      return { ...before, code: 0, reason: `was running already: ${before.reason}` };
    }
    if (before.result === "unknown") return before;
    const call = await this.#call("start");
    const abnormal = this.attempt.withoutCode(call, this.#words("start"));
    if (abnormal !== null) return abnormal;
    if (call.code === 0) return this.attempt.end("running", 0, "started");
    const reason = failureReason(this.#words("start"), call, lsbMeanings.get(call.code ?? -1));
    return this.attempt.end("failed", call.code, reason);
  }

  async stop(): Promise<ResourceOutcome> {
    for (let retries = 0;; retries++) {
      const call = await this.#call("stop");
      const abnormal = this.attempt.withoutCode(call, this.#words("stop"));
      if (abnormal !== null) return abnormal;
      if (call.code === 0) return this.attempt.end("stopped", 0, "stopped");
      const status = await this.#call("status");
      if (status.code !== null && saysStopped(status.stdout)) {
        const note = "its stop fails where it must not: on what is stopped already";
        return this.attempt.end("stopped", call.code, `says that it is stopped; ${note}`);
      }
      if (retries === STOP_RETRIES_MAX || !await this.attempt.pause(STOP_RETRY_PAUSE_MS)) {
        const reason = failureReason(this.#words("stop"), call, lsbMeanings.get(call.code ?? -1));
        return this.attempt.end("failed", call.code, `${reason} (tried ${retries + 1} times)`);
      }
    }
  }

  #call(operation: "start" | "stop" | "status") {
    return this.attempt.call(this.path, [...this.spec.args, operation]);
  }

  #words(operation: string): string {
    return `"${this.spec.script} ${operation}"`;
  }
}

function missing(spec: HaScriptSpec, operation: Operation, context: OperationContext): string {
  const places = context.scriptDirectories.map((directory) => `"${directory}"`).join(" or ");
  return `Cannot ${operation} "${spec.script}": no executable file of that name in ${
    places || "any directory"
  }`;
}

/** What Heartbeat's scripts and their shell functions expect to find. */
function environment(context: OperationContext): Record<string, string> {
  const resourceDirectory = context.scriptDirectories.find((directory) =>
    basename(directory) === "resource.d"
  );
  const directory = context.environment["HA_DIR"] ??
    (resourceDirectory === undefined ? "/etc/ha.d" : dirname(resourceDirectory));
  return {
    HA_DIR: directory,
    HA_RCDIR: `${directory}/rc.d`,
    HA_FUNCS: `${directory}/shellfuncs`,
    HA_RESOURCEDIR: resourceDirectory ?? `${directory}/resource.d`,
    OCF_ROOT: "/usr/lib/ocf",
  };
}

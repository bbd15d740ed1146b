/**
 * OCF resource agents, API 1.1: `$OCF_ROOT/resource.d/PROVIDER/TYPE start|stop|monitor`, parameters in the
 * environment, judged by exit codes alone; the agent's own `ocf-exit-reason:` is the reason where it gives one.
 *
 * Agents are idempotent by their contract and return from `start` only when the resource runs, so nothing is asked
 * before or after.
 */

import { createHash } from "node:crypto";
import { join } from "node:path";
import process from "node:process";
import type { ResourceOutcome } from "../core/inputs.ts";
import type { OcfSpec } from "../core/settings.ts";
import type { ProcessResult } from "../system/process.ts";
import { Attempt, failureReason, NOT_INSTALLED } from "./attempt.ts";
import { ocfMeanings } from "./exit_codes.ts";
import type { Operation, OperationContext, ResourceRunner } from "./resource.ts";
import { isExecutable } from "../system/program_files.ts";

const DEFAULT_OCF_ROOT = "/usr/lib/ocf";

const OK = 0, NOT_RUNNING = 7, RUNNING_PROMOTED = 8, DEGRADED = 190, DEGRADED_PROMOTED = 191;
const RUNNING_CODES: readonly number[] = [OK, RUNNING_PROMOTED, DEGRADED, DEGRADED_PROMOTED];

export class OcfRunner implements ResourceRunner<OcfSpec> {
  async run(spec: OcfSpec, operation: Operation, context: OperationContext): Promise<ResourceOutcome> {
    const root = ocfRoot(context);
    const name = `ocf:${spec.provider}:${spec.type}:${instanceName(spec)}`;
    const attempt = new Attempt(name, operation, context, ocfEnvironment(spec, root, context.limitMs));
    const path = agentPath(spec, root);
    if (path === null || !isExecutable(path)) {
      const where = path ?? join(root, "resource.d");
      return attempt.notInstalled(
        `Cannot ${operation} "ocf:${spec.provider}:${spec.type}": no executable agent "${where}"; ` +
          `install it (Debian: package "resource-agents")`,
      );
    }
    const words = `"${spec.type} ${operation}"`;
    const call = await attempt.call(path, [operation]);
    const abnormal = attempt.withoutCode(call, words);
    if (abnormal !== null) return abnormal;
    const code = call.code ?? -1;
    const reason = exitReason(call) ?? failureReason(words, call, ocfMeanings.get(code));
    if (operation === "monitor") {
      if (RUNNING_CODES.includes(code)) {
        const isDegraded = code === DEGRADED || code === DEGRADED_PROMOTED;
        return attempt.end("running", code, isDegraded ? `degraded: ${reason}` : ocfMeanings.get(code)!);
      }
      if (code === NOT_RUNNING) return attempt.end("stopped", code, exitReason(call) ?? "not running");
      // The agent looked for its program: what is not there does not run.
      if (code === NOT_INSTALLED) return attempt.notInstalled(reason);
      return attempt.end("failed", code, reason);
    }
    if (code !== OK) return attempt.end("failed", code, reason);
    return operation === "start"
      ? attempt.end("running", OK, "started")
      : attempt.end("stopped", OK, "stopped");
  }

  describe(spec: OcfSpec, operation: Operation, context: OperationContext): string {
    const root = ocfRoot(context);
    const parameters = Object.entries(spec.parameters).map(([name, value]) =>
      `OCF_RESKEY_${name}=${quoted(value)}`
    );
    return [`OCF_ROOT=${root}`, ...parameters, agentPath(spec, root) ?? spec.type, operation].join(" ");
  }
}

/** The agent's own words: the last `ocf-exit-reason:` on standard error; `null`: none. */
export function exitReason(call: ProcessResult): string | null {
  const reasons = [...call.stderr.matchAll(/^.*?ocf-exit-reason:[ \t]*(.+)$/gm)].map((match) =>
    match[1]!.trim()
  );
  return reasons.at(-1) ?? null;
}

/**
 * Agents keep state files under this name, so that it must be the same for start, stop and monitor, whoever calls:
 * the type and a digest of the parameters.
 */
export function instanceName(spec: OcfSpec): string {
  const parameters = Object.entries(spec.parameters).sort(([a], [b]) => a < b ? -1 : 1);
  if (parameters.length === 0) return spec.type;
  return `${spec.type}-${createHash("sha256").update(JSON.stringify(parameters)).digest("hex").slice(0, 8)}`;
}

function ocfEnvironment(spec: OcfSpec, root: string, limitMs: number): Record<string, string> {
  const environment: Record<string, string> = {
    OCF_ROOT: root,
    OCF_RA_VERSION_MAJOR: "1",
    OCF_RA_VERSION_MINOR: "1",
    OCF_RESOURCE_INSTANCE: instanceName(spec),
    OCF_RESOURCE_TYPE: spec.type,
    OCF_RESOURCE_PROVIDER: spec.provider,
    OCF_CHECK_LEVEL: "0",
    OCF_OUTPUT_FORMAT: "text",
    OCF_RESKEY_CRM_meta_timeout: String(limitMs),
    // Without a terminal and without a log file the shell functions of agents log to standard error, which we keep.
    HA_LOGFACILITY: "none",
  };
  for (const [name, value] of Object.entries(spec.parameters)) environment[`OCF_RESKEY_${name}`] = value;
  return environment;
}

function ocfRoot(context: OperationContext): string {
  return context.environment["OCF_ROOT"] ?? process.env["OCF_ROOT"] ?? DEFAULT_OCF_ROOT;
}

/** `null`: a name that would leave the directory of agents. */
function agentPath(spec: OcfSpec, root: string): string | null {
  const isPlain = (name: string) => !name.includes("/") && !name.startsWith(".");
  if (!isPlain(spec.provider) || !isPlain(spec.type)) return null;
  return join(root, "resource.d", spec.provider, spec.type);
}

function quoted(value: string): string {
  return /^[A-Za-z0-9_.,:/@%+=-]+$/.test(value) ? value : `'${value.replaceAll("'", `'\\''`)}'`;
}

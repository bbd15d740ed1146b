/**
 * What follows from the end of a group's operation: the next step, the report, the alarm. A failure never leads to a
 * silent second holder: what could not be stopped stays claimed by this node until a person, or a reboot, ends it.
 */

import type { Context } from "../context.ts";
import type { ResourceOutcome } from "../inputs.ts";
import type { GroupEvent } from "./group_machine.ts";
import type { Keeper } from "./keeper.ts";

export function hearGroupEvent(context: Context, keeper: Keeper, event: GroupEvent): void {
  context.isStatementDirty = true;
  switch (event.kind) {
    case "probed":
      return probed(context, keeper, event.leftovers, event.missing);
    case "started":
      return started(context, keeper);
    case "stopped":
      return stopped(context, keeper);
    case "start-failed":
      return startFailed(context, keeper, event.resource, event.outcome);
    case "stop-failed":
      return stopFailed(context, keeper, event.resource, event.outcome);
    case "monitor-failed":
      return monitorFailed(context, keeper, event.index, event.resource, event.outcome);
  }
}

function probed(
  context: Context,
  keeper: Keeper,
  leftovers: readonly string[],
  missing: string | null,
): void {
  if (missing !== null) keeper.health.fail(context, `${missing} is not installed here`);
  if (leftovers.length === 0) return;
  const what = leftovers.join(", ");
  context.report(
    "warning",
    "leftover",
    `stopping ${what} of ${keeper.name}: it ran before this daemon started`,
    {
      group: keeper.name,
    },
  );
}

function started(context: Context, keeper: Keeper): void {
  keeper.health.scheduleMonitor(context.now);
  context.clear("start-failed", keeper.name, `${keeper.name} runs here`);
  context.clear("monitor-failed", keeper.name, `${keeper.name} runs here`);
  keeper.moves.started(context, keeper.name, keeper.epoch);
}

function stopped(context: Context, keeper: Keeper): void {
  for (const code of ["stop-failed", "reboot-failed"] as const) {
    context.clear(code, keeper.name, `${keeper.name} is stopped`);
  }
  context.report("notice", "group-stopped", `${keeper.name} is stopped here`, { group: keeper.name });
  keeper.moves.released(context.now);
}

function startFailed(context: Context, keeper: Keeper, resource: string, outcome: ResourceOutcome): void {
  const why = `start of ${resource} ${inWords(outcome)}`;
  keeper.health.fail(context, why);
  context.raise(
    "start-failed",
    keeper.name,
    `giving up ${keeper.name}: ${why}; this node leaves it alone for ${
      keeper.settings.retryAfterMs / 1000
    } s`,
    fieldsOf(keeper, resource, outcome),
  );
}

function stopFailed(context: Context, keeper: Keeper, resource: string, outcome: ResourceOutcome): void {
  const why = `stop of ${resource} ${inWords(outcome)}`;
  const { onStopFail } = keeper.settings;
  keeper.reason = `${why}; stop it by hand, then: heartline rejoin ${keeper.name}`;
  context.raise(
    "stop-failed",
    keeper.name,
    `${keeper.name} is blocked here and nobody may start it: ${why}. Stop it by hand, then: heartline rejoin ` +
      keeper.name,
    { ...fieldsOf(keeper, resource, outcome), policy: onStopFail },
  );
  if (onStopFail === "reboot") context.emit({ kind: "reboot", group: keeper.name, reason: why });
}

/** The others wait for a reboot that does not come: a person must end it. */
export function rebootFailed(context: Context, keeper: Keeper | undefined, reason: string): void {
  // Else it is stopped after all, or being stopped once more.
  if (keeper?.machine.state !== "blocked") return;
  const { name } = keeper;
  context.raise(
    "reboot-failed",
    name,
    `this machine was to reboot, since ${name} could not be stopped, and does not: ${reason}. Reboot it by hand; or ` +
      `stop ${name} by hand, then: heartline rejoin ${name}`,
    { group: name },
  );
}

function monitorFailed(
  context: Context,
  keeper: Keeper,
  index: number,
  resource: string,
  outcome: ResourceOutcome,
): void {
  const why = `monitor of ${resource} ${inWords(outcome)}`;
  if (keeper.health.mayRestart(context.now)) {
    context.report("warning", "monitor-failed", `restarting ${resource} of ${keeper.name}: ${why}`, {
      ...fieldsOf(keeper, resource, outcome),
    });
    keeper.machine.restart(context, index);
    return;
  }
  keeper.health.fail(context, why);
  context.raise(
    "monitor-failed",
    keeper.name,
    `giving up ${keeper.name}: ${why}, again after a restart`,
    fieldsOf(keeper, resource, outcome),
  );
}

function inWords(outcome: ResourceOutcome): string {
  const reason = outcome.reason === "" ? "" : `: ${outcome.reason}`;
  switch (outcome.result) {
    case "unknown":
      return `has no certain outcome${reason}`;
    case "failed":
      return `failed${outcome.code === null ? "" : ` with code ${outcome.code}`}${reason}`;
    default:
      return `found it ${outcome.result}${reason}`;
  }
}

function fieldsOf(
  keeper: Keeper,
  resource: string,
  outcome: ResourceOutcome,
): Record<string, string | number> {
  return { group: keeper.name, resource, result: outcome.result, code: outcome.code ?? -1 };
}

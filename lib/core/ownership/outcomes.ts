/** Takes the outcome of an operation or a question to who asked for it. Decides nothing else. */

import type { Context } from "../context.ts";
import type { Input } from "../inputs.ts";
import { hearGroupEvent } from "./events.ts";
import type { Fencing } from "./fencing.ts";
import type { Keeper } from "./keeper.ts";

export function hearOutcome(
  context: Context,
  keepers: readonly Keeper[],
  fencing: Fencing,
  isMaintenance: boolean,
  { id, outcome }: Extract<Input, { kind: "outcome" }>,
): void {
  if (outcome.kind === "wire") {
    for (const keeper of keepers) if (keeper.hearWire(context, id, outcome.verdict)) return;
    return;
  }
  if (outcome.kind === "fence") return fencing.hear(context, id, outcome);
  for (const keeper of keepers) {
    const state = keeper.machine.state;
    const event = keeper.machine.hear(context, id, outcome);
    if (keeper.machine.state !== state) context.isStatementDirty = true;
    // A round of monitoring may have begun before maintenance did: then it is the operator who stops things.
    if (event?.kind === "monitor-failed" && isMaintenance) return;
    if (event !== null) return hearGroupEvent(context, keeper, event);
  }
}

/**
 * The `events` of a scenario: each names an instant, one thing that happens, and perhaps for how long. What happens is
 * told in operators' words and becomes the simulator's faults; with `for`, its opposite follows by itself.
 */

import type { Entry, Value } from "../../config/yaml/reader.ts";
import type { Fault } from "../faults.ts";
import type { PlannedFault } from "../faults.ts";
import type { Cast } from "./cast.ts";
import { actions, type Change } from "./actions.ts";
import { readOperator } from "./operator.ts";

const actionKeys = [...Object.keys(actions), "operator", "flap"];

export function readEvents(cast: Cast, value: Value | undefined, durationMs: number): PlannedFault[] {
  if (value === undefined) return [];
  return cast.reader.list(value, `"events"`).flatMap((item) => readEvent(cast, item, durationMs));
}

function readEvent(cast: Cast, item: Value, durationMs: number): PlannedFault[] {
  const { reader } = cast;
  const { findings } = reader;
  const entries = reader.mapping(item, {
    what: "an event",
    keys: ["at", "for", ...actionKeys],
    required: ["at"],
  });
  const at = entries?.get("at");
  if (entries === null || at === undefined) return [];
  const atMs = reader.duration(at.value, `"at"`, 0);
  const lasting = entries.get("for");
  const forMs = lasting === undefined ? null : reader.duration(lasting.value, `"for"`, 1);
  const [action, second] = [...entries.values()].filter(({ key }) => actionKeys.includes(key.value));
  if (action === undefined) {
    const known = actionKeys.join(", ");
    findings.error(item.span, "missing-key", "the event does not say what happens", `add one of ${known}`);
    return [];
  }
  if (second !== undefined) {
    const message = `an event is both "${action.key.value}" and "${second.key.value}"`;
    findings.error(second.key.span, "double-kind", message, "begin a new event with -");
  }
  if (atMs === null) return [];
  if (atMs > durationMs) {
    const message = `the event happens after the end of the scenario at ${durationMs / 1000} s`;
    findings.error(at.value.span, "too-late", message, "raise duration");
  }
  if (action.key.value === "flap") return readFlap(cast, action, atMs, forMs);
  const changes = action.key.value === "operator"
    ? readOperator(cast, action.value)
    : actions[action.key.value]!(cast, action.value);
  return changes.flatMap((change) => planned(cast, change, action, lasting, atMs, forMs));
}

function planned(
  { reader }: Cast,
  { fault, undo }: Change,
  action: Entry,
  lasting: Entry | undefined,
  atMs: number,
  forMs: number | null,
): PlannedFault[] {
  if (lasting !== undefined && undo === null) {
    const message = `"${action.key.value}" has no end of its own, so "for" says nothing`;
    reader.findings.error(lasting.key.span, "needless-key", message, "remove it");
  }
  const end: readonly Fault[] = undo === null || forMs === null ? [] : [undo];
  return [{ atMs, fault }, ...end.map((fault) => ({ atMs: atMs + forMs!, fault }))];
}

/** `flap: {link: hb0, every: 2s}` with `for`: cut and whole in turn, each for half of the time. */
function readFlap(cast: Cast, { value, key }: Entry, atMs: number, forMs: number | null): PlannedFault[] {
  const { reader } = cast;
  if (forMs === null) {
    reader.findings.error(key.span, "missing-key", `"flap" does not say how long`, `add "for: 30s"`);
    return [];
  }
  const entries = reader.mapping(value, {
    what: `"flap"`,
    keys: ["link", "from", "to", "every"],
    required: ["every"],
  });
  const every = entries?.get("every");
  const everyMs = every && reader.duration(every.value, `"every"`, 2);
  if (entries === null || everyMs === null || everyMs === undefined) return [];
  const cuts = actions.cut!(cast, value, ["every"]);
  const planned: PlannedFault[] = [];
  for (let passedMs = 0; passedMs < forMs; passedMs += everyMs) {
    for (const { fault, undo } of cuts) {
      planned.push({ atMs: atMs + passedMs, fault });
      planned.push({ atMs: Math.min(atMs + passedMs + everyMs / 2, atMs + forMs), fault: undo! });
    }
  }
  return planned;
}

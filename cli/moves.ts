/**
 * The commands that ask the daemon to change who holds a group: hand the wish over, then watch until it is fulfilled.
 * Decides when it is, from the daemon's views alone. Must never call a move done on a view older than the wish.
 */

import { Command } from "@commander-js/extra-typings";
import type { GroupView, NodeView } from "../lib/core/view.ts";
import { EnvironmentError } from "../lib/errors.ts";
import type { ControlClient } from "../lib/runtime/control_client.ts";
import { controlSchema } from "../lib/runtime/control_protocol.ts";
import { printJson, refuseUnknownGroups, withDaemon } from "./control.ts";
import { examples, jsonOption, socketOption, timeoutOption } from "./options.ts";

export type MoveKind = "takeover" | "standby" | "release" | "rejoin" | "confirm";

export interface MoveTexts {
  readonly description: string;
  readonly examples: ReadonlyArray<readonly [command: string, meaning: string]>;
}

interface MoveOptions {
  readonly socket: string;
  readonly timeout: number;
  readonly wait: boolean;
  readonly json?: true | undefined;
}

/** How far one group is: `done`, `waiting`, or the sentence that says why it will not come about. */
export type Progress = { readonly kind: "done" | "waiting" } | {
  readonly kind: "failed";
  readonly why: string;
};

const pollMs = 50;

export function moveCommand(kind: MoveKind, texts: MoveTexts) {
  return new Command(kind)
    .description(texts.description)
    .argument("[group...]", "names of groups; none: all groups")
    .option("--no-wait", "return as soon as the daemon has agreed")
    .addOption(timeoutOption(60_000, "how long to wait for it to be done"))
    .addOption(jsonOption())
    .addOption(socketOption())
    .addHelpText("after", examples(texts.examples))
    .action((groups, options) => move(kind, groups, options));
}

async function move(kind: MoveKind, names: readonly string[], options: MoveOptions): Promise<void> {
  await withDaemon(options.socket, options.timeout, async (client) => {
    const deadline = performance.now() + options.timeout;
    const before = (await client.status()).result;
    refuseUnknownGroups(before, names);
    const { result } = await client.command({ kind, groups: names }, options.timeout);
    const agreedAt = performance.now();
    if (!result.accepted) {
      if (options.json) {
        printJson({ schema: controlSchema, command: kind, ...result, done: false, groups: [] });
      } else process.stderr.write(`heartline: Cannot do ${kind}: ${result.message}\n`);
      process.exitCode = 1;
      return;
    }
    if (!options.json) process.stdout.write(`${result.message}\n`);
    const chosen = choose(kind, before, names);
    const isWaiting = options.wait && chosen.length > 0;
    const end = isWaiting ? await settle(client, kind, chosen, agreedAt, deadline) : null;
    if (options.json) {
      printJson({
        schema: controlSchema,
        command: kind,
        ...result,
        done: end?.isDone ?? null,
        groups: end?.groups ?? [],
      });
    } else if (end !== null) {
      for (const line of end.lines) process.stdout.write(`${line}\n`);
    }
    if (end !== null && !end.isDone) process.exitCode = 1;
  });
}

/** The groups whose move is worth waiting for, as they were. */
function choose(kind: MoveKind, view: NodeView, names: readonly string[]): readonly GroupView[] {
  const chosen = view.groups.filter((group) => names.length === 0 || names.includes(group.group));
  return kind === "standby" ? chosen.filter((group) => group.state !== "stopped") : chosen;
}

async function settle(
  client: ControlClient,
  kind: MoveKind,
  before: readonly GroupView[],
  agreedAt: number,
  deadline: number,
) {
  const seen = new Map(before.map((group) => [group.group, new Set<GroupView["state"]>()]));
  while (true) {
    const { result: view, ageMs } = await client.status();
    const isFresh = performance.now() - ageMs >= agreedAt;
    const groups = view.groups.filter((group) => seen.has(group.group));
    if (isFresh) {
      for (const group of groups) seen.get(group.group)!.add(group.state);
      const all = groups.map((group) => progress(kind, view.node, group, seen.get(group.group)!));
      if (all.every(({ kind }) => kind !== "waiting")) {
        const lines = groups.map((group, index) =>
          outcomeLine(
            kind,
            view.node,
            group,
            all[index]!,
            before.find(({ group: name }) => name === group.group)!,
          )
        );
        return { isDone: all.every(({ kind }) => kind === "done"), lines, groups };
      }
    }
    if (performance.now() + pollMs > deadline) {
      const left = groups.map((group) => `${group.group} is ${group.state} here (${group.reason})`).join(
        "; ",
      );
      throw new EnvironmentError(
        `Cannot wait for ${kind} any longer: ${left}; it goes on, see "heartline status"`,
        124,
      );
    }
    await new Promise((resolve) => setTimeout(resolve, pollMs));
  }
}

/** `seen`: the states the group has had on this node since the daemon agreed, the present one included. */
export function progress(
  kind: MoveKind,
  self: string,
  group: GroupView,
  seen: ReadonlySet<GroupView["state"]>,
): Progress {
  // A rejoin stops what is blocked before the daemon agrees to it: then it has failed again.
  if (group.state === "blocked") return { kind: "failed", why: group.reason };
  const isHere = group.state === "running";
  const isElsewhere = group.holders.some((holder) => holder !== self);
  switch (kind) {
    case "takeover":
      if (isHere && !isElsewhere) return { kind: "done" };
      return group.state === "stopped" && !group.able
        ? { kind: "failed", why: group.reason }
        : { kind: "waiting" };
    case "confirm":
      if (isHere || isElsewhere) return { kind: "done" };
      return group.state === "stopped" && !group.able
        ? { kind: "failed", why: group.reason }
        : { kind: "waiting" };
    case "standby":
      if (group.state === "stopped" && isElsewhere) return { kind: "done" };
      // It let go, nobody could take it, and it came back.
      return isHere && seen.has("stopped") ? { kind: "failed", why: group.reason } : { kind: "waiting" };
    case "release":
      return group.state === "stopped" ? { kind: "done" } : { kind: "waiting" };
    case "rejoin":
      return group.state === "stopping" ? { kind: "waiting" } : { kind: "done" };
  }
}

function outcomeLine(
  kind: MoveKind,
  self: string,
  group: GroupView,
  end: Progress,
  before: GroupView,
): string {
  if (end.kind === "failed") return `${group.group}: failed: ${end.why}`;
  const others = group.holders.filter((holder) => holder !== self);
  const where = group.state === "running"
    ? `runs here (${self})`
    : others.length > 0
    ? `runs on ${others.join(", ")}`
    : "is stopped here";
  // A gap of an earlier move must not be sold as that of this one.
  const isMeasured = (kind === "takeover" || kind === "standby") && group.lastGapMs !== null &&
    (group.lastGapMs !== before.lastGapMs || group.state !== before.state);
  return `${group.group}: ${where}${isMeasured ? `; nobody held it for ${group.lastGapMs} ms` : ""}`;
}

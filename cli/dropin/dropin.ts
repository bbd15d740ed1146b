/**
 * The names that operators of Heartbeat know: called by one of them (a link to the binary, or a verb that the help does
 * not list), heartline takes that command's arguments and gives its output and exit code. Decides only whether that is
 * so; each command is loaded when it is called.
 */

import { basename } from "node:path";
import process from "node:process";

export interface DropInCall {
  readonly name: DropInName;
  readonly args: readonly string[];
}

export type DropInName = "cl_status" | "hb_standby" | "hb_takeover";

const names: readonly DropInName[] = ["cl_status", "hb_standby", "hb_takeover"];

/** What a drop-in command says and ends with. */
export interface DropInAnswer {
  readonly stdout: string;
  readonly stderr: string;
  readonly exitCode: number;
}

/** `calledAs` is the name that the program was started by; `null`: it was called as heartline, for its own commands. */
export function dropInCall(calledAs: string, args: readonly string[]): DropInCall | null {
  const byName = names.find((name) => name === basename(calledAs));
  if (byName !== undefined) return { name: byName, args };
  const byVerb = names.find((name) => name === args[0]);
  return byVerb === undefined ? null : { name: byVerb, args: args.slice(1) };
}

export async function runDropIn({ name, args }: DropInCall): Promise<void> {
  const answer = name === "cl_status"
    ? await (await import("./cl_status_run.ts")).clStatus(args)
    : await (await import("./moves_of_sets.ts")).moveSet(name, args);
  process.stderr.write(answer.stderr);
  process.stdout.write(answer.stdout);
  process.exitCode = answer.exitCode;
}

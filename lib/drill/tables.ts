/**
 * The drills that are in this machine's packet filter, read and removed through `nft`. It looks at no table but ours:
 * what is not named as a drill is never touched.
 */

import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { EnvironmentError } from "../errors.ts";
import { type ProcessResult, runProcess } from "../system/process.ts";
import { type Direction, parseComment, parseTableName, tableFamily } from "./plan.ts";

export interface DrillTable {
  readonly table: string;
  readonly id: string;
  readonly endsAtUnixSeconds: number;
  readonly link: string | null;
  readonly what: string | null;
  /** The kernel has not let go of it yet. */
  readonly isActive: boolean;
  /** Packets dropped so far; a direction that is not cut is missing. */
  readonly dropped: Readonly<Partial<Record<Direction, number>>>;
}

/** Too low: a loaded machine, or one with thousands of rules, is given up; too high: a hung nft holds the command. */
const nftLimitMs = 10_000;

/** Last argument of a helper's command line but one: how `undo` finds it. */
export const helperName = "heartline-drill-helper";

export async function listDrills(): Promise<DrillTable[]> {
  const { tables } = collect(await nftJson(["list", "tables", tableFamily]));
  const drills = await Promise.all(
    tables.filter((table) => parseTableName(table) !== null).map((table) => readDrill(table)),
  );
  return drills.filter((drill) => drill !== null).sort((a, b) => a.endsAtUnixSeconds - b.endsAtUnixSeconds);
}

/** `null`: there is no such table (any more). */
export async function readDrill(table: string): Promise<DrillTable | null> {
  const name = parseTableName(table);
  if (name === null) return null;
  const answer = await nft(["-j", "list", "table", tableFamily, table]);
  if (isMissing(answer)) return null;
  const { comment, dropped, isActive } = collect(parse(answer));
  const said = comment === null ? null : parseComment(comment);
  return { table, ...name, link: said?.link ?? null, what: said?.what ?? null, isActive, dropped };
}

/** Removes the rules, and then the process that waits to do so. `false`: there was nothing to remove. */
export async function removeDrill(table: string): Promise<boolean> {
  if (parseTableName(table) === null) return false;
  const answer = await nft(["delete", "table", tableFamily, table]);
  endHelper(table);
  if (isMissing(answer)) return false;
  if (answer.code !== 0) throw failed("remove the drill's rules", answer);
  return true;
}

/** Ends the process group of the helper of one drill; the unique table name in its command line tells it. */
function endHelper(table: string): void {
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const words = readFileSync(`/proc/${entry}/cmdline`, "utf8").split("\0");
      const at = words.indexOf(helperName);
      if (at >= 0 && words[at + 1] === table) process.kill(-Number(entry), "SIGKILL");
    } catch {
      // It has ended meanwhile, or is not the leader of its group.
    }
  }
}

interface Collected {
  readonly tables: string[];
  comment: string | null;
  readonly dropped: Partial<Record<Direction, number>>;
  isActive: boolean;
}

/** What matters to us in nft's JSON (libnftables-json(5)). */
function collect(items: readonly Record<string, unknown>[]): Collected {
  const found: Collected = { tables: [], comment: null, dropped: {}, isActive: false };
  for (const item of items) {
    const { table, rule, set } = item as Record<string, Record<string, unknown> | undefined>;
    if (table !== undefined) found.tables.push(String(table.name));
    if (set?.name === "armed") found.isActive = Array.isArray(set.elem) && set.elem.length > 0;
    if (rule === undefined) continue;
    if (typeof rule.comment === "string") found.comment ??= rule.comment;
    const direction = rule.chain as Direction;
    const expressions = rule.expr as ReadonlyArray<{ counter?: { packets?: number } }>;
    const packets = expressions.reduce((sum, { counter }) => sum + (counter?.packets ?? 0), 0);
    found.dropped[direction] = (found.dropped[direction] ?? 0) + packets;
  }
  return found;
}

async function nftJson(args: readonly string[]): Promise<readonly Record<string, unknown>[]> {
  return parse(await nft(["-j", ...args]));
}

function parse(answer: ProcessResult): readonly Record<string, unknown>[] {
  if (answer.code !== 0) throw failed("read the packet filter", answer);
  return (JSON.parse(answer.stdout) as { nftables: Record<string, unknown>[] }).nftables;
}

async function nft(args: readonly string[]): Promise<ProcessResult> {
  const answer = await runProcess("nft", args, { limitMs: nftLimitMs });
  if (answer.spawnError === "ENOENT") throw nftIsMissing();
  return answer;
}

export function nftIsMissing(): EnvironmentError {
  return new EnvironmentError(`Cannot drill: the program "nft" is missing; install the package nftables`);
}

function isMissing({ code, stderr }: ProcessResult): boolean {
  return code !== 0 && stderr.includes("No such file or directory");
}

function failed(what: string, { stderr, timedOut }: ProcessResult): EnvironmentError {
  const isDenied = stderr.includes("Operation not permitted");
  const reason = timedOut
    ? `nft did not end within ${nftLimitMs / 1000} s`
    : stderr.trim().split("\n")[0] ?? "nft failed";
  const next = isDenied ? "; run it as root, or with the capability CAP_NET_ADMIN" : "";
  return new EnvironmentError(`Cannot ${what}: ${reason}${next}`, timedOut ? 124 : isDenied ? 77 : 69);
}

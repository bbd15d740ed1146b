/** What a sweep varies: parameters as an operator writes them, and the cells of the grid that they span. */

import { parseDuration } from "../../config/durations.ts";
import type { Parsed } from "../../config/problem.ts";
import { suggestion } from "../../config/spelling.ts";
import { parseShare } from "../scenario/words.ts";

export const parameterNames = ["deadtime", "keepalive", "loss", "burst", "latency", "jitter", "phi"] as const;
export type ParameterName = typeof parameterNames[number];

export interface Parameter {
  readonly name: ParameterName;
  readonly values: readonly number[];
}

/** One value of each parameter. */
export type Cell = Readonly<Partial<Record<ParameterName, number>>>;

const stepsDefault: Readonly<Record<ParameterName, number>> = {
  deadtime: 7,
  keepalive: 5,
  loss: 4,
  burst: 4,
  latency: 4,
  jitter: 4,
  phi: 5,
};
const stepsMax = 50;

/** Most cells that a sweep may have. More: it takes for ever, and nobody reads the table. */
export const cellsMax = 400;

/** `deadtime=200ms..10s`, `deadtime=1s..10s:4`, `loss=0,1%,5%`. Times are spread evenly by their ratio. */
export function parseParameter(text: string): Parsed<Parameter> {
  const [, word = "", rest = ""] = /^([^=]*)=(.*)$/.exec(text) ?? [];
  const name = parameterNames.find((known) => known === word);
  if (name === undefined) {
    const hint = `write NAME=FROM..TO; ${suggestion(word, parameterNames)}`;
    return { ok: false, message: `"${text}" names no parameter`, hint };
  }
  const range = /^(.+?)\.\.(.+?)(?::(\d+))?$/.exec(rest);
  const words = range === null ? rest.split(",") : [range[1]!, range[2]!];
  const values: number[] = [];
  for (const each of words) {
    const value = parseValue(name, each.trim());
    if (!value.ok) return value;
    values.push(value.value);
  }
  if (range === null) return { ok: true, value: { name, values } };
  const [from, to] = values as [number, number];
  const steps = range[3] === undefined ? stepsDefault[name] : Number(range[3]);
  if (from >= to || steps < 2 || steps > stepsMax) {
    const hint = `write a lower value, .. and a higher one; with :N for 2 to ${stepsMax} values`;
    return { ok: false, message: `"${rest}" is no range`, hint };
  }
  return { ok: true, value: { name, values: spread(name, from, to, steps) } };
}

function parseValue(name: ParameterName, text: string): Parsed<number> {
  if (name === "loss") return parseShare(95)(text);
  if (name === "phi" || name === "burst") {
    const value = /^\d+(\.\d+)?$/.test(text) ? Number(text) : 0;
    const [min, max] = name === "phi" ? [1, 16] : [1, 1_000];
    if (value >= min && value <= max) return { ok: true, value };
    return { ok: false, message: `"${text}" is out of range for ${name}`, hint: `write ${min} to ${max}` };
  }
  const parsed = parseDuration(text, "yaml");
  if (!parsed.ok || parsed.value > 0 || name === "latency" || name === "jitter") return parsed;
  return { ok: false, message: `${name} cannot be nothing`, hint: "write 200ms or 1s" };
}

function spread(name: ParameterName, from: number, to: number, steps: number): number[] {
  const isTime = ["deadtime", "keepalive", "latency", "jitter"].includes(name);
  return Array.from({ length: steps }, (_, index) => {
    const share = index / (steps - 1);
    if (!isTime) return Number((from + share * (to - from)).toPrecision(4));
    // From nothing no ratio leads anywhere.
    const ms = from > 0 ? from * (to / from) ** share : to * share;
    return index === steps - 1 ? to : Number(ms.toPrecision(2));
  });
}

/** Every combination, the last parameter varying fastest. */
export function cellsOf(parameters: readonly Parameter[]): Cell[] {
  let cells: Cell[] = [{}];
  for (const { name, values } of parameters) {
    cells = cells.flatMap((cell) => values.map((value) => ({ ...cell, [name]: value })));
  }
  return cells;
}

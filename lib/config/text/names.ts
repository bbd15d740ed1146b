/** Names of nodes: what a host can be called, in lower case, as Heartbeat compares them. */

import type { Parsed } from "../problem.ts";

const nodeNameLengthMax = 99;

export function parseNodeName(text: string): Parsed<string> {
  if (/^[A-Za-z0-9_]([A-Za-z0-9_.-]*)$/.test(text) && text.length <= nodeNameLengthMax) {
    return { ok: true, value: text.toLowerCase() };
  }
  const hint = `write the output of "uname -n": letters, digits, ".", "-" and "_"`;
  return { ok: false, message: `"${text}" is not the name of a node`, hint };
}

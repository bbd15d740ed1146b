import { moveCommand } from "../moves.ts";

/** `heartline takeover`: brings groups to this node. */
export function takeoverCommand() {
  return moveCommand("takeover", {
    description: "Brings groups to this node: their holder stops them, then they start here.",
    examples: [
      ["heartline takeover", "bring everything here, wait, print the gap"],
      ["heartline takeover web", "bring one group"],
      ["heartline takeover web --no-wait", "return when the daemon has agreed"],
    ],
  });
}

import { moveCommand } from "../moves.ts";

/** `heartline confirm`: allows the takeover that waits for a person. */
export function confirmCommand() {
  return moveCommand("confirm", {
    description: "Allows the takeover that waits for a person: takeover.confirm in the settings, a fencing " +
      "that failed, a node that was never heard. " +
      "Make sure first that the lost node really is down.",
    examples: [
      ["heartline confirm", "all groups that wait"],
      ["heartline confirm web", "this group only"],
    ],
  });
}

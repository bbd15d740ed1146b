import { moveCommand } from "../moves.ts";

/** `heartline rejoin`: lifts a release, a recorded failure or a block. */
export function rejoinCommand() {
  return moveCommand("rejoin", {
    description:
      "Lets this node hold groups again: lifts a release, a recorded failure, or the block after " +
      "a failed stop. After a block, make sure first that the resource is really stopped.",
    examples: [
      ["heartline rejoin", "this node may hold everything again"],
      ["heartline rejoin web", "I looked: web is stopped here, or works again"],
    ],
  });
}

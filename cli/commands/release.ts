import { moveCommand } from "../moves.ts";

/** `heartline release`: stops groups here, whoever can take them. */
export function releaseCommand() {
  return moveCommand("release", {
    description: "Stops groups here, whether or not another node can take them, and keeps this node " +
      "from holding them until takeover or rejoin.",
    examples: [
      ["heartline release web", "stop web here; another able node takes it"],
      ["heartline rejoin web", "this node may hold it again"],
    ],
  });
}

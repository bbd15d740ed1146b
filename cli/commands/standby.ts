import { moveCommand } from "../moves.ts";

/** `heartline standby`: hands groups that are held here to another node. */
export function standbyCommand() {
  return moveCommand("standby", {
    description: "Hands groups that this node holds to the next able node. Refused where there is none.",
    examples: [
      ["heartline standby", "hand everything over, e.g. before a reboot"],
      ["heartline standby web --timeout 10s", "hand one group over; exit 124 if it takes longer"],
    ],
  });
}

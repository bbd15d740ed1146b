/** `heartline drill list` and `undo`. */

import { EnvironmentError, UsageError } from "../../../lib/errors.ts";
import { type DrillTable, listDrills, removeDrill } from "../../../lib/drill/tables.ts";
import { printJson } from "../../control.ts";
import { renderAge } from "../../render/ages.ts";
import { renderTable } from "../../render/table.ts";

const schema = 1;

export async function list(isJson: boolean): Promise<void> {
  const drills = await listDrills();
  if (isJson) return printJson({ schema, drills: drills.map(drillJson) });
  if (drills.length === 0) return console.log("No drill is in this machine's packet filter");
  const rows = drills.map((drill) => [drill.id, drill.link ?? "?", stateOf(drill), drill.what ?? "?"]);
  const layout = { width: process.stdout.columns || 80, indent: 0, widthsMax: [12, 15, 24] };
  for (const line of renderTable([["ID", "LINK", "STATE", "WHAT IS DROPPED"], ...rows], layout)) {
    console.log(line);
  }
}

export async function undo(id: string | null, isAll: boolean, isJson: boolean): Promise<void> {
  if (isAll && id !== null) throw new UsageError(["name a drill, or say --all: not both"]);
  const drills = await listDrills();
  const chosen = isAll ? drills : [choose(drills, id)].filter((drill) => drill !== null);
  for (const drill of chosen) await removeDrill(drill.table);
  if (isJson) return printJson({ schema, undone: chosen.map(drillJson) });
  if (chosen.length === 0) console.log("There was no drill to undo");
  for (const { id, link } of chosen) console.log(`Undone: drill ${id}, ${link ?? "its link"} is whole again`);
}

function choose(drills: readonly DrillTable[], id: string | null): DrillTable | null {
  const known = drills.map((drill) => `${drill.id} (${drill.link ?? "?"})`).join(", ");
  if (id !== null) {
    const named = drills.find((drill) => drill.id === id);
    if (named !== undefined) return named;
    throw new EnvironmentError(
      `Cannot undo drill "${id}": ${known === "" ? "there is none" : `there are: ${known}`}`,
    );
  }
  if (drills.length > 1) throw new UsageError([`several drills run: ${known}; name one, or say --all`]);
  return drills[0] ?? null;
}

function stateOf({ isActive, endsAtUnixSeconds }: DrillTable): string {
  if (!isActive) return "over, to be removed";
  return `ends in ${renderAge(Math.max(0, endsAtUnixSeconds * 1000 - Date.now()))}`;
}

function drillJson({ id, link, what, isActive, endsAtUnixSeconds, dropped, table }: DrillTable) {
  const endsAt = new Date(endsAtUnixSeconds * 1000).toISOString();
  return { id, link, what, isActive, endsAt, dropped, table };
}

import { migration } from "./scenarios/migration.ts";
import { registerInterop } from "./scenario.ts";

registerInterop("migration", migration);

import { moves } from "./scenarios/moves.ts";
import { registerInterop } from "./scenario.ts";

registerInterop("moves", moves);

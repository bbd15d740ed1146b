import { moves } from "./scenarios/moves.ts";
import { register } from "./scenarios/scenario.ts";

register(moves);

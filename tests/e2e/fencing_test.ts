import { fencing } from "./scenarios/fencing.ts";
import { register } from "./scenarios/scenario.ts";

register(fencing);

import { deaths } from "./scenarios/deaths.ts";
import { register } from "./scenarios/scenario.ts";

register(deaths);

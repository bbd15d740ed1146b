import { drills } from "./scenarios/drills.ts";
import { register } from "./scenarios/scenario.ts";

register(drills);

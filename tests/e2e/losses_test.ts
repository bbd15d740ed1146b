import { losses } from "./scenarios/losses.ts";
import { register } from "./scenarios/scenario.ts";

register(losses);

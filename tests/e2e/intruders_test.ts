import { intruders } from "./scenarios/intruders.ts";
import { register } from "./scenarios/scenario.ts";

register(intruders);

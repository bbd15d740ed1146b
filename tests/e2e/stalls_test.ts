import { stalls } from "./scenarios/stalls.ts";
import { register } from "./scenarios/scenario.ts";

register(stalls);

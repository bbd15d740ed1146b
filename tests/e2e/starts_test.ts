import { starts } from "./scenarios/starts.ts";
import { register } from "./scenarios/scenario.ts";

register(starts);

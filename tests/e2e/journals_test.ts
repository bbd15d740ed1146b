import { journals } from "./scenarios/journals.ts";
import { register } from "./scenarios/scenario.ts";

register(journals);

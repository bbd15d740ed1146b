import { deaths } from "./scenarios/deaths.ts";
import { registerInterop } from "./scenario.ts";

registerInterop("deaths", deaths);

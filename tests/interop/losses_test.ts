import { registerInterop } from "./scenario.ts";
import { losses } from "./scenarios/losses.ts";

registerInterop("losses", losses);

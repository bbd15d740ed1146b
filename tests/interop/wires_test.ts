import { wires } from "./scenarios/wires.ts";
import { registerInterop } from "./scenario.ts";

registerInterop("wires", wires);

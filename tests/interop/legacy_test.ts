import { legacy } from "./scenarios/legacy.ts";
import { registerInterop } from "./scenario.ts";

registerInterop("legacy", legacy);

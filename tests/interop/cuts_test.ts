import { cuts } from "./scenarios/cuts.ts";
import { registerInterop } from "./scenario.ts";

registerInterop("cuts", cuts);

import { commands } from "./scenarios/commands.ts";
import { registerInterop } from "./scenario.ts";

registerInterop("commands", commands);

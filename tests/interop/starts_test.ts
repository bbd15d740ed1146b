import { starts } from "./scenarios/starts.ts";
import { registerInterop } from "./scenario.ts";

registerInterop("starts", starts);

import { testPlantedBugs } from "./planted.ts";

testPlantedBugs(1);

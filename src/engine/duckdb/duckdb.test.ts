import { engineContract } from "../contract.ts";
import { openTestEngine } from "./test-engine.ts";

engineContract("DuckDB in a child process", openTestEngine);

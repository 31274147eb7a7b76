import { engineContract } from "../contract.ts";
import { plainEngine } from "./plain.ts";

engineContract("plain", async (files) => plainEngine({ files }));

import { objectStoreContract } from "./contract.ts";
import { memoryStore } from "./memory.ts";

objectStoreContract("memoryStore", async () => {
  const store = memoryStore();
  return { store, openAgain: async () => store, [Symbol.asyncDispose]: async () => undefined };
});

/** The machine, for tests below the folder that has it. */
export { realFiles } from "#node/real/file-system.ts";
export { realClock, realRandom } from "#node/real/machine.ts";

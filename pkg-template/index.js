// The package's exports. Importing is inert: nothing is fetched and no global is touched before `new Client` or `initWasm`.
export { Client } from "./client.js";
export { isSportelloError } from "./errors.js";
export { initWasm } from "./loader.js";
export { consoleLoggerHandler, Logger } from "./logger.js";

export const PostSessionStatus = Object.freeze({ READY: "ready", IN_PROGRESS: "in_progress", WAITING: "waiting", FINISHED: "finished" });

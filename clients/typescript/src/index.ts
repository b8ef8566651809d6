export type { BatchOptions, BatchResult, Operation } from "./batch.js";
export * from "./client.js";
export * from "./outbox.js";
export * from "./problem.js";
export { canRetry, type OnError } from "./retry.js";
export * from "./storage.js";
export type { Changes, LiveOptions, SyncOptions } from "./sync.js";
export type { Fetch, TokenProvider } from "./token.js";
export type { Wake, WatchOptions } from "./watch.js";

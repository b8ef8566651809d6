import type { components } from "./schema.js";

type Schemas = components["schemas"];

/** Something to do in a batch. A task is named by its `id`, or by the `uid` that its client gave it. */
export type Operation = Schemas["Batch"]["operations"][number];

/** What the operation's own route would answer: the task, a problem, or nothing for a deletion. */
export type BatchResult = Schemas["BatchResult"];

/** `atomic`: all of them or none. */
export type BatchOptions = {
  signal?: AbortSignal | undefined;
  key?: string | undefined;
  atomic?: boolean | undefined;
};

import type { Operation } from "task-api-client";
import { changesOf, type Members } from "./members";
import type { Item } from "./tasks";
import { nameOf } from "./unsent";

/** What somebody wants of a task. */
export type Wish =
  | { kind: "edit"; change: Partial<Members> }
  | { kind: "complete"; completed: boolean }
  | { kind: "delete" };

type UpdateOperation = Extract<Operation, { op: "update" }>;

/** Whether the task is already as it is wished to be. */
export function isFulfilled(wish: Wish, now: Item): boolean {
  if (wish.kind === "complete") return wish.completed === now.completed;
  if (wish.kind === "delete") return false;
  return Object.keys(changesOf(now, { ...now, ...wish.change })).length === 0;
}

/** The task as it would be. */
export function granted(task: Item, wish: Wish): Item {
  if (wish.kind === "edit") return { ...task, ...wish.change };
  return wish.kind === "complete" ? { ...task, completed: wish.completed } : task;
}

/** The wish as it waits for the API: for the version that was seen, if the API knows the task. */
export function operationOf({ wish, seen }: { wish: Wish; seen: Item }): Operation {
  const task = { ...nameOf(seen), ...(seen.id > 0 && { if_version: seen.version }) };
  if (wish.kind === "edit") return { op: "update", ...wish.change, ...task };
  if (wish.kind === "delete") return { op: "delete", ...task };
  return { op: "complete", completed: wish.completed, ...task };
}

/** What that was, before it waited. */
export function wishOf(operation: Operation): Wish {
  if (operation.op === "delete") return { kind: "delete" };
  if (operation.op === "complete")
    return { kind: "complete", completed: operation.completed ?? true };
  const { op: _, id: __, uid: ___, if_version: ____, ...change } = operation as UpdateOperation;
  return { kind: "edit", change: change as Partial<Members> };
}

import type { Task, TaskQuery } from "task-api-client";
import { isBlank, searchComplaint, trimmed } from "./limits";

export const FILTERS = ["all", "open", "done"] as const;
export const SORTS = ["-created_at", "created_at", "-updated_at", "title"] as const;
export type Filter = (typeof FILTERS)[number];
export type Sort = (typeof SORTS)[number];

/** Which tasks are shown, and in which order. */
export type Query = { filter: Filter; sort: Sort; search: string };

/** All tasks, the newest first. */
export const EVERYTHING: Query = { filter: "all", sort: "-created_at", search: "" };

/**
 * Reads a query from the fragment of the page's URL, where a reload and the back button keep it and
 * no server sees it. What cannot be understood is left out.
 */
export function parseQuery(fragment: string): Query {
  const values = new URLSearchParams(fragment.replace(/^#/, ""));
  const search = values.get("q") ?? "";
  return {
    filter: FILTERS.find((filter) => filter === values.get("show")) ?? EVERYTHING.filter,
    sort: SORTS.find((sort) => sort === values.get("sort")) ?? EVERYTHING.sort,
    search: isBlank(search) || searchComplaint(search) ? "" : trimmed(search),
  };
}

/** The fragment of a query; empty for `EVERYTHING`. */
export function formatQuery({ filter, sort, search }: Query): string {
  const values = new URLSearchParams();
  if (filter !== EVERYTHING.filter) values.set("show", filter);
  if (sort !== EVERYTHING.sort) values.set("sort", sort);
  if (search) values.set("q", search);
  return values.size > 0 ? `#${values}` : "";
}

/** The parameters of `GET /api/tasks`. */
export function parameters({ filter, sort, search }: Query): TaskQuery {
  return {
    ...(sort !== EVERYTHING.sort && { sort }),
    ...(filter !== "all" && { completed: filter === "done" }),
    ...(search && { q: search }),
  };
}

/** Whether a query finds a task, as far as the page can tell; the API's answer decides. */
export function matches({ filter, search }: Query, task: Task): boolean {
  if (filter !== "all" && task.completed !== (filter === "done")) return false;
  const text = fold(`${task.title}\n${task.description ?? ""}`);
  return fold(search)
    .split(/\s+/)
    .every((word) => text.includes(word));
}

/** Where a new task belongs among those. */
export function place({ sort }: Query, tasks: readonly Task[], task: Task): number {
  if (sort === "created_at") return tasks.length;
  if (sort !== "title") return 0;
  const index = tasks.findIndex(({ title }) => title.localeCompare(task.title) > 0);
  return index < 0 ? tasks.length : index;
}

function fold(text: string): string {
  return text.normalize("NFKC").toLowerCase();
}

import type { Task, TaskQuery } from "task-api-client";
import { addDays, today } from "./due";
import { isBlank, searchComplaint, TAG_MAX, trimmed } from "./limits";

export const FILTERS = ["today", "upcoming", "all", "open", "done"] as const;
export const SORTS = [
  "-created_at",
  "created_at",
  "-updated_at",
  "title",
  "due_date",
  "-priority",
  "-completed_at",
] as const;
export type Filter = (typeof FILTERS)[number];
export type Sort = (typeof SORTS)[number];

/** Which tasks are shown, and in which order. `tag` is "" for all of them. */
export type Query = { filter: Filter; tag: string; sort: Sort; search: string };

/** All tasks, the newest first. */
export const EVERYTHING: Query = { filter: "all", tag: "", sort: "-created_at", search: "" };

const RANKS = { high: 3, medium: 2, low: 1 };

/** The order that suits it, unless another one is asked for. */
export function ownSort(filter: Filter): Sort {
  return filter === "today" || filter === "upcoming" ? "due_date" : EVERYTHING.sort;
}

/** That filter, in the order that was asked for, if one was. */
export function filtered(query: Query, filter: Filter): Query {
  const sort = query.sort === ownSort(query.filter) ? ownSort(filter) : query.sort;
  return { ...query, filter, sort };
}

/**
 * Reads a query from the fragment of the page's URL, where a reload and the back button keep it and
 * no server sees it. What cannot be understood is left out.
 */
export function parseQuery(fragment: string): Query {
  const values = new URLSearchParams(fragment.replace(/^#/, ""));
  const [search, tag] = [values.get("q") ?? "", trimmed(values.get("tag") ?? "")];
  const filter = FILTERS.find((each) => each === values.get("show")) ?? EVERYTHING.filter;
  return {
    filter,
    tag: isBlank(tag) || [...tag].length > TAG_MAX || /[,\p{Cc}]/u.test(tag) ? "" : tag,
    sort: SORTS.find((sort) => sort === values.get("sort")) ?? ownSort(filter),
    search: isBlank(search) || searchComplaint(search) ? "" : trimmed(search),
  };
}

/** The fragment of a query; empty for `EVERYTHING`. */
export function formatQuery({ filter, tag, sort, search }: Query): string {
  const values = new URLSearchParams();
  if (filter !== EVERYTHING.filter) values.set("show", filter);
  if (tag) values.set("tag", tag);
  if (sort !== ownSort(filter)) values.set("sort", sort);
  if (search) values.set("q", search);
  return values.size > 0 ? `#${values}` : "";
}

/** The parameters of `GET /api/tasks`. Which day is today, the person's clock says. */
export function parameters({ filter, tag, sort, search }: Query): TaskQuery {
  return {
    ...(sort !== EVERYTHING.sort && { sort }),
    ...(filter !== "all" && { completed: filter === "done" }),
    ...(filter === "today" && { due_before: addDays(today(), 1) }),
    ...(filter === "upcoming" && { due_after: today() }),
    ...(tag && { tags: [tag] }),
    ...(search && { q: search }),
  };
}

/** Whether a filter is for completed tasks, or for those that are not. */
export function isFor(filter: Filter, { completed }: Task): boolean {
  return filter === "all" || completed === (filter === "done");
}

/** Whether a query finds a task, as far as the page can tell; the API's answer decides. */
export function matches({ filter, tag, search }: Query, task: Task): boolean {
  const { due_date, tags } = task;
  if (!isFor(filter, task)) return false;
  if (filter === "today" && !(due_date !== null && due_date <= today())) return false;
  if (filter === "upcoming" && !(due_date !== null && due_date > today())) return false;
  if (tag && !tags.some((each) => isSameTag(each, tag))) return false;
  const text = fold(`${task.title}\n${task.description ?? ""}`);
  return fold(search)
    .split(/\s+/)
    .every((word) => text.includes(word));
}

export function isSameTag(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/** Where a new task belongs among those. */
export function place({ sort }: Query, tasks: readonly Task[], task: Task): number {
  const [descending, column] = [sort.startsWith("-"), sort.replace("-", "")];
  if (column === "created_at" || column === "updated_at") return descending ? 0 : tasks.length;
  const value = valueOf(column, task);
  const index = tasks.findIndex((other) => {
    const others = valueOf(column, other);
    if (value === null || others === null) return value !== null || (others === null && descending);
    // of those that are the same the newest is the greatest
    if (column === "title") return task.title.localeCompare(other.title) < 0;
    return descending ? value >= others : value < others;
  });
  return index < 0 ? tasks.length : index;
}

/** The order of a query, of tasks as the API has them. */
export function ordered({ sort }: Query): (one: Task, other: Task) => number {
  const [sign, column] = [sort.startsWith("-") ? -1 : 1, sort.replace("-", "")];
  return (one, other) => {
    const [mine, others] = [valueOf(column, one), valueOf(column, other)];
    if (mine === null || others === null)
      if (mine !== others) return mine === null ? 1 : -1;
    const order =
      column === "title"
        ? one.title.localeCompare(other.title)
        : Number(mine! > others!) - Number(mine! < others!);
    return sign * (order || one.id - other.id);
  };
}

/** What a task is sorted by; null comes last. */
function valueOf(column: string, task: Task): string | number | null {
  switch (column) {
    case "title":
    case "created_at":
    case "updated_at":
      return task[column];
    case "due_date":
      return task.due_date && `${task.due_date} ${task.due_time ?? "~"}`;
    case "priority":
      return task.priority && RANKS[task.priority];
    default:
      return task.completed_at;
  }
}

function fold(text: string): string {
  return text.normalize("NFKC").toLowerCase();
}

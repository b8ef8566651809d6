import type { Task } from "task-api-client";
import { descriptionComplaint, tagsComplaint, titleComplaint, trimmed } from "./limits";

/** What a person says about a task. */
export type Members = Pick<Task, (typeof NAMES)[number]>;

const NAMES = [
  "title",
  "description",
  "priority",
  "tags",
  "due_date",
  "due_time",
  "time_zone",
  "repeat",
  "repeat_from",
] as const;

/** What a task has that says nothing but its title. */
export const EMPTY: Omit<Members, "title"> = {
  description: null,
  priority: null,
  tags: [],
  due_date: null,
  due_time: null,
  time_zone: null,
  repeat: null,
  repeat_from: "due",
};

export function membersOf(task: Members): Members {
  return Object.fromEntries(NAMES.map((name) => [name, task[name]])) as Members;
}

/** As the API would have them. */
export function tidied(members: Members): Members {
  const description = members.description || null;
  return { ...members, title: trimmed(members.title), description };
}

/** What is to be changed to make one of the other. */
export function changesOf(before: Members, after: Members): Partial<Members> {
  const text = (value: unknown) => JSON.stringify(value); // tags are a list
  const differ = NAMES.filter((name) => text(before[name]) !== text(after[name]));
  return Object.fromEntries(differ.map((name) => [name, after[name]]));
}

/** What is wrong with them, in a sentence, or nothing. */
export function membersComplaint({ title, description, tags }: Members): string | undefined {
  return titleComplaint(title) ?? descriptionComplaint(description ?? "") ?? tagsComplaint(tags);
}

import type { Draft } from "./changes";

const NAME = "task-api-typed";

/** What is in the field for new tasks, and what of it is to stay in the title. */
export type TypedLine = { text: string; kept: string[] };

/** What is typed and not yet done, kept in this tab over a reload. It is of one person. */
export type Typed = {
  line?: TypedLine | undefined;
  drafts?: Draft[] | undefined;
};

export function readTyped(userId: string): Typed {
  const { user, ...typed } = JSON.parse(sessionStorage.getItem(NAME) ?? "{}");
  if (user === userId) return typed;
  forgetTyped();
  return {};
}

/** Keeps it, at once: a reload may follow. What is not given stays. */
export function keepTyped(userId: string, typed: Typed): void {
  const all = { ...readTyped(userId), ...typed };
  const isEmpty = !all.line && !all.drafts?.length;
  if (isEmpty) forgetTyped();
  else sessionStorage.setItem(NAME, JSON.stringify({ user: userId, ...all }));
}

export function forgetTyped(): void {
  sessionStorage.removeItem(NAME);
}

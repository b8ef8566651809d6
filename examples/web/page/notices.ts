import { dueWords, inSentence } from "./due";
import type { Query } from "./query";
import type { Item } from "./tasks";

const NOTICE_MS = 8_000;

/** What has happened, said for a while; `key` is of a task that can be shown. */
export type Notice = { text: string; key?: number | undefined };

/** Why a new task is not among those that are shown. */
const ONLY = {
  all: "it is further down",
  open: "only open tasks are shown",
  done: "only done tasks are shown",
  today: "only what is due today is shown",
  upcoming: "only what is due later is shown",
};

/** The notice that is shown, if there is one. */
export class Notices {
  current: Notice | undefined;
  #timer: number | undefined;

  constructor(private readonly changed: () => void) {}

  tell(notice: Notice | undefined): void {
    window.clearTimeout(this.#timer);
    this.current = notice;
    this.changed();
    if (notice) this.#timer = window.setTimeout(() => this.tell(undefined), NOTICE_MS);
  }

  /** The one that follows a task which was completed. */
  tellNext(next: Item, isHidden: boolean): void {
    const text = `“${next.title}” comes again, due ${inSentence(dueWords(next))}.`;
    this.tell({ text, key: isHidden ? next.key : undefined });
  }

  /** Why that task is not shown. */
  tellWhere(task: { key: number; title?: string }, { filter, tag, search }: Query): void {
    const { key, title } = task;
    const what = title === undefined ? "Your new task" : `“${title}”`;
    const why = search
      ? `only tasks with “${search}” are shown`
      : tag
        ? `only tasks with the tag “${tag}” are shown`
        : ONLY[filter];
    this.tell({ text: `${what} is added, but hidden: ${why}.`, key });
  }
}

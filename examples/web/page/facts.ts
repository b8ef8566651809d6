import type { Task } from "task-api-client";
import { $, copyOf, part, set } from "./dom";
import { dueWords, isOverdue } from "./due";
import { repeatWords } from "./repetition";

const PRIORITIES = { high: "High", medium: "Medium", low: "Low" };

/** When a task is due, how often, how urgent, and its tags, at a glance. */
export class Facts {
  readonly element: HTMLElement;
  readonly #showTag: (tag: string) => void;
  #tags: readonly string[] = [];

  constructor(element: HTMLElement, showTag: (tag: string) => void) {
    this.element = element;
    this.element.append($<HTMLTemplateElement>("facts").content.cloneNode(true));
    this.#showTag = showTag;
  }

  update(task: Task): void {
    const isLate = !task.completed && isOverdue(task);
    const { due_date, repeat, priority } = task;
    this.#say(".overdue", isLate ? "Overdue" : undefined);
    this.#say(".due", due_date === null ? undefined : dueWords(task));
    this.#say(".repeat", repeat === null ? undefined : repeatWords(repeat));
    this.#say(".priority", priority === null ? undefined : PRIORITIES[priority]);
    part(this.element, ".priority").dataset.rank = priority ?? "";
    this.element.classList.toggle("late", isLate);
    this.#updateTags(task.tags);
    this.element.hidden = [...this.element.children].every((fact) => (fact as HTMLElement).hidden);
  }

  #say(selector: string, words: string | undefined): void {
    const fact = part(this.element, selector);
    fact.hidden = words === undefined;
    set(part(fact, "span"), words ?? "");
  }

  /** Made anew only if they are others, so that the focus stays. */
  #updateTags(tags: readonly string[]): void {
    if (tags.join() === this.#tags.join()) return;
    this.#tags = tags;
    for (const old of this.element.querySelectorAll(".tag")) old.remove();
    this.element.append(
      ...tags.map((tag) => {
        const fact = copyOf("tag");
        const button = part(fact, "button");
        set(part(button, "span"), tag);
        button.ariaLabel = `Tag ${tag}`;
        button.addEventListener("click", () => this.#showTag(tag));
        return fact;
      }),
    );
  }
}

import type { Board } from "./board";
import { $ } from "./dom";
import { Row } from "./row";
import type { Item } from "./tasks";

/** The tasks on the page, and which of them has the focus. */
export class List {
  readonly #element = $("tasks");
  readonly #board: Board;
  readonly #showTag: (tag: string) => void;
  readonly #rows = new Map<number, Row>();
  #keys: number[] = [];
  #isActing = false;
  #last = 0; // where the focus was last, and on what
  #lastKey: number | undefined;
  #clicked: Element | null = null;

  /** `showTag`: somebody wants to see the tasks with that tag. */
  constructor(board: Board, showTag: (tag: string) => void) {
    this.#board = board;
    this.#showTag = showTag;
    this.#element.addEventListener("focusin", () => {
      this.#lastKey = this.focused;
      this.#last = this.#index;
    });
    this.#element.addEventListener("click", (event) => this.#guard(event), true);
  }

  /** The key of the task that has the focus. */
  get focused(): number | undefined {
    return this.#keys[this.#index];
  }

  get #index(): number {
    const { activeElement } = document;
    return this.#keys.findIndex((key) => this.#rows.get(key)?.element.contains(activeElement));
  }

  /** Does what somebody asks for: the focus may follow it, as it may not follow an answer. */
  act(order: () => void): void {
    this.#isActing = true;
    try {
      order();
    } finally {
      this.#isActing = false;
    }
  }

  update(items: Item[]): void {
    const before = this.#index;
    this.#keys = items.map(({ key }) => key);
    const kept = new Set(this.#keys);
    for (const [key, row] of this.#rows) {
      if (kept.has(key)) continue;
      row.element.remove();
      this.#rows.delete(key);
    }
    items.forEach((item, index) => {
      const row =
        this.#rows.get(item.key) ??
        new Row(this.#board, item, (order) => this.act(order), this.#showTag);
      this.#rows.set(item.key, row);
      const here = this.#element.children[index] ?? null;
      if (here !== row.element) this.#place(row.element, here);
      row.update(item);
    });
    if (before < 0 || this.#index >= 0) return;
    // What had the focus has gone. Only if somebody asked for that has its successor the focus:
    // else the key they press next, meant for what they saw, would meet another task.
    this.#last = before;
    this.#lastKey = undefined;
    if (this.#isActing) this.focus(before);
    else $("desk").focus();
  }

  /** Gives the focus to the row at that place, or to the nearest. */
  focus(index: number): void {
    const key = this.#keys[Math.max(0, Math.min(index, this.#keys.length - 1))];
    if (key === undefined) $("desk").focus();
    else this.#rows.get(key)?.focus();
  }

  /** From the row that has the focus; else to where it was last. */
  move(step: 1 | -1): void {
    const index = this.#index;
    if (index >= 0) this.focus(index + step);
    else if (this.#lastKey !== undefined && this.#rows.has(this.#lastKey))
      this.focus(this.#keys.indexOf(this.#lastKey));
    else this.focus(step > 0 ? this.#last : this.#last - 1);
  }

  /** Whether that task is there to have the focus. */
  focusTask(key: number): boolean {
    const row = this.#rows.get(key);
    row?.focus();
    return row !== undefined;
  }

  /** The second click of a double click is not for the task that has moved under the pointer. */
  #guard(event: MouseEvent): void {
    const row = (event.target as Element).closest(".task");
    if (event.detail > 1 && row !== this.#clicked) {
      event.preventDefault();
      event.stopPropagation();
    } else this.#clicked = row;
  }

  /** Moving an element takes the focus from it. */
  #place(element: HTMLElement, before: Element | null): void {
    const { activeElement } = document;
    const hadFocus = element.contains(activeElement);
    this.#element.insertBefore(element, before);
    if (hadFocus) (activeElement as HTMLElement).focus({ preventScroll: true });
  }
}

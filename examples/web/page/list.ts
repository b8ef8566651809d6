import type { Board, Task } from "./board";
import { $ } from "./dom";
import { Row } from "./row";

/** The tasks on the page, and the keys that count where one of them has the focus. */
export class List {
  readonly #element = $("tasks");
  readonly #board: Board;
  readonly #rows = new Map<number, Row>();
  #ids: number[] = [];

  constructor(board: Board) {
    this.#board = board;
    this.#element.addEventListener("keydown", (event) => this.#key(event));
  }

  update(tasks: Task[]): void {
    const focused = this.#focused();
    this.#ids = tasks.map(({ id }) => id);
    const kept = new Set(this.#ids);
    for (const [id, row] of this.#rows) {
      if (kept.has(id)) continue;
      row.element.remove();
      this.#rows.delete(id);
    }
    tasks.forEach((task, index) => {
      const row = this.#rows.get(task.id) ?? new Row(this.#board, task);
      this.#rows.set(task.id, row);
      const here = this.#element.children[index] ?? null;
      if (here !== row.element) this.#element.insertBefore(row.element, here);
      row.update(task);
    });
    // what had the focus has gone: its successor has it
    if (focused >= 0 && this.#focused() < 0) this.focus(focused);
  }

  /** Gives the focus to the row at that place, or to the nearest. */
  focus(index: number): void {
    const nearest = Math.max(0, Math.min(index, this.#ids.length - 1));
    const id = this.#ids[nearest];
    if (id === undefined) $("new-title").focus();
    else this.focusTask(id);
  }

  focusTask(id: number): void {
    this.#rows.get(id)?.focus();
  }

  /** Which row has the focus; -1 for none. */
  #focused(): number {
    const { activeElement } = document;
    return this.#ids.findIndex((id) => this.#rows.get(id)?.element.contains(activeElement));
  }

  #key(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    if (event.ctrlKey || event.metaKey || event.altKey || !target.closest(".shown")) return;
    const index = this.#focused();
    const id = this.#ids[index];
    if (id === undefined) return;
    const act = {
      ArrowDown: () => this.focus(index + 1),
      j: () => this.focus(index + 1),
      ArrowUp: () => this.focus(index - 1),
      k: () => this.focus(index - 1),
      e: () => void this.#board.edit(id),
      Enter: target.matches(".check") ? () => void this.#board.edit(id) : undefined,
      Delete: () => this.#board.delete(id),
      Backspace: () => this.#board.delete(id),
    }[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }
}

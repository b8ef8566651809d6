import type { Board } from "./board";
import { $, copyOf, part, set } from "./dom";
import type { List } from "./list";
import type { Removal } from "./removals";

/** What can be undone, and what has happened, at the edge of the page. */
export class Toasts {
  readonly #board: Board;
  readonly #list: List;
  readonly #undos = new Map<Removal, HTMLElement>();

  /** `reveal` shows the task that a notice is about. */
  constructor(board: Board, list: List, reveal: (key: number) => void) {
    this.#board = board;
    this.#list = list;
    const { removals } = board;
    $("undos").addEventListener("focusin", () => removals.pause());
    $("undos").addEventListener("focusout", () => removals.resume());
    $("reveal").addEventListener("click", () => {
      const key = board.notice?.key;
      board.tell(undefined);
      if (key !== undefined) reveal(key);
    });
  }

  update(): void {
    const { removals, notice } = this.#board;
    for (const [removal, element] of this.#undos) {
      if (removals.undoable.includes(removal)) continue;
      element.remove();
      this.#undos.delete(removal);
    }
    for (const removal of removals.undoable) {
      const element = this.#undos.get(removal) ?? this.#show(removal);
      const what = this.#label(removal);
      set(part(element, ".what"), what);
      part(element, "button").ariaLabel = `Undo: ${what}`;
    }
    $("notice").hidden = !notice;
    set($("notice-text"), notice?.text ?? "");
    $("reveal").hidden = notice?.key === undefined;
  }

  /** The latest, if none is given. */
  undo(removal?: Removal): void {
    this.#list.act(() => {
      const item = this.#board.undo(removal);
      if (item && !this.#list.focusTask(item.key)) $("desk").focus();
      this.#board.removals.resume();
    });
  }

  #show(removal: Removal): HTMLElement {
    const element = copyOf("undo");
    element.classList.toggle("long", removal.isClear);
    part(element, "button").addEventListener("click", () => this.undo(removal));
    this.#undos.set(removal, element);
    $("undos").append(element);
    return element;
  }

  #label({ items, isClear }: Removal): string {
    const [first] = items;
    if (!isClear && first) return `Deleted “${this.#board.changes.shown(first).title}”.`;
    return items.length === 1 ? "1 task deleted." : `${items.length} tasks deleted.`;
  }
}

import type { Board } from "./board";
import { $ } from "./dom";
import type { List } from "./list";

type Order = () => void;
const MOVES = new Set(["ArrowDown", "ArrowUp", "j", "k"]);

/**
 * The keyboard. Whatever a key does, it does at once, so that the next key meets what is shown.
 * Keys rest while a dialog or a form is open, and a held one acts once, unless it moves.
 */
export class Keys {
  readonly #board: Board;
  readonly #list: List;
  readonly #undo: Order;
  readonly #search: (isCleared: boolean) => void;
  #held: string | undefined;

  constructor(board: Board, list: List, undo: Order, search: (isCleared: boolean) => void) {
    this.#board = board;
    this.#list = list;
    this.#undo = undo;
    this.#search = search;
    document.addEventListener("keydown", (event) => this.#key(event), true);
    document.addEventListener("keyup", () => (this.#held = undefined), true);
  }

  #key(event: KeyboardEvent): void {
    if (event.repeat && event.code === this.#held) return event.preventDefault();
    if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    const target = event.target as HTMLElement;
    if (document.querySelector("dialog[open]") || target.closest(".draft")) return;
    const order = this.#order(event.key, target);
    if (!order) return;
    event.preventDefault();
    if (!MOVES.has(event.key)) this.#held = event.code;
    this.#list.act(order);
  }

  #order(key: string, target: HTMLElement): Order | undefined {
    if (target.matches("#new-title, #search")) return this.#orderInField(key, target);
    if (target.matches("select")) return undefined;
    return this.#orderOfRow(key, target) ?? this.#orderOfPage(key);
  }

  #orderInField(key: string, field: HTMLElement): Order | undefined {
    if (key === "ArrowDown") return () => this.#list.focus(0);
    if (field.id !== "search") return undefined;
    if (key === "Enter") return () => this.#search(false);
    if (key === "Escape")
      return () => {
        this.#search(true);
        this.#list.focus(0);
      };
    return undefined;
  }

  #orderOfPage(key: string): Order | undefined {
    const orders: Record<string, Order> = {
      "/": () => $("search").focus(),
      n: () => $("new-title").focus(),
      u: this.#undo,
      j: () => this.#list.move(1),
      k: () => this.#list.move(-1),
      "?": () => $<HTMLDialogElement>("help").showModal(),
    };
    return Object.hasOwn(orders, key) ? orders[key] : undefined;
  }

  #orderOfRow(key: string, target: HTMLElement): Order | undefined {
    const task = target.closest(".shown") ? this.#list.focused : undefined;
    if (task === undefined) return undefined;
    if (key === "ArrowDown") return () => this.#list.move(1);
    if (key === "ArrowUp") return () => this.#list.move(-1);
    if (this.#board.changes.conflicts.has(task)) return undefined; // it asks something first
    if (key === "e" || (key === "Enter" && target.matches(".check")))
      return () => this.#board.edit(task);
    if (key === "Delete") return () => this.#board.delete(task);
    return undefined;
  }
}

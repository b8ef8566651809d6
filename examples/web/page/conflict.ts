import type { Conflict } from "./changes";
import { part, set } from "./dom";
import { Facts } from "./facts";
import type { Wish } from "./wishes";
import { Words } from "./words";

/** Asks what to do with a wish for a task that is another version by now. */
export class ConflictPanel {
  readonly element: HTMLElement;
  readonly #words: Words;
  readonly #facts: Facts;

  constructor(
    element: HTMLElement,
    resolve: (insists: boolean) => void,
    showTag: (tag: string) => void,
  ) {
    this.element = element;
    this.#words = new Words(part(element, ".words"));
    this.#facts = new Facts(part(element, ".facts"), showTag);
    part(element, ".mine").addEventListener("click", () => resolve(true));
    part(element, ".theirs").addEventListener("click", () => resolve(false));
  }

  /** Whether it has just appeared. */
  update(conflict: Conflict | undefined): boolean {
    const appears = conflict !== undefined && this.element.hidden;
    this.element.hidden = !conflict;
    if (!conflict) return false;
    const { reason, mine, theirs } = texts(conflict.wish);
    this.#words.update(conflict.now);
    this.#facts.update(conflict.now);
    set(part(this.element, ".state"), conflict.now.completed ? "Done" : "Open");
    set(part(this.element, ".mine"), mine);
    set(part(this.element, ".theirs"), theirs);
    set(part(this.element, ".reason"), reason);
    return appears;
  }
}

function texts(wish: Wish): { reason: string; mine: string; theirs: string } {
  switch (wish.kind) {
    case "edit":
      return {
        reason: "It was changed elsewhere while you were editing, so yours is not saved yet.",
        mine: "Save mine instead",
        theirs: "Keep what it is now",
      };
    case "complete": {
      const [done, it] = wish.completed ? ["completed", "Complete it"] : ["reopened", "Reopen it"];
      const reason = `It was changed elsewhere, so it was not ${done}.`;
      return { reason, mine: it, theirs: "Leave it" };
    }
    case "delete": {
      const reason = "It was changed elsewhere, so it was not deleted.";
      return { reason, mine: "Delete it", theirs: "Keep it" };
    }
  }
}

import type { TagCount } from "task-api-client";
import { $, copyOf, part, set } from "./dom";
import { isSameTag } from "./query";

/** The person's tags, one of which can be chosen. */
export class TagList {
  readonly #choose: (tag: string) => void;
  readonly #buttons = new Map<string, HTMLElement>();

  /** `choose` is told the tag, or "" when the one that is chosen is chosen again. */
  constructor(choose: (tag: string) => void) {
    this.#choose = choose;
  }

  /** The one that is chosen is there even when no task has it any more. */
  update(tags: readonly TagCount[], chosen: string): void {
    const isThere = !chosen || tags.some(({ tag }) => isSameTag(tag, chosen));
    const all = isThere ? tags : [{ tag: chosen, open: 0 }, ...tags];
    $("tags").hidden = all.length === 0;
    const names = new Set(all.map(({ tag }) => tag));
    for (const [tag, element] of this.#buttons)
      if (!names.has(tag)) {
        element.remove();
        this.#buttons.delete(tag);
      }
    all.forEach(({ tag, open }, index) => {
      const element = this.#buttons.get(tag) ?? this.#make(tag);
      const button = part(element, "button");
      const isChosen = chosen !== "" && isSameTag(tag, chosen);
      button.ariaPressed = String(isChosen);
      set(part(button, ".count"), String(open));
      const here = $("tags").children[index];
      if (here !== element) $("tags").insertBefore(element, here ?? null);
    });
  }

  #make(tag: string): HTMLElement {
    const element = copyOf("tag-choice");
    const button = part(element, "button");
    set(part(button, ".name"), tag);
    button.addEventListener("click", () =>
      this.#choose(button.ariaPressed === "true" ? "" : tag),
    );
    this.#buttons.set(tag, element);
    return element;
  }
}

import { part, set } from "./dom";

type Text = { title: string; description: string | null };

/** A task's title and description. A long description is cut, with a button to read all. */
export class Words {
  readonly #element: HTMLElement;
  readonly #description: HTMLElement;
  readonly #toggle: HTMLButtonElement;

  constructor(element: HTMLElement) {
    this.#element = element;
    this.#description = part(element, ".description");
    this.#toggle = part(element, ".toggle");
    this.#toggle.addEventListener("click", () => this.#show(!this.#isWhole));
    new ResizeObserver(() => this.#measure()).observe(this.#description);
  }

  update({ title, description }: Text): void {
    set(part(this.#element, ".title"), title);
    if (this.#description.textContent === (description ?? "")) return;
    set(this.#description, description ?? "");
    this.#show(false);
    this.#measure();
  }

  get #isWhole(): boolean {
    return this.#description.classList.contains("whole");
  }

  #show(isWhole: boolean): void {
    this.#description.classList.toggle("whole", isWhole);
    this.#toggle.ariaExpanded = String(isWhole);
    set(this.#toggle, isWhole ? "Show less" : "Read all");
  }

  #measure(): void {
    const { scrollHeight, clientHeight } = this.#description;
    if (clientHeight === 0) return; // it is not shown
    if (!this.#isWhole) this.#toggle.hidden = scrollHeight <= clientHeight + 1;
  }
}

/** The element of that id; index.html has it. */
export function $<E extends HTMLElement = HTMLElement>(id: string): E {
  return document.getElementById(id) as E;
}

/** The first element within another that matches. */
export function part<E extends HTMLElement>(within: HTMLElement, selector: string): E {
  return within.querySelector<E>(selector)!;
}

/** A new copy of what is in the template of that id. */
export function copyOf(template: string): HTMLElement {
  const { content } = $<HTMLTemplateElement>(template);
  return content.firstElementChild!.cloneNode(true) as HTMLElement;
}

/** Only a change is written: screen readers read it out. */
export function set(element: Element, text: string): void {
  if (element.textContent !== text) element.textContent = text;
}

/** Shows a message, or that there is none. */
export function say(element: HTMLElement, message: string | undefined): void {
  element.hidden = message === undefined;
  set(element, message ?? "");
}

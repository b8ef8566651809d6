import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { expect, type Person } from "./people";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

/** What axe finds against WCAG 2.2 AA, contrast included, and what does not fit in. */
export async function looksRight(person: Person, name: string): Promise<void> {
  const { page } = person;
  await page.screenshot({ path: `.shots/${name}.png`, animations: "disabled", fullPage: true });
  await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const { axe } = window as unknown as { axe: { run(options: object): Promise<Findings> } };
    const tags = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"];
    const { violations } = await axe.run({ runOnly: tags });
    return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
  });
  expect(found, name).toEqual([]);
  const excess = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.documentElement;
    return scrollWidth - clientWidth;
  });
  expect(excess, `${name}: pixels to scroll sideways`).toBe(0);
}

const TOUCH = 44; // CSS pixels, each way

/** What is shown and can be touched, and is smaller than a finger. */
export async function tooSmall({ page }: Person): Promise<string[]> {
  return page.evaluate((touch) => {
    const all = document.querySelectorAll<HTMLElement>("a, button, input, select, textarea");
    return [...all].flatMap((element) => {
      const { width, height } = element.getBoundingClientRect();
      const isFine = !element.checkVisibility() || (width >= touch && height >= touch);
      return isFine ? [] : [`${element.outerHTML}: ${width} by ${height}`];
    });
  }, TOUCH);
}

type Findings = { violations: { id: string; nodes: { html: string }[] }[] };

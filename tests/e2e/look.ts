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
type Findings = { violations: { id: string; nodes: { html: string }[] }[] };

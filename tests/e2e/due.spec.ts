import { expect, test } from "./people";

test("a temp look", async ({ alice }) => {
  const { page } = alice;
  await alice.newTitle.fill("Pay rent tomorrow 9:00 every month #home !high");
  await page.screenshot({ path: ".shots/tmp-1.png", fullPage: true });
  await alice.newTitle.press("Enter");
  await alice.sees("Pay rent");
  await alice.adds("Buy milk #shop #home !low", "Water the plants every 2 weeks #home", "Old thing");
  await alice.edits("Old thing", {});
  await alice.draft.getByLabel("Due date", { exact: true }).fill("2026-11-20");
  await alice.draft.getByLabel("Repeats").selectOption("Weekly");
  await page.screenshot({ path: ".shots/tmp-2.png", fullPage: true });
  await alice.saves();
  await expect(page.getByText("Overdue")).toBeVisible();
  await page.screenshot({ path: ".shots/tmp-3.png", fullPage: true });
  await page.setViewportSize({ width: 360, height: 740 });
  await page.screenshot({ path: ".shots/tmp-4.png", fullPage: true });
  await page.setViewportSize({ width: 1280, height: 800 });
  await page.emulateMedia({ colorScheme: "dark" });
  await page.screenshot({ path: ".shots/tmp-5.png", fullPage: true });
  await alice.completes("Old thing");
  await expect(page.locator("#notice")).toContainText("comes again");
  await page.screenshot({ path: ".shots/tmp-6.png", fullPage: true });
  console.log(await alice.has());
});

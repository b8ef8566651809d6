import { expect, test } from "./people";

test("two deletes can both be undone, in any order, and each is where it was", async ({ alice }) => {
  await alice.adds("Buy milk", "Sleep", "Read", "Walk");
  await alice.deletes("Sleep");
  await alice.deletes("Read");
  await alice.sees("Walk", "Buy milk");
  await alice.undoOf("Sleep").click();
  await alice.sees("Walk", "Sleep", "Buy milk");
  await expect(alice.check("Sleep")).toBeFocused();
  await alice.undoOf("Read").click();
  await alice.sees("Walk", "Read", "Sleep", "Buy milk");
  expect(await alice.has()).toHaveLength(4);
});

test("with keys alone, even when the list is empty by then", async ({ alice }) => {
  await alice.adds("Buy milk", "Sleep");
  await alice.check("Sleep").focus();
  await alice.page.keyboard.press("Delete");
  await alice.page.keyboard.press("Delete");
  await alice.sees();
  await alice.page.keyboard.press("u");
  await alice.sees("Buy milk");
  await expect(alice.check("Buy milk")).toBeFocused();
  await alice.page.keyboard.press("u");
  await alice.sees("Sleep", "Buy milk");
  await expect(alice.newTitle).toHaveValue("");
});

test("far away, undoing one leaves the other to be deleted", async ({ alice }) => {
  await alice.adds("Buy milk", "Sleep", "Read");
  await alice.sees("Read", "Sleep", "Buy milk");
  await alice.isFarAway();
  await alice.completes("Sleep");
  await alice.deletes("Sleep"); // no conflict with what she has done herself
  await alice.deletes("Read");
  await alice.undoOf("Read").click();
  await expect
    .poll(() => alice.has())
    .toMatchObject([{ title: "Read" }, { title: "Buy milk" }]);
  await alice.sees("Read", "Buy milk");
  await expect(alice.page.locator(".conflict:visible")).toHaveCount(0);
});

test("clearing what is completed can be undone", async ({ alice }) => {
  const deleted: string[] = [];
  alice.page.on("request", (request) => {
    if (request.method() === "DELETE") deleted.push(request.url());
  });
  await alice.adds("Buy milk", "Sleep", "Read");
  await expect(alice.page.getByRole("button", { name: "Clear completed" })).toBeHidden();
  await alice.completes("Buy milk");
  await alice.completes("Read");
  await alice.page.getByRole("button", { name: "Clear completed" }).click();
  await alice.sees("Sleep");
  await expect(alice.page.getByText("2 tasks deleted.")).toBeVisible();
  await alice.page.getByRole("button", { name: "Undo: 2 tasks deleted." }).click();
  await alice.sees("Read", "Sleep", "Buy milk");
  await expect(alice.check("Read")).toBeFocused();

  await alice.page.getByRole("button", { name: "Clear completed" }).click();
  await alice.page.keyboard.press("u");
  await alice.sees("Read", "Sleep", "Buy milk");
  expect(await alice.has()).toHaveLength(3);
  expect(deleted).toEqual([]);
});

test("clearing is sent once that is over, also for tasks that are not shown", async ({ alice }) => {
  const titles = Array.from({ length: 55 }, (_, index) => `Task ${index}`);
  await alice.hasFromElsewhere(titles, true);
  await alice.page.reload();
  await expect(alice.page.locator(".task")).toHaveCount(50);
  await alice.adds("Sleep");
  await alice.page.getByRole("button", { name: "Clear completed" }).click();
  await expect(alice.page.getByText("55 tasks deleted.")).toBeVisible();
  await alice.sees("Sleep");
  expect(await alice.has()).toHaveLength(56);
  await expect.poll(() => alice.has()).toMatchObject([{ title: "Sleep" }]);
  await alice.sees("Sleep");
});

test("clearing spares what is completed after it, here or elsewhere, changed, or being edited", async ({
  alice,
}) => {
  await alice.adds("Buy milk", "Sleep", "Read", "Walk", "Swim");
  for (const title of ["Buy milk", "Walk", "Swim"]) await alice.completes(title);
  const tab = await alice.opensTab();
  await tab.sees("Swim", "Walk", "Read", "Sleep", "Buy milk");
  await alice.edits("Swim", {});
  alice.expects(/status of 412/);

  await alice.page.getByRole("button", { name: "Clear completed" }).click();
  await expect(alice.page.getByText("2 tasks deleted.")).toBeVisible();
  await alice.completes("Sleep");
  await tab.completes("Read");
  await tab.edits("Walk", { title: "Walk far" });
  await tab.saves();
  await alice.sees("Swim", "Read", "Sleep");
  await expect
    .poll(() => alice.has())
    .toMatchObject([
      { title: "Swim" },
      { title: "Walk far" },
      { title: "Read" },
      { title: "Sleep" },
    ]);
  await expect(alice.page.locator(".conflict:visible")).toContainText("so it was not deleted");
});

test("clearing is sent when the page is left", async ({ alice }) => {
  await alice.adds("Buy milk", "Sleep");
  await alice.completes("Sleep");
  await alice.page.getByRole("button", { name: "Clear completed" }).click();
  await expect(alice.page.getByText("1 task deleted.")).toBeVisible();
  await alice.page.goto("about:blank");
  await expect.poll(() => alice.has()).toMatchObject([{ title: "Buy milk" }]);
});

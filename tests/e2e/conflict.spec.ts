import { expect, test, type Person } from "./people";

/** Two tabs that show the same task, neither of which asks anew by itself. */
async function twoTabs(alice: Person): Promise<Person> {
  await alice.adds("Buy milk");
  const tab = await alice.opensTab();
  await expect(tab.check("Buy milk")).toBeVisible();
  await alice.looksAway();
  await tab.looksAway();
  for (const each of [alice, tab]) each.expects(/status of 412/);
  return tab;
}

test("an edit that comes second is shown what it is now; one may insist", async ({ alice }) => {
  const tab = await twoTabs(alice);
  await alice.edits("Buy milk", { title: "Buy oat milk", description: "mine" });
  await tab.edits("Buy milk", { title: "Buy soy milk", description: "two" });
  await tab.saves();
  await tab.sees("Buy soy milk");

  await alice.saves();
  const conflict = alice.page.locator(".conflict:visible");
  await expect(conflict).toContainText("It was changed elsewhere while you were editing");
  await expect(conflict.locator(".title")).toHaveText("Buy soy milk");
  await expect(conflict.locator(".description")).toHaveText("two");
  await expect(alice.draftTitle).toHaveValue("Buy oat milk");
  expect(await alice.has()).toMatchObject([{ title: "Buy soy milk", description: "two" }]);

  await alice.page.getByRole("button", { name: "Save mine instead" }).click();
  await alice.sees("Buy oat milk");
  await expect
    .poll(() => alice.has())
    .toMatchObject([{ title: "Buy oat milk", description: "mine" }]);
});

test("or keep what it is now", async ({ alice }) => {
  const tab = await twoTabs(alice);
  await alice.edits("Buy milk", { title: "Buy oat milk" });
  await tab.completes("Buy milk");
  await expect.poll(() => alice.has()).toMatchObject([{ completed: true }]);

  await alice.saves();
  await expect(alice.page.locator(".conflict:visible")).toContainText("Done");
  await alice.page.getByRole("button", { name: "Keep what it is now" }).click();
  await alice.sees("Buy milk");
  await expect(alice.check("Buy milk")).toBeChecked();
  await expect(alice.check("Buy milk")).toBeFocused();
  expect(await alice.has()).toMatchObject([{ title: "Buy milk", completed: true }]);
});

for (const knows of ["its ETag", "the list alone"])
  test(`completing what has become another task is asked about, knowing ${knows}`, async ({
    alice,
  }) => {
    const tab = await twoTabs(alice);
    const [first, second] = knows === "its ETag" ? [tab, alice] : [alice, tab]; // alice made it
    await first.edits("Buy milk", { title: "Buy a cow" });
    await first.saves();
    await first.sees("Buy a cow");

    await second.completes("Buy milk");
    await expect(second.page.locator(".conflict:visible")).toContainText(
      "It was changed elsewhere, so it was not completed.",
    );
    await expect(second.check("Buy a cow")).not.toBeChecked();
    expect(await alice.has()).toMatchObject([{ title: "Buy a cow", completed: false }]);

    await second.page.getByRole("button", { name: "Complete it" }).click();
    await expect(second.check("Buy a cow")).toBeChecked();
    await expect.poll(() => alice.has()).toMatchObject([{ title: "Buy a cow", completed: true }]);
  });

test("so is deleting it; completing it in both is no conflict", async ({ alice }) => {
  await alice.adds("Sleep");
  const tab = await twoTabs(alice);
  await alice.completes("Buy milk");
  await tab.completes("Buy milk");
  await expect(tab.check("Buy milk")).toBeChecked();
  await expect(tab.page.locator(".conflict:visible")).toBeHidden();

  await alice.edits("Buy milk", { title: "Buy a cow" });
  await alice.saves();
  await alice.sees("Buy a cow", "Sleep");
  await tab.deletes("Buy milk");
  await expect(tab.page.locator(".conflict:visible")).toContainText("so it was not deleted");
  await tab.page.getByRole("button", { name: "Delete it" }).click();
  await expect.poll(() => alice.has()).toMatchObject([{ title: "Sleep" }]);
});

test("what is being edited stays, whatever becomes of it elsewhere", async ({ alice }) => {
  alice.expects(/status of 404/);
  await alice.adds("Sleep");
  const tab = await twoTabs(alice);
  await alice.shows("Open");
  await alice.edits("Buy milk", { title: "Buy oat milk" });
  await alice.looksAway();
  await tab.completes("Buy milk");
  await tab.completes("Sleep");
  await tab.edits("Sleep", { title: "Sleep well" });
  await tab.saves();
  await tab.sees("Buy milk", "Sleep well");
  await alice.looksAgain();
  await alice.sees("Buy milk"); // Sleep has gone, and the list is as it is now
  await expect(alice.draftTitle).toHaveValue("Buy oat milk");
  await alice.saves();
  await expect(alice.page.locator(".conflict:visible")).toContainText("Done");

  await tab.page.getByRole("button", { name: "Clear completed" }).click();
  await tab.sees();
  await expect(tab.page.getByText("2 tasks deleted.")).toBeVisible();
  await tab.page.goto("about:blank"); // so it is sent
  await expect.poll(() => alice.has()).toEqual([]);
  await alice.page.getByRole("button", { name: "Save mine instead" }).click();
  await expect(alice.page.getByText("This task has been deleted elsewhere.")).toBeVisible();
  await expect(alice.draftTitle).toHaveValue("Buy oat milk");
  await alice.draftTitle.press("Escape");
  await alice.sees();
});

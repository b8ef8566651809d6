import { expect, test } from "./people";

test("two people each see their own tasks alone", async ({ alice, bob }) => {
  await alice.adds("Buy milk", "Sleep");
  await bob.adds("Buy milk");
  await alice.completes("Sleep");
  await bob.edits("Buy milk", { title: "Buy beer" });
  await bob.saves();
  await bob.sees("Buy beer");
  await expect.poll(() => bob.has()).toMatchObject([{ title: "Buy beer" }]);
  await expect.poll(() => alice.has()).toMatchObject([{ completed: true }, {}]);

  await alice.page.reload();
  await bob.page.reload();
  await alice.sees("Sleep", "Buy milk");
  await bob.sees("Buy beer");

  await bob.page.getByRole("searchbox").fill("milk");
  await expect(bob.page.locator("#empty")).toContainText("No task has “milk” in it.");
  await bob.page.getByRole("searchbox").fill("");
  await bob.completes("Buy beer");
  await bob.page.getByRole("button", { name: "Clear completed" }).click();
  await expect(bob.page.getByText("1 task deleted.")).toBeVisible();
  await bob.page.goto("about:blank"); // so it is sent
  await expect.poll(() => bob.has()).toEqual([]);
  expect(await alice.has()).toMatchObject([
    { title: "Sleep", completed: true },
    { title: "Buy milk", completed: false },
  ]);
});

test("another person at the same browser finds nothing of the one before", async ({
  alice,
  bob,
}) => {
  await alice.adds("Buy milk");
  await bob.adds("Buy beer");
  const tab = await alice.opensTab();
  await tab.sees("Buy milk");
  await alice.newTitle.fill("half a thought");

  // bob signs in in one tab; the other one has alice's token still
  await alice.context.clearCookies();
  await alice.context.addCookies(await bob.context.cookies());
  await tab.page.reload();
  await tab.sees("Buy beer");
  await alice.page.bringToFront();
  await alice.looksAgain();
  await alice.sees("Buy beer");
  await expect(alice.newTitle).toHaveValue("");
  await expect(alice.page.locator("#who")).toHaveText(bob.email);
});

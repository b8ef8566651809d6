import { AT_ONCE, expect, test, type Person } from "./people";

// What lies between a key and its effect, and where the next key goes.

/** Her list as another visit finds it: it has no ETag of any task, and does not ask anew. */
async function comesBack(alice: Person, ...titles: string[]): Promise<void> {
  await alice.hasFromElsewhere([...titles].reverse());
  await alice.page.reload();
  await alice.sees(...titles);
}

test("far away, e opens the form at once, and the next keys write in it", async ({ alice }) => {
  await comesBack(alice, "Buy milk", "Sleep");
  await alice.isFarAway();
  await alice.check("Buy milk").focus();
  const { keyboard } = alice.page;
  await keyboard.press("e");
  await keyboard.press("Backspace");
  await keyboard.press("Delete");
  await keyboard.type("k and bread");
  await expect(alice.draftTitle).toHaveValue("Buy milk and bread", AT_ONCE);
  await keyboard.press("Enter");
  await expect(alice.check("Buy milk and bread")).toBeFocused(AT_ONCE); // at once, too
  await keyboard.press("j");
  await expect(alice.check("Sleep")).toBeFocused();
  await expect
    .poll(() => alice.has())
    .toMatchObject([{ title: "Buy milk and bread" }, { title: "Sleep" }]);
  await expect(alice.page.locator(".toast:visible")).toHaveCount(0);
});

test("Backspace deletes no task", async ({ alice }) => {
  await alice.adds("Buy milk");
  await alice.check("Buy milk").focus();
  await alice.page.keyboard.press("Backspace");
  await alice.sees("Buy milk");
  await expect(alice.page.locator(".toast:visible")).toHaveCount(0);
  await expect(alice.check("Buy milk")).toBeFocused();
});

/** Her list shows `Sleep`, which another tab has made `Sleep well` by now. */
async function isOutOfDate(alice: Person): Promise<void> {
  await comesBack(alice, "Buy milk", "Sleep");
  await alice.looksAway();
  const tab = await alice.opensTab();
  await tab.edits("Sleep", { title: "Sleep well" });
  await tab.saves();
  await expect.poll(() => alice.has()).toMatchObject([{}, { title: "Sleep well" }]);
  await alice.isFarAway();
}

test("a form in which nothing is typed takes the newest version", async ({ alice }) => {
  await isOutOfDate(alice);
  await alice.page.getByRole("button", { name: "Edit “Sleep”" }).click();
  await expect(alice.draftTitle).toHaveValue("Sleep", AT_ONCE);
  await expect(alice.draftTitle).toHaveValue("Sleep well");
  await alice.draftTitle.fill("Sleep longer");
  await alice.saves();
  await expect.poll(() => alice.has()).toMatchObject([{}, { title: "Sleep longer" }]);
});

test("a form in which something is typed keeps it, and asks when it is saved", async ({ alice }) => {
  alice.expects(/status of 412/);
  await isOutOfDate(alice);
  const read = alice.page.waitForResponse((response) => /tasks\/\d+$/.test(response.url()));
  await alice.edits("Sleep", { title: "Sleep longer" });
  await read;
  await expect(alice.draftTitle).toHaveValue("Sleep longer");
  await alice.saves();
  await expect(alice.page.locator(".conflict:visible .title")).toHaveText("Sleep well");
  await expect(alice.draftTitle).toHaveValue("Sleep longer");
  await alice.draftTitle.fill("Sleep much longer"); // what is typed now is what is saved
  await alice.page.getByRole("button", { name: "Save mine instead" }).click();
  await expect.poll(() => alice.has()).toMatchObject([{}, { title: "Sleep much longer" }]);
});

test("an edit that was not saved cancels the deletion of its task", async ({ alice }) => {
  alice.expects(/status of 412/);
  await comesBack(alice, "Buy milk", "Sleep");
  await alice.looksAway();
  await alice.edits("Buy milk", { title: "Buy oat milk" });
  const tab = await alice.opensTab();
  await tab.completes("Buy milk");
  await expect.poll(() => alice.has()).toMatchObject([{ completed: true }, {}]);

  await alice.isFarAway(1_000);
  await alice.draftTitle.press("Enter");
  await alice.page.keyboard.press("Delete");
  await expect(alice.undoOf("Buy oat milk")).toBeVisible();
  await alice.sees("Sleep");
  await expect(alice.page.locator(".conflict:visible")).toBeVisible(); // yours is not saved
  await expect(alice.draftTitle).toHaveValue("Buy oat milk");
  await expect(alice.page.locator(".toast:visible")).toHaveCount(0);
  await expect(alice.check("Sleep")).toBeFocused();
  await alice.page.waitForTimeout(7_000); // longer than it could be undone
  expect(await alice.has()).toHaveLength(2);
});

test("keys rest while a dialog is open, and in a form", async ({ alice }) => {
  await alice.adds("Buy milk", "Sleep");
  const { keyboard } = alice.page;
  await alice.check("Sleep").focus();
  await keyboard.press("?");
  await expect(alice.page.getByRole("dialog")).toBeVisible();
  for (const key of ["e", "Delete", "j", "u", "n"]) await keyboard.press(key);
  await keyboard.press("Escape");
  await expect(alice.page.getByRole("dialog")).toBeHidden();
  await expect(alice.check("Sleep")).toBeFocused();
  await alice.sees("Sleep", "Buy milk");

  await keyboard.press("Delete");
  await alice.page.getByRole("button", { name: "Edit “Buy milk”" }).click();
  await keyboard.press("Tab");
  await keyboard.press("Tab"); // on "Save": no letters are written there
  await keyboard.press("u");
  await keyboard.press("Delete");
  await expect(alice.undoOf("Sleep")).toBeVisible();
  await expect(alice.draftTitle).toHaveValue("Buy milk");
});

test("a held key acts once", async ({ alice }) => {
  await alice.adds("Buy milk", "Sleep", "Read");
  const { keyboard } = alice.page;
  const holds = async (key: string) => {
    for (let time = 0; time < 4; time++) await keyboard.down(key);
    await keyboard.up(key);
  };
  await alice.check("Read").focus();
  await holds("Delete");
  await alice.sees("Sleep", "Buy milk");
  await expect(alice.check("Sleep")).toBeFocused();
  await holds("e");
  await expect(alice.draftTitle).toHaveValue("Sleep");
  await keyboard.press("Escape");
  await holds("Enter");
  await expect(alice.draftTitle).toBeFocused();
  await expect(alice.draftTitle).toHaveValue("Sleep");
  await keyboard.press("Escape");
  await holds("j"); // but moves go on
  await expect(alice.check("Buy milk")).toBeFocused();
});

test("a double click does not meet the task that moves under it", async ({ alice }) => {
  await alice.adds("Buy milk", "Sleep", "Read");
  await alice.page.getByRole("button", { name: "Delete “Read”" }).dblclick();
  await alice.sees("Sleep", "Buy milk");
  await alice.shows("Open");
  await alice.check("Sleep").dblclick();
  await alice.sees("Buy milk");
  await expect(alice.check("Buy milk")).not.toBeChecked();
});

test("when the task under the keys goes away elsewhere, they do not meet its neighbour", async ({
  alice,
}) => {
  await alice.adds("Buy milk", "Sleep", "Read");
  const tab = await alice.opensTab();
  await alice.check("Sleep").focus();
  await tab.deletes("Sleep");
  await tab.page.close();
  await alice.sees("Read", "Buy milk");
  await alice.page.keyboard.press("Delete");
  await alice.page.keyboard.press("e");
  await expect(alice.page.locator(".draft:visible, .toast:visible")).toHaveCount(0);
  await alice.sees("Read", "Buy milk");
  await alice.page.keyboard.press("j");
  await expect(alice.check("Buy milk")).toBeFocused();
});

test("j and k work from anywhere on the page", async ({ alice }) => {
  await alice.adds("Buy milk", "Sleep");
  const { keyboard } = alice.page;
  await alice.page.getByRole("heading", { name: "Tasks" }).click();
  await keyboard.press("j");
  await expect(alice.check("Sleep")).toBeFocused();
  await keyboard.press("j");
  await expect(alice.check("Buy milk")).toBeFocused();
  await alice.page.getByRole("heading", { name: "Tasks" }).click();
  await keyboard.press("k"); // to where they were
  await expect(alice.check("Buy milk")).toBeFocused();
  await alice.page.getByRole("radio", { name: "All" }).focus();
  await keyboard.press("k");
  await keyboard.press("k");
  await expect(alice.check("Sleep")).toBeFocused();
  await alice.newTitle.focus();
  await keyboard.type("jk");
  await expect(alice.newTitle).toHaveValue("jk");
});

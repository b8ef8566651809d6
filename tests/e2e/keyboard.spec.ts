import { expect, test } from "./people";

test("everything can be done with the keyboard", async ({ alice }) => {
  const { keyboard } = alice.page;
  await expect(alice.newTitle).toBeFocused();
  for (const title of ["Buy milk", "Sleep", "Read"]) {
    await keyboard.type(title);
    await keyboard.press("Enter");
    await expect(alice.newTitle).toHaveValue("");
  }
  await alice.sees("Read", "Sleep", "Buy milk");

  await keyboard.press("ArrowDown");
  await expect(alice.check("Read")).toBeFocused();
  await keyboard.press("j");
  await expect(alice.check("Sleep")).toBeFocused();
  await keyboard.press("ArrowDown");
  await keyboard.press("ArrowDown"); // the last one
  await expect(alice.check("Buy milk")).toBeFocused();
  await keyboard.press("k");
  await expect(alice.check("Sleep")).toBeFocused();
  await keyboard.press("ArrowUp");
  await expect(alice.check("Read")).toBeFocused();
  await keyboard.press("Space");
  await expect(alice.check("Read")).toBeChecked();

  await keyboard.press("Enter");
  await expect(alice.draftTitle).toBeFocused();
  await keyboard.press("End");
  await keyboard.type(" slowly, e and j");
  await keyboard.press("Tab");
  await keyboard.type("One page");
  await keyboard.press("Control+Enter");
  await alice.sees("Read slowly, e and j", "Sleep", "Buy milk");
  await expect(alice.check("Read slowly, e and j")).toBeFocused();
  await keyboard.press("e");
  await expect(alice.draftTitle).toBeFocused();
  await keyboard.press("Escape");
  await expect(alice.check("Read slowly, e and j")).toBeFocused();

  await keyboard.press("Delete");
  await alice.sees("Sleep", "Buy milk");
  await expect(alice.check("Sleep")).toBeFocused();
  await keyboard.press("u");
  await alice.sees("Read slowly, e and j", "Sleep", "Buy milk");

  await keyboard.press("/");
  const search = alice.page.getByRole("searchbox", { name: "Search" });
  await expect(search).toBeFocused();
  await keyboard.type("milk/u");
  await expect(search).toHaveValue("milk/u");
  await keyboard.press("Backspace");
  await keyboard.press("Backspace");
  await alice.sees("Buy milk");
  await keyboard.press("Escape");
  await expect(search).toHaveValue("");
  await alice.sees("Read slowly, e and j", "Sleep", "Buy milk");
});

test("an answer does not take the focus from where somebody types by then", async ({ alice }) => {
  await alice.adds("Buy milk");
  await alice.edits("Buy milk", { title: "Buy oat milk" });
  await alice.page.route(/\/tasks\/\d+$/, async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 500));
    await route.continue();
  });
  await alice.saves();
  await alice.newTitle.pressSequentially("Sleep");
  await alice.sees("Buy oat milk");
  await expect(alice.page.locator(".draft:visible")).toHaveCount(0);
  await expect(alice.newTitle).toBeFocused();
});

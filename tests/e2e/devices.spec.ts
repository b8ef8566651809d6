import { AT_ONCE, expect, test, type Person } from "./people";

/** Comes to the page, and stays until the API can tell of changes. */
async function listens(person: Person): Promise<void> {
  const stream = person.page.waitForResponse(/\/api\/tasks\/events$/);
  await person.comes();
  await stream;
}

test("what is done on one device is on the other at once", async ({ alice, person }) => {
  const phone = await person("Alice");
  await phone.context.addCookies(await alice.context.cookies());
  await listens(phone);
  await listens(alice);

  await alice.adds("Buy milk", "Sleep");
  const shown = phone.page.locator(".task .shown .title");
  await expect(shown).toHaveText(["Sleep", "Buy milk"], AT_ONCE);
  await phone.completes("Buy milk");
  await expect(alice.check("Buy milk")).toBeChecked(AT_ONCE);
  await alice.edits("Sleep", { title: "Sleep well" });
  await alice.saves();
  await expect(shown).toHaveText(["Sleep well", "Buy milk"], AT_ONCE);
});

test("what one person does asks nothing of another's page", async ({ alice, bob }) => {
  await listens(bob);
  await bob.sees();
  let [asked, last] = [0, Date.now()];
  bob.page.on("request", () => ([asked, last] = [asked + 1, Date.now()]));
  await expect.poll(() => Date.now() - last).toBeGreaterThan(1_500); // what it asks as it opens
  asked = 0;
  await alice.adds("Buy milk", "Sleep");
  await expect.poll(() => alice.has()).toHaveLength(2);
  await bob.page.waitForTimeout(1_000);
  expect(asked).toBe(0);
});

import { expect, test, type Person } from "./people";

/** Has the page's files in the browser, as after any visit. */
async function isInstalled({ page }: Person): Promise<void> {
  await page.evaluate(async () => void (await navigator.serviceWorker.ready));
  await page.reload();
}

async function goesOffline(person: Person): Promise<void> {
  person.expects(/ERR_INTERNET_DISCONNECTED/, /ERR_FAILED/, /Failed to fetch/);
  await person.context.setOffline(true);
}

const trouble = ({ page }: Person) => page.locator("#trouble");

test("what alice does offline is shown, outlives a reload, and is sent when she is back", async ({
  alice,
}) => {
  await alice.adds("Buy milk", "Sleep", "Read", "Walk", "Swim");
  await isInstalled(alice);
  await alice.sees("Swim", "Walk", "Read", "Sleep", "Buy milk");
  await alice.completes("Swim");
  await expect.poll(() => alice.has()).toMatchObject([{ completed: true }, {}, {}, {}, {}]);
  await goesOffline(alice);
  await alice.adds("Cook");
  await expect(trouble(alice)).toContainText(/You are offline\. \d changes? waits?\./);
  await alice.completes("Buy milk");
  await alice.edits("Cook", { title: "Cook rice" });
  await alice.saves();
  await alice.edits("Sleep", { title: "Sleep well", description: "early" });
  await alice.saves();
  await alice.completes("Sleep well");
  await alice.deletes("Read");
  await alice.deletes("Walk");
  await alice.undoOf("Walk").click();
  await alice.page.getByRole("button", { name: "Clear completed" }).click();
  await expect(alice.page.getByText("3 tasks deleted.")).toBeVisible();
  await alice.page.getByRole("button", { name: "Undo: 3 tasks deleted." }).click();
  const now = ["Cook rice", "Swim", "Walk", "Sleep well", "Buy milk"];
  await alice.sees(...now);
  await alice.newTitle.fill("half a thought");
  await alice.edits("Walk", { title: "Walk home" });

  await alice.page.reload();
  await alice.sees(...now);
  await expect(alice.newTitle).toHaveValue("half a thought");
  await expect(alice.draftTitle).toHaveValue("Walk home");
  await expect(alice.check("Sleep well")).toBeChecked();
  await expect(trouble(alice)).toContainText("You are offline.");
  await alice.shows("Open");
  await alice.sees("Cook rice", "Walk");
  await alice.shows("All");
  await alice.sees(...now);

  await alice.context.setOffline(false);
  await expect(trouble(alice)).toBeHidden();
  await alice.saves();
  await expect
    .poll(() => alice.has())
    .toMatchObject([
      { title: "Cook rice", completed: false },
      { title: "Swim", completed: true },
      { title: "Walk home" },
      { title: "Sleep well", description: "early", completed: true },
      { title: "Buy milk", completed: true },
    ]);
  await alice.sees("Cook rice", "Swim", "Walk home", "Sleep well", "Buy milk");
  await expect(alice.newTitle).toHaveValue("half a thought");
  await expect(alice.page.locator(".conflict:visible")).toHaveCount(0);
});

/** Her other device, signed in as she is. */
async function another(alice: Person, person: (name: string) => Promise<Person>): Promise<Person> {
  const phone = await person("Alice");
  await phone.context.addCookies(await alice.context.cookies());
  await phone.comes();
  return phone;
}

test("what was changed elsewhere meanwhile is asked about; what was deleted stays so", async ({
  alice,
  person,
}) => {
  await alice.adds("Buy milk", "Sleep", "Read");
  await isInstalled(alice);
  await alice.sees("Read", "Sleep", "Buy milk");
  const phone = await another(alice, person);
  await phone.sees("Read", "Sleep", "Buy milk");
  await goesOffline(alice);
  await alice.edits("Buy milk", { title: "Buy oat milk" });
  await alice.saves();
  await alice.deletes("Sleep");
  await alice.edits("Read", { title: "Read on" });
  await alice.saves();
  await phone.edits("Buy milk", { title: "Buy soy milk" });
  await phone.saves();
  await phone.edits("Sleep", { title: "Sleep well" });
  await phone.saves();
  await phone.deletes("Read");
  await expect.poll(() => phone.has()).toMatchObject([{ title: "Sleep well" }, { title: "Buy soy milk" }]);
  await alice.page.waitForTimeout(6_500); // her deletion cannot be undone any more

  await alice.context.setOffline(false);
  const conflicts = alice.page.locator(".conflict:visible");
  await expect(conflicts).toHaveCount(2);
  await expect(conflicts.filter({ hasText: "while you were editing" })).toContainText("Buy soy milk");
  await expect(conflicts.filter({ hasText: "so it was not deleted" })).toContainText("Sleep well");
  await expect(alice.page.getByText("This task has been deleted elsewhere.")).toBeVisible();
  await alice.page.getByRole("button", { name: "Save mine instead" }).click();
  await alice.page.getByRole("button", { name: "Delete it" }).click();
  await expect(alice.draftTitle).toHaveValue("Read on");
  await alice.draftTitle.press("Escape");
  await expect.poll(() => alice.has()).toMatchObject([{ title: "Buy oat milk" }]);
  await alice.sees("Buy oat milk");
});

/** All that the browser keeps of people. */
const kept = ({ page }: Person) =>
  page.evaluate(async () => {
    const databases = (await indexedDB.databases()).map(({ name }) => name);
    localStorage.removeItem("better-auth.message"); // what one tab tells another, of nobody
    return JSON.stringify([databases, { ...localStorage }, { ...sessionStorage }]);
  });

test("alice is told what signing out would lose, and then nothing of her stays", async ({
  alice,
  bob,
  stack,
}) => {
  alice.expects(/ERR_CONNECTION_REFUSED/);
  bob.expects(/ERR_CONNECTION_REFUSED/);
  await alice.adds("Buy milk");
  await alice.newTitle.fill("half a thought");
  await stack.stopApi();
  await alice.completes("Buy milk");
  await expect(trouble(alice)).toContainText("1 change waits.");
  expect(await kept(alice)).toContain("task-api-outbox");
  expect(await kept(alice)).toContain("half a thought");
  const leave = alice.page.getByRole("button", { name: "Sign out" });
  await leave.click();
  await expect(alice.page.getByText("1 change is not sent yet. Sign out again")).toBeVisible();
  await leave.click();
  await expect(alice.page.getByRole("heading", { name: "Sign in" })).toBeVisible();
  await expect.poll(() => kept(alice)).toBe("[[],{},{}]");
  await stack.startApi();
});

test("what waits for a person whose session is over waits for nobody else", async ({
  alice,
  bob,
}) => {
  alice.expects(/status of 401/);
  await alice.adds("Buy milk");
  await isInstalled(alice);
  await alice.sees("Buy milk");
  await goesOffline(alice);
  await alice.adds("Sleep");
  await expect(trouble(alice)).toContainText(/\d changes? waits?\./);
  const cookies = await alice.context.cookies();
  await alice.context.clearCookies();
  await alice.context.setOffline(false); // and it is asked who she is
  await expect(alice.page.getByRole("heading", { name: "Sign in" })).toBeVisible();
  await expect(alice.page.getByText("Buy milk")).toHaveCount(0);
  await expect.poll(() => kept(alice)).toMatch(/^\[\["task-api-outbox [^"]+"\],\{\},\{\}\]$/);
  const hers = /outbox ([^"]+)"/.exec(await kept(alice))![1]!;

  await alice.context.addCookies(cookies);
  await alice.page.reload();
  await alice.sees("Sleep", "Buy milk"); // it was hers
  await expect.poll(() => alice.has()).toHaveLength(2);

  await goesOffline(alice);
  await alice.adds("Read");
  await expect(trouble(alice)).toContainText(/\d changes? waits?\./);
  await alice.context.clearCookies();
  await alice.context.addCookies(await bob.context.cookies());
  await alice.context.setOffline(false); // and it is asked who she is
  await expect(alice.page.locator("#who")).toHaveText(bob.email);
  await alice.sees();
  await expect.poll(() => kept(alice)).not.toMatch(new RegExp(hers));
  expect(await bob.has()).toEqual([]);
});

import { looksRight, tooSmall } from "./look";
import { dayFrom, expect, test } from "./people";

const looks = [
  { colorScheme: "light", size: "wide", width: 1280 },
  { colorScheme: "dark", size: "narrow", width: 320 },
] as const;
const widths = [360, 768, 1280, 1920];

for (const { colorScheme, size, width } of looks)
  test.describe(`${colorScheme}, ${size}`, () => {
    test.use({ colorScheme, viewport: { width, height: 720 } });

    test("looks right in every state", async ({ stranger, stack }) => {
      const { page } = stranger;
      const shot = (name: string) => looksRight(stranger, `${name}-${colorScheme}-${size}`);
      stranger.expects(/status of 412/, /ERR_CONNECTION_REFUSED/);
      await page.goto(stack.origin);
      await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
      await shot("door");

      await stranger.signsUp();
      await stranger.comes();
      await expect(page.locator("#empty")).toBeVisible();
      await shot("empty");

      await stranger.hasFromElsewhere([
        "Return the library books",
        "Buy milk",
        "Ask Jan about the holidays, and whether they take the dog",
        "https://example.com/a-very-long-address-that-has-nowhere-to-break-" + "x".repeat(40),
        "Water the plants",
      ]);
      await page.reload();
      await stranger.edits("Buy milk", { description: "Oat, two bottles" });
      await stranger.saves();
      await stranger.completes("Return the library books");
      await stranger.check("Water the plants").focus();
      await shot("list");

      await stranger.looksAway();
      await stranger.edits("Buy milk", { title: "Buy oat milk" });
      const tab = await stranger.opensTab();
      await tab.edits("Buy milk", { title: "Buy milk and bread" });
      await tab.saves();
      await tab.sees(
        "Water the plants",
        /example/,
        /Jan/,
        "Buy milk and bread",
        "Return the library books",
      );
      await tab.page.close();
      await stranger.saves();
      await expect(page.locator(".conflict:visible")).toBeVisible();
      await stranger.deletes("Water the plants");
      await shot("conflict");
      await page.getByRole("button", { name: "Keep what it is now" }).click();

      await page.keyboard.press("?");
      await shot("help");
      await page.keyboard.press("Escape");
    });
  });

for (const colorScheme of ["light", "dark"] as const)
  test(`a full list fits and looks right from 360 to 1,920 pixels, ${colorScheme}`, async ({
    alice,
  }) => {
    const { page } = alice;
    await page.emulateMedia({ colorScheme });
    await alice.hasFromElsewhere(["Cancel the gym", "Water the plants"], true);
    await alice.hasFromElsewhere([
      "Ask Jan about the holidays, and whether they take the dog, the cat, or both of them this year",
      "Buy milk",
      "Return the library books",
    ]);
    await page.reload();
    await alice.edits("Buy milk", { description: "Oat, two bottles.\n".repeat(9) });
    await alice.saves();
    await alice.deletes("Cancel the gym");
    await alice.deletes("Return the library books");
    await page.getByRole("heading", { name: "Tasks" }).click();
    await page.keyboard.press("j");
    for (const width of widths) {
      await page.setViewportSize({ width, height: width < 700 ? 740 : 900 });
      await looksRight(alice, `full-${colorScheme}-${width}`);
    }
  });

test("at 768 pixels an empty page does not scroll, and toasts cover nothing at its end", async ({
  alice,
}) => {
  const { page } = alice;
  await page.setViewportSize({ width: 768, height: 1024 });
  await expect(page.locator("#empty")).toBeVisible();
  const excess = await page.evaluate(() => document.documentElement.scrollHeight - innerHeight);
  expect(excess).toBe(0);

  await alice.hasFromElsewhere(["Buy milk", "Sleep"]);
  await page.reload();
  await alice.deletes("Sleep");
  await alice.completes("Buy milk");
  await alice.shows("Done");
  await alice.adds("Read");
  await expect(page.locator("#notice")).toBeVisible();
  await page.mouse.wheel(0, 10_000);
  await expect
    .poll(() =>
      page.evaluate(() => {
        const [clear, toasts] = ["#clear", ".toasts"].map((selector) =>
          document.querySelector(selector)!.getBoundingClientRect(),
        );
        return clear!.bottom < toasts!.top;
      }),
    )
    .toBe(true);
});

test("at 360 pixels all that can be touched is at least 44 by 44", async ({ stranger, stack }) => {
  const { page } = stranger;
  await page.setViewportSize({ width: 360, height: 740 });
  await page.goto(stack.origin);
  await expect(page.getByRole("heading", { name: "Sign in" })).toBeVisible();
  expect(await tooSmall(stranger), "signing in").toEqual([]);

  await stranger.signsUp();
  await stranger.comes();
  await stranger.page.getByRole("searchbox").fill("cheese");
  await expect(page.getByRole("button", { name: "Show all tasks" })).toBeVisible();
  expect(await tooSmall(stranger), "an empty list").toEqual([]);
  await page.getByRole("button", { name: "Show all tasks" }).click();

  await stranger.hasFromElsewhere(Array.from({ length: 51 }, (_, index) => `Task ${index}`));
  await page.reload();
  await stranger.edits("Task 50", { description: "One line\n".repeat(9) });
  await stranger.saves();
  await expect(page.getByRole("button", { name: "Read all" })).toBeVisible();
  await stranger.completes("Task 49");
  await stranger.deletes("Task 48");
  await stranger.edits("Task 47", {});
  expect(await tooSmall(stranger), "a list").toEqual([]);
});

test("a long description is cut, and can be read whole", async ({ alice }) => {
  const { page } = alice;
  await alice.adds("Buy milk", "Sleep");
  const text = Array.from({ length: 40 }, (_, index) => `Line ${index}`).join("\n");
  await alice.edits("Buy milk", { description: text });
  await alice.saves();
  const row = page.getByRole("listitem").filter({ hasText: "Buy milk" });
  await expect.poll(async () => (await row.boundingBox())!.height).toBeLessThan(180);
  const toggle = row.getByRole("button", { name: "Read all" });
  await expect(toggle).toHaveAttribute("aria-expanded", "false");
  await toggle.focus();
  await page.keyboard.press("Enter");
  await expect(row.getByText("Line 39")).toBeInViewport();
  await page.getByRole("button", { name: "Show less" }).click();
  await expect.poll(async () => (await row.boundingBox())!.height).toBeLessThan(180);
  await expect(page.getByRole("button", { name: "Read all" })).toHaveCount(1);
});

test("nothing moves for who does not want it", async ({ alice }) => {
  const moving = () => alice.page.evaluate(() => document.getAnimations().length);
  await alice.adds("Buy milk", "Sleep");
  await alice.completes("Buy milk");
  await alice.deletes("Sleep"); // which shows how long that can be undone
  await expect.poll(moving).toBeGreaterThan(0);
  await alice.page.emulateMedia({ reducedMotion: "reduce" });
  await expect.poll(moving).toBe(0);
});

for (const colorScheme of ["light", "dark"] as const)
  test(`dates, tags and quick add look right from 360 to 1,280 pixels, ${colorScheme}`, async ({
    alice,
  }) => {
    const { page } = alice;
    await page.emulateMedia({ colorScheme });
    await alice.hasTasksFromElsewhere(
      { title: "Water the plants", due_date: dayFrom(0), repeat: "FREQ=WEEKLY;INTERVAL=2" },
      { title: "Return the library books", due_date: dayFrom(-2), tags: ["town"] },
      {
        title: "Ask Jan about the holidays, and whether they take the dog, the cat, or both of them",
        description: "By e-mail, not by telephone.",
        due_date: dayFrom(3),
        due_time: "09:30",
        time_zone: "America/Argentina/ComodRivadavia",
        repeat: "FREQ=MONTHLY;BYDAY=-1FR;UNTIL=20401231",
        priority: "high",
        tags: ["family", "holidays and other things that take long", "x".repeat(50)],
      },
      { title: "Buy milk", priority: "low", tags: ["home", "shop"], completed: true },
      { title: "Pay rent", due_date: dayFrom(40), priority: "medium", tags: ["home"] },
    );
    await page.reload();
    await expect(page.locator(".task")).toHaveCount(5);
    const sizes = [360, 768, 1280].map((width) => ({ width, height: width < 700 ? 740 : 900 }));
    for (const size of sizes) {
      await page.setViewportSize(size);
      await alice.newTitle.fill("");
      await looksRight(alice, `due-${colorScheme}-${size.width}`);
      await alice.newTitle.fill("Pay rent tomorrow 9:00 every month #home !high");
      await alice.edits("Pay rent", {});
      await alice.draft.getByLabel("Repeats").selectOption("Monthly");
      await looksRight(alice, `due-form-${colorScheme}-${size.width}`);
      if (size.width === 360) expect(await tooSmall(alice), "the form and the chips").toEqual([]);
      await alice.draftTitle.press("Escape");
    }
    await alice.newTitle.fill("");
    for (const filter of ["Today", "Upcoming", "Done"] as const) {
      await alice.shows(filter);
      await expect(page.locator("#tasks")).toHaveAttribute("aria-busy", "false");
      await looksRight(alice, `due-${filter}-${colorScheme}`);
    }
  });

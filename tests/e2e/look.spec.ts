import { looksRight } from "./look";
import { expect, test } from "./people";

const looks = [
  { colorScheme: "light", size: "wide", width: 900 },
  { colorScheme: "dark", size: "narrow", width: 320 },
] as const;

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

      await page.getByRole("button", { name: "Clear completed" }).click();
      await shot("confirm");
      await page.keyboard.press("Escape");
    });
  });

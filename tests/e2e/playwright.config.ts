import { existsSync } from "node:fs";
import { defineConfig } from "@playwright/test";

// The distribution's browser; none is downloaded.
const browsers = ["/usr/bin/chromium", "/usr/bin/chromium-browser", "/usr/bin/google-chrome"];
const executablePath = process.env.CHROMIUM ?? browsers.find((path) => existsSync(path));
if (!executablePath) throw new Error("no Chromium found; say where it is: CHROMIUM=/path/to/it");

const asRoot = process.getuid?.() === 0; // whom Chromium runs for without its sandbox alone

export default defineConfig({
  testDir: ".",
  outputDir: ".results",
  reporter: "list",
  // Patience for a machine that does other work as well: what is true ends each wait at once.
  timeout: 180_000,
  expect: { timeout: 40_000 },
  workers: 2, // each with a stack of its own; most of the time is waiting
  forbidOnly: Boolean(process.env.CI),
  use: {
    viewport: { width: 900, height: 800 },
    screenshot: "only-on-failure",
    launchOptions: { executablePath, args: asRoot ? ["--no-sandbox"] : [] },
  },
});

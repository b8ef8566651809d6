import assert from "node:assert/strict";
import { test } from "node:test";
import { ownZone } from "../page/due";
import { understand } from "../page/understand";

const THURSDAY = new Date(2026, 10, 26, 15, 0);
const time_zone = ownZone();

/** What a line means on Thursday, 26 November 2026, at three in the afternoon. */
const meaning = (text: string, ...kept: string[]) =>
  understand(text, new Set(kept.map((words) => words.toLowerCase())), THURSDAY).task;
const words = (text: string) =>
  understand(text, new Set(), THURSDAY).parts.map((part) => part.words);

function means(text: string, task: ReturnType<typeof meaning>): void {
  test(`“${text}”`, () => assert.deepEqual(meaning(text), task));
}

/** Nothing of it is understood, so all of it is the title. */
function isLeftAlone(...texts: string[]): void {
  for (const text of texts) means(text, { title: text });
}

test("a line has words of every kind, and a title between them", () => {
  const line = "Pay rent tomorrow 9:00 every month #home !high";
  assert.deepEqual(meaning(line), {
    title: "Pay rent",
    tags: ["home"],
    priority: "high",
    repeat: "FREQ=MONTHLY",
    due_date: "2026-11-27",
    due_time: "09:00",
    time_zone,
  });
  assert.deepEqual(words(line), ["tomorrow 9:00", "every month", "#home", "!high"]);
});

test("words that are taken back stay in the title, the others do not", () => {
  const line = "Pay rent tomorrow 9:00 every month #home !high";
  assert.deepEqual(meaning(line, "tomorrow 9:00", "!HIGH"), {
    title: "Pay rent tomorrow 9:00 !high",
    tags: ["home"],
    repeat: "FREQ=MONTHLY",
    due_date: "2026-11-26",
  });
  assert.deepEqual(meaning(line, "tomorrow 9:00", "every month", "#home", "!high"), { title: line });
});

isLeftAlone(
  "Buy milk",
  "  Buy  milk,  two litres ",
  "",
  // # and ! in other places
  "Learn C#",
  "Fix issue#12 and C#sharp",
  "Ticket #42",
  "# Heading",
  "!",
  "Call now!",
  "!important ask",
  "Wow !highly",
  "a!high",
  // addresses
  "Read https://example.com/page#anchor",
  "Read https://example.com/2026-12-01/news?tomorrow#home",
  "www.example.com/#home",
  "Write to tomorrow@example.com",
  "Write to alice+friday#home@example.com",
  // numbers
  "Version 3.5",
  "Upgrade to 1.2.3",
  "Add 3/4 cup of flour",
  "Open 24/7",
  "Tell 5 of 10 people",
  "Read 1984",
  "Room 1030",
  "Meet at 10 Downing Street",
  "Chapter 9:12",
  "Run 10 days",
  "Meditate for 30 minutes",
  "12 eggs",
  "Return 31.12.2026",
  // what is over
  "Report of 1 January 2020",
  "Pay rent yesterday",
  "Photos from last week",
  "Pay 2026-11-25",
  "Sort receipts 2025-03-01",
  "Ask what she did 2 weeks ago",
  // not a point in time, or a part of something else
  "Read the sun",
  "Apocalypse Now",
  "Ask Jan and May about March",
  "Plan for next month",
  "Monday's report",
  "Cook tomorrow’s lunch",
  "Pre-Friday drinks",
  "Notes of Friday",
  "Ask about the Friday meeting",
  "Call before Friday",
  "Be there Monday to Friday",
  "Off on Tuesday and Thursday",
  'Watch "Tomorrow Never Dies"',
  'Sing "See you tomorrow maybe"',
  "Sing „Love me every day again“",
  "Watch “Friday” #1",
  // how often, which is not
  "Ask everyone",
  "Take one every 4 hours",
  "every 0 days",
  "every 1000 days",
  "every morning stretch",
  "Call everyday heroes",
  "Weekly report",
  "Choir every third Thursday of the month",
  "Be kind every day of the week",
  "Work every Monday to Friday",
  "Walk every day except Sunday",
  "Water every 2 or 3 days",
  "Meet on Friday or Saturday",
  "Meet Friday at 9 or 10",
  "Photos from Friday",
  "Ring every second",
  // numbers that look like dates and times
  "Call +49 30 555-1234",
  "Ping 192.168.1.1",
  "Buy a 16:9 monitor",
  "Order ISBN 978-3-16-148410-0",
  "Read RFC 5545 and Psalm 23:04",
  "Size 10-12, 50/50, 12/2025",
  "Python 3.12 in 2027",
  // other languages
  "Rendez-vous demain à 9:00",
  "Llamar mañana a las 9:00",
  "Am Montag Milch kaufen",
  "Treffen morgen um 9:00",
  "Am 1. August Miete zahlen",
  "Treffen um 9 am Montag",
  "Straße fegen, jeden zweiten Dienstag",
  "Συνάντηση αύριο 9:00",
  "Πληρωμή ενοικίου κάθε μήνα",
  "明日牛乳を買う",
);

means("Stretch every day", { title: "Stretch", repeat: "FREQ=DAILY", due_date: "2026-11-26" });

means("#home", { title: "", tags: ["home"] });
means("Buy milk #home", { title: "Buy milk", tags: ["home"] });
means("Buy #home milk #shop, #HOME!", { title: "Buy milk!", tags: ["home", "shop"] });
means("Essen #büro #Ταξίδι #2026goals", { title: "Essen", tags: ["büro", "Ταξίδι", "2026goals"] });
means("Buy milk !low", { title: "Buy milk", priority: "low" });
means("Buy milk !HIGH !low", { title: "Buy milk !low", priority: "high" });

means("Treffen morgen 9:00 #arbeit", { title: "Treffen morgen 9:00", tags: ["arbeit"] });
means("Call Jan tomorrow", { title: "Call Jan", due_date: "2026-11-27" });
means("Call Jan today", { title: "Call Jan", due_date: "2026-11-26" });
means("Tomorrow call Jan", { title: "call Jan", due_date: "2026-11-27" });
means("Call Jan on Friday about it", { title: "Call Jan about it", due_date: "2026-11-27" });
means("Call Jan tomorrow, then sleep", { title: "Call Jan, then sleep", due_date: "2026-11-27" });
means("Finish the report by Friday", { title: "Finish the report", due_date: "2026-11-27" });
means("Pay, due on 1 December", { title: "Pay", due_date: "2026-12-01" });
means("Pay 2027-01-31", { title: "Pay", due_date: "2027-01-31" });
means("Pay 26 November", { title: "Pay", due_date: "2026-11-26" });
means("Pay 25 November", { title: "Pay", due_date: "2027-11-25" });
means("Pay in 2 weeks", { title: "Pay", due_date: "2026-12-10" });
means("Dinner on sun", { title: "Dinner", due_date: "2026-11-29" });
means("Plan party this weekend", { title: "Plan party", due_date: "2026-11-28" });
means("Call at 16:30", { title: "Call", due_date: "2026-11-26", due_time: "16:30", time_zone });
means("Call at 9:00", { title: "Call", due_date: "2026-11-27", due_time: "09:00", time_zone });
means("Call 5pm", { title: "Call", due_date: "2026-11-26", due_time: "17:00", time_zone });
means("Call Friday noon", { title: "Call", due_date: "2026-11-27", due_time: "12:00", time_zone });
means("Call in 20 minutes", { title: "Call", due_date: "2026-11-26", due_time: "15:20", time_zone });
means("Συνάντηση tomorrow 9:00", {
  title: "Συνάντηση",
  due_date: "2026-11-27",
  due_time: "09:00",
  time_zone,
});

means("Water every 2 weeks", {
  title: "Water",
  repeat: "FREQ=WEEKLY;INTERVAL=2",
  due_date: "2026-11-26",
});
means("Bins every Tuesday", {
  title: "Bins",
  repeat: "FREQ=WEEKLY;BYDAY=TU",
  due_date: "2026-12-01",
});
means("Bins every second Tuesday from 8 December", {
  title: "Bins",
  repeat: "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU",
  due_date: "2026-12-08",
});
means("Stand-up every weekday at 9:30", {
  title: "Stand-up",
  repeat: "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR",
  due_date: "2026-11-27",
  due_time: "09:30",
  time_zone,
});
means("Run every Sunday, Wed and Fri", {
  title: "Run",
  repeat: "FREQ=WEEKLY;BYDAY=WE,FR,SU",
  due_date: "2026-11-27",
});
means("Backup every other day", {
  title: "Backup",
  repeat: "FREQ=DAILY;INTERVAL=2",
  due_date: "2026-11-26",
});
means("Clean every weekend", {
  title: "Clean",
  repeat: "FREQ=WEEKLY;BYDAY=SA,SU",
  due_date: "2026-11-28",
});
means("Pills every day 8:00", {
  title: "Pills",
  repeat: "FREQ=DAILY",
  due_date: "2026-11-27",
  due_time: "08:00",
  time_zone,
});
means("Renew every 3rd year", {
  title: "Renew",
  repeat: "FREQ=YEARLY;INTERVAL=3",
  due_date: "2026-11-26",
});

test("a time alone on the days of a rule is on the first of them", () => {
  const { due_date, due_time } = meaning("Choir every Tuesday 19:00");
  assert.deepEqual([due_date, due_time], ["2026-12-01", "19:00"]);
});

test("more tags than a task may have stay in the title, as one does that is too long", () => {
  const tags = Array.from({ length: 21 }, (_, index) => `#tag${index}`);
  const task = meaning(`Sort ${tags.join(" ")} #${"x".repeat(51)}`);
  assert.equal(task.tags?.length, 20);
  assert.equal(task.title, `Sort #tag20 #${"x".repeat(51)}`);
});

test("a text that is too long to be a title is left alone, quickly", () => {
  const text = "every day tomorrow #home ".repeat(20_000);
  assert.deepEqual(meaning(text), { title: text });
});

import assert from "node:assert/strict";
import { test } from "node:test";
import { addDays, dueWords, isOverdue, ownZone } from "../page/due";
import { firstDay, repeatWords } from "../page/repetition";

const NOW = new Date(2026, 10, 26, 15, 0); // a Thursday
type Text = string | null;
const due = (due_date: Text, due_time: Text = null, time_zone: Text = null) => ({
  due_date,
  due_time,
  time_zone,
});

test("a day is overdue when it is over, a time when it is past", () => {
  assert.equal(isOverdue(due(null), NOW), false);
  assert.equal(isOverdue(due("2026-11-25"), NOW), true);
  assert.equal(isOverdue(due("2026-11-26"), NOW), false);
  assert.equal(isOverdue(due("2026-11-26", "14:59"), NOW), true);
  assert.equal(isOverdue(due("2026-11-26", "15:01"), NOW), false);
  assert.equal(isOverdue(due("2026-11-27", "00:00"), NOW), false);
  assert.equal(isOverdue(due("0999-12-31", "09:00"), NOW), true);
});

test("a time counts in its own zone, which the browser may not know", () => {
  const noon = new Date("2026-11-26T12:00:00Z");
  assert.equal(isOverdue(due("2026-11-26", "20:30", "Asia/Tokyo"), noon), true); // 21:00 there
  assert.equal(isOverdue(due("2026-11-26", "07:30", "America/New_York"), noon), false);
  assert.equal(isOverdue(due("2026-11-20", "07:30", "Mars/Olympus"), noon), true);
});

test("a due date is said as near as it is", () => {
  const words = (...given: Parameters<typeof due>) => dueWords(due(...given), NOW);
  assert.equal(words("2026-11-26"), "Today");
  assert.equal(words("2026-11-27", "09:00", ownZone()), "Tomorrow, 09:00");
  assert.equal(words("2026-11-25"), "Yesterday");
  assert.equal(words("2026-12-02"), "Wednesday");
  assert.equal(words("2026-12-03"), "3 Dec");
  assert.equal(words("2027-01-01"), "1 Jan 2027");
  assert.equal(words("2026-12-03", "09:00", "America/New_York"), "3 Dec, 09:00 in New York");
  assert.equal(words("2026-12-03", "09:00"), "3 Dec, 09:00");
  assert.equal(addDays("2028-02-28", 2), "2028-03-01");
});

test("a rule is said in words, whatever it has", () => {
  const words: Record<string, string> = {
    "FREQ=DAILY": "Every day",
    "FREQ=WEEKLY;INTERVAL=2": "Every 2 weeks",
    "FREQ=WEEKLY;BYDAY=TU": "Every Tuesday",
    "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR": "Every weekday",
    "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR,SA":
      "Every Monday, Tuesday, Wednesday, Thursday, Friday and Saturday",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=TU,FR": "Every 2 weeks on Tuesday and Friday",
    "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,TU,WE,TH,FR":
      "Every 2 weeks on Monday, Tuesday, Wednesday, Thursday and Friday",
    "FREQ=MONTHLY;BYMONTHDAY=1,15": "Every month on the 1st and 15th",
    "FREQ=MONTHLY;BYMONTHDAY=-1": "Every month on the last day",
    "FREQ=MONTHLY;BYMONTHDAY=-2": "Every month on the 2nd last day",
    "FREQ=MONTHLY;BYDAY=-1FR": "Every month on the last Friday",
    "FREQ=MONTHLY;BYDAY=1MO,3MO": "Every month on the 1st Monday and the 3rd Monday",
    "FREQ=YEARLY;BYMONTH=1,7": "Every year in January and July",
    "FREQ=YEARLY;INTERVAL=4;BYMONTHDAY=29;BYMONTH=2": "Every 4 years on the 29th in February",
    "FREQ=DAILY;COUNT=3": "Every day, 3 times",
    "FREQ=DAILY;COUNT=1": "Every day, for the last time",
    "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR;UNTIL=20401231": "Every weekday, until 31 Dec 2040",
  };
  for (const [rule, said] of Object.entries(words)) assert.equal(repeatWords(rule), said);
});

test("a rule begins on the first of its days of the week", () => {
  assert.equal(firstDay("FREQ=WEEKLY;BYDAY=TH", "2026-11-26"), "2026-11-26");
  assert.equal(firstDay("FREQ=WEEKLY;BYDAY=MO,WE", "2026-11-26"), "2026-11-30");
  assert.equal(firstDay("FREQ=MONTHLY", "2026-11-26"), "2026-11-26");
});

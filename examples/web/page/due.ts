import type { Task } from "task-api-client";

type Due = Pick<Task, "due_date" | "due_time" | "time_zone">;

const WEEK = 7; // days
const UNKNOWN = "Etc/Unknown"; // what a browser says that does not know its time zone
const DAY_AND_TIME = {
  year: "numeric",
  month: "2-digit",
  day: "2-digit",
  hour: "2-digit",
  minute: "2-digit",
  hourCycle: "h23",
} as const;

const { timeZone: own } = Intl.DateTimeFormat().resolvedOptions();
const clocks = new Map<string | null, Intl.DateTimeFormat>(); // by zone; to make one takes long

/** The IANA time zone of the person, or null where the browser does not know. */
export function ownZone(): string | null {
  return !own || own === UNKNOWN ? null : own;
}

/** The day that it is for the person, such as `2026-12-01`. */
export function today(now = new Date()): string {
  return isoDay(now.getFullYear(), now.getMonth() + 1, now.getDate());
}

export function isoDay(year: number, month: number, day: number): string {
  return [String(year).padStart(4, "0"), pad(month), pad(day)].join("-");
}

/** The day that many days later. */
export function addDays(day: string, days: number): string {
  const date = utc(day);
  date.setUTCDate(date.getUTCDate() + days);
  return date.toISOString().slice(0, 10);
}

/** 0 is Sunday. */
export function weekday(day: string): number {
  return utc(day).getUTCDay();
}

/** Whether the day is over, or the time is; a time counts in its own time zone. */
export function isOverdue({ due_date, due_time, time_zone }: Due, now = new Date()): boolean {
  if (due_date === null) return false;
  if (due_time === null) return due_date < today(now);
  return `${due_date} ${due_time}` <= onTheWall(now, time_zone);
}

/** Such as `Today`, `Friday, 09:00` or `1 Dec 2027, 09:00 in New York`. */
export function dueWords(due: Due, now = new Date()): string {
  const { due_date, due_time, time_zone } = due;
  if (due_date === null) return "";
  const day = dayWords(due_date, today(now));
  if (due_time === null) return day;
  const isElsewhere = time_zone !== null && time_zone !== ownZone();
  return `${day}, ${due_time}${isElsewhere ? ` in ${placeOf(time_zone)}` : ""}`;
}

/** Words of `dueWords` within a sentence. */
export function inSentence(words: string): string {
  return words.replace(/^(?=Today|Tomorrow|Yesterday)./, (letter) => letter.toLowerCase());
}

function dayWords(day: string, today: string): string {
  const date = utc(day);
  if (day === today) return "Today";
  if (day === addDays(today, 1)) return "Tomorrow";
  if (day === addDays(today, -1)) return "Yesterday";
  if (day > today && day < addDays(today, WEEK))
    return date.toLocaleDateString("en", { weekday: "long", timeZone: "UTC" });
  return dateWords(day, day.slice(0, 4) !== today.slice(0, 4));
}

/** Such as `1 Dec 2026`, or `1 Dec`. */
export function dateWords(day: string, hasYear: boolean): string {
  return utc(day).toLocaleDateString("en-GB", {
    day: "numeric",
    month: "short",
    ...(hasYear && { year: "numeric" }),
    timeZone: "UTC",
  });
}

/** The last part of the name of a time zone: `America/New_York` is `New York`. */
function placeOf(zone: string): string {
  return zone.split("/").at(-1)!.replaceAll("_", " ");
}

/** What calendar and clock say there: `2026-12-01 09:30`. */
function onTheWall(now: Date, zone: string | null): string {
  const clock = clocks.get(zone) ?? clockOf(zone);
  clocks.set(zone, clock);
  const parts = clock.formatToParts(now);
  const { year, month, day, hour, minute } = Object.fromEntries(
    parts.map(({ type, value }) => [type, value]),
  );
  return `${year!.padStart(4, "0")}-${month}-${day} ${hour}:${minute}`;
}

/** The person's own for a zone that the browser does not know: its tz database may be old. */
function clockOf(zone: string | null): Intl.DateTimeFormat {
  try {
    return new Intl.DateTimeFormat("en", { ...DAY_AND_TIME, timeZone: zone ?? undefined });
  } catch {
    return new Intl.DateTimeFormat("en", DAY_AND_TIME);
  }
}

function utc(day: string): Date {
  return new Date(`${day}T00:00:00Z`);
}

function pad(number: number): string {
  return String(number).padStart(2, "0");
}

// Recurrence rules (RFC 5545, section 3.3.10), as people say them. The API computes their days.
import { addDays, dateWords, weekday } from "./due";

const UNITS = { DAILY: "day", WEEKLY: "week", MONTHLY: "month", YEARLY: "year" } as const;
export type Frequency = keyof typeof UNITS;

export const WEEKDAYS = "FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR";
const WEEKEND = "FREQ=WEEKLY;BYDAY=SA,SU";
export const MAX_INTERVAL = 999;

const DAYS = ["SU", "MO", "TU", "WE", "TH", "FR", "SA"]; // as Date counts them
const DAY_NAMES = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"];
const MONTHS = Array.from({ length: 12 }, (_, month) =>
  new Date(Date.UTC(2000, month)).toLocaleDateString("en", { month: "long", timeZone: "UTC" }),
);

const COUNTS: Record<string, number> = { other: 2, second: 2, third: 3, fourth: 4 };
const COUNT = String.raw`(?:(other|second|third|fourth|\d{1,3})(?:st|nd|rd|th)?\s+)?`;
const DAY = String.raw`(?:sun|mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|sat(?:ur)?)(?:day)?s?`;
const DAY_LIST = String.raw`${DAY}(?:(?:\s*,\s*(?:and\s+)?|\s+and\s+|\s*&\s*)${DAY})*`;
const UNIT = String.raw`days?|weeks?|months?|years?|weekdays?|workdays?|weekends?`;

// What would make another rule of it, as in every third Thursday of the month.
const MORE = String.raw`of|to|through|until|till|and|or|but|except|unless|if`;
const END = String.raw`(?![\p{L}\p{N}\p{M}_'’]|\s*[-–&,]\s*\S|\s+(?:${MORE})\b)`;

/** Finds where a text says how often, such as `every 2 weeks`. */
export const EVERY = new RegExp(
  String.raw`(?<![^\s])(?:every|each)\s+${COUNT}(${UNIT}|${DAY_LIST})${END}`,
  "giu",
);

/** The rule that a match of `EVERY` means, or undefined for one that the API does not take. */
export function ruleOf([, count = "1", unit = ""]: RegExpExecArray): string | undefined {
  const interval = COUNTS[count.toLowerCase()] ?? Number(count);
  if (interval < 1) return undefined;
  const word = unit.toLowerCase().replace(/s$/, "");
  const frequency = frequencies().find((each) => UNITS[each] === word);
  if (frequency) return simpleRule(frequency, interval);
  if (/^(weekday|workday|weekend)$/.test(word))
    return interval > 1 ? undefined : word === "weekend" ? WEEKEND : WEEKDAYS;
  const named = new Set(unit.toLowerCase().match(/\b(?:su|mo|tu|we|th|fr|sa)/g));
  const days = [...DAYS.slice(1), DAYS[0]!].filter((day) => named.has(day.toLowerCase()));
  return `${simpleRule("WEEKLY", interval)};BYDAY=${days.join(",")}`;
}

export function simpleRule(frequency: Frequency, interval: number): string {
  return `FREQ=${frequency}${interval > 1 ? `;INTERVAL=${interval}` : ""}`;
}

/** Frequency and interval of a rule that has nothing else. */
export function simplePartsOf(rule: string): [Frequency, number] | undefined {
  const { FREQ, INTERVAL = "1", ...rest } = partsOf(rule);
  if (Object.keys(rest).length > 0) return undefined;
  return [FREQ as Frequency, Number(INTERVAL)];
}

/** The first day of a rule from that one on: one of its days of the week, if it has some. */
export function firstDay(rule: string, from: string): string {
  const days = partsOf(rule).BYDAY?.split(",") ?? [];
  const week = Array.from({ length: 7 }, (_, days) => addDays(from, days));
  return week.find((day) => days.includes(DAYS[weekday(day)]!)) ?? from;
}

/** Such as `Every 2 weeks on Tuesday`. */
export function repeatWords(rule: string): string {
  const { FREQ, INTERVAL = "1", BYDAY, BYMONTHDAY, BYMONTH, COUNT, UNTIL } = partsOf(rule);
  const unit = UNITS[FREQ as Frequency];
  const every = INTERVAL === "1" ? `Every ${unit}` : `Every ${INTERVAL} ${unit}s`;
  const days = BYDAY === undefined ? [] : BYDAY.split(",").map(dayName);
  const words = [every];
  if (days.length > 0 && FREQ === "WEEKLY" && INTERVAL === "1")
    words[0] = WEEKDAYS.endsWith(`=${BYDAY}`) ? "Every weekday" : `Every ${and(days)}`;
  else if (days.length > 0) words.push(`on ${and(days)}`);
  if (BYMONTHDAY) words.push(`on the ${and(BYMONTHDAY.split(",").map(dayOfMonth))}`);
  if (BYMONTH) words.push(`in ${and(BYMONTH.split(",").map((month) => MONTHS[+month - 1]!))}`);
  const end = COUNT
    ? `, ${COUNT === "1" ? "for the last time" : `${COUNT} times`}`
    : UNTIL
      ? `, until ${dateWords(UNTIL.replace(/^(....)(..)/, "$1-$2-"), true)}`
      : "";
  return words.join(" ") + end;
}

export function unitWords(frequency: Frequency, interval: number): string {
  return UNITS[frequency] + (interval === 1 ? "" : "s");
}

/** `TU` is Tuesday, `-1FR` the last Friday. */
function dayName(day: string): string {
  const name = DAY_NAMES[DAYS.indexOf(day.slice(-2))]!;
  return day.length === 2 ? name : `the ${nth(day.slice(0, -2))} ${name}`;
}

function dayOfMonth(number: string): string {
  return number.startsWith("-") ? `${nth(number)} day` : nth(number);
}

function nth(number: string): string {
  const value = Math.abs(+number);
  const ending = { one: "st", two: "nd", few: "rd" } as Record<string, string>;
  const kind = new Intl.PluralRules("en", { type: "ordinal" }).select(value);
  const ordinal = `${value}${ending[kind] ?? "th"}`;
  if (+number > 0) return ordinal;
  return value === 1 ? "last" : `${ordinal} last`;
}

function and(words: string[]): string {
  return new Intl.ListFormat("en-GB").format(words);
}

function frequencies(): Frequency[] {
  return Object.keys(UNITS) as Frequency[];
}

function partsOf(rule: string): Record<string, string> {
  return Object.fromEntries(rule.split(";").map((part) => part.split("=") as [string, string]));
}

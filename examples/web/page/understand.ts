import { casual, type ParsedResult } from "chrono-node/en";
import type { NewTask } from "task-api-client";
import { isoDay, ownZone, today } from "./due";
import { isBlank, TAG_MAX, TAGS_MAX } from "./limits";
import { EVERY, firstDay, ruleOf } from "./repetition";

/** Words that say something about a task; `words` is how they are typed. */
export type Part = {
  kind: "due" | "repeat" | "tag" | "priority";
  start: number;
  end: number;
  words: string;
};

/** What a line says: the title that is left of it, and what its parts mean. */
export type Understood = { title: string; parts: Part[]; task: NewTask };

type When = { due_date: string; due_time?: string; time_zone?: string | null };

const MAX_LENGTH = 1_000; // UTF-16 units; no title is as long

// What is not read for dates, tags and the rest: addresses, and what stands in quotation marks.
const OPAQUE = /\S*(?::\/\/|@|www\.)\S*|"[^"]*"|“[^”]*”|„[^“”]*[“”]|«[^»]*»/gu;
const TAG = /(?<!\S)#([^\s,#\p{Cc}]*[\p{L}\p{N}\p{M}\p{S}_])[^\s\p{L}\p{N}]*(?!\S)/gu;
const PRIORITY = /(?<!\S)!(high|medium|low)(?![^\s.,;])/giu;

// Dates that are not certain enough to take them out of a title.
const NUMERIC = /(?<![\d-])\d{1,2}[./-]\d{1,2}/; // whose month is it? or a fraction, or a version
const DURATION = /\d\s*(?:s|sec|m|min|h|hr|hour|day|week|month|year)/i;
const AHEAD = /^(?:in|within|\+)/i;
const WORDS_OF_THEIR_OWN = /^(?:now|sun|sat|mon|wed|weekend)$/i;
const CLOCK = /\d:\d\d|\d\s*[ap]\.?m\b/i;
const ENGLISH_CLOCK = /\d[ap]m$|\d\s*pm$/i; // in German, 9 am Montag is another thing
const INTRODUCTION = /(?<!\S)(?:(?:due|by|on|at|@)\s+){1,2}$/i;
const BEGINNING = /(?<!\S)(?:from|starting|beginning)(?:\s+(?:on|at))?\s+$/i; // of what repeats
const RELATIONS =
  "a|the|of|for|to|than|between|about|before|after|since|from|till|until|except|but";
const ORDINALS = "last|every|each|other|first|second|third|fourth|\\d(?:st|nd|rd|th)";
const RELATION = new RegExp(`(?<!\\S)(?:${RELATIONS}|${ORDINALS})\\s+$`, "i");
const ALTERNATIVE = /^\s+(?:or|of|to|till|until|through)\s/i;
const BETWEEN = /^\s*(?:and|or|to|till|until|&|,|\/|-|–)\s*$/i;

/**
 * Reads a line such as `Pay rent tomorrow 9:00 every month #home !high`. What is not certain stays
 * in the title, as do the words in `kept`, which the person wants there.
 */
export function understand(
  text: string,
  kept: ReadonlySet<string> = new Set(),
  now = new Date(),
): Understood {
  if (text.length > MAX_LENGTH) return { title: text, parts: [], task: { title: text } };
  const line = new Line(text, kept);
  line.hide(OPAQUE);
  const tags = readTags(line);
  const priority = line.take("priority", PRIORITY, ([, word]) => word!.toLowerCase());
  const repeat = line.take("repeat", EVERY, ruleOf);
  const when = readWhen(line, now, repeat);
  const title = line.rest();
  return {
    title,
    parts: line.parts,
    task: {
      title,
      ...(tags.length > 0 && { tags }),
      ...(priority !== undefined && { priority: priority as NewTask["priority"] }),
      ...(repeat !== undefined && { repeat }),
      ...when,
    },
  };
}

/** How words are named in `kept`: for the same ones typed again, too. */
export function nameOf({ words }: Pick<Part, "words">): string {
  return words.toLowerCase();
}

/** A text, of which parts are taken; what is taken or hidden is not seen by those who read on. */
class Line {
  readonly parts: Part[] = [];
  /** The text, of the same length, with a placeholder for what is not to be read. */
  visible: string;

  constructor(
    readonly text: string,
    readonly kept: ReadonlySet<string>,
  ) {
    this.visible = text;
  }

  hide(pattern: RegExp): void {
    this.visible = this.visible.replace(pattern, (match) => "\u2060".repeat(match.length));
  }

  /** Takes the first match that means something, and returns what. */
  take<T>(kind: Part["kind"], pattern: RegExp, meaning: (match: RegExpExecArray) => T | undefined) {
    for (const match of this.visible.matchAll(pattern)) {
      const found = meaning(match);
      if (found !== undefined && this.cut(kind, match.index, match.index + match[0].length))
        return found;
    }
    return undefined;
  }

  /** Whether these words are a part now: not if they are to be kept. */
  cut(kind: Part["kind"], start: number, end: number): boolean {
    const part = { kind, start, end, words: this.text.slice(start, end) };
    if (this.kept.has(nameOf(part))) return false;
    this.parts.push(part);
    this.parts.sort((a, b) => a.start - b.start);
    this.visible =
      this.visible.slice(0, start) + "\u2060".repeat(end - start) + this.visible.slice(end);
    return true;
  }

  /** Whether it is said how often next to those words, with only white space between. */
  repeatsBeside(start: number, end: number): boolean {
    return this.parts.some(
      (part) =>
        part.kind === "repeat" &&
        ((part.end <= start && isBlank(this.text.slice(part.end, start))) ||
          (part.start >= end && isBlank(this.text.slice(end, part.start)))),
    );
  }

  /** The text without its parts; as it is if there is none. */
  rest(): string {
    if (this.parts.length === 0) return this.text;
    let rest = "";
    let from = 0;
    for (const { start, end } of [...this.parts, { start: this.text.length, end: 0 }]) {
      const piece = this.text.slice(from, start);
      from = end;
      if (/^\s*[,;]?\s*$/.test(piece)) continue; // what separates two parts
      rest += (rest && /^\s/.test(piece) ? " " : "") + piece.trim();
    }
    return rest.replace(/[,;]$/, "");
  }
}

function readTags(line: Line): string[] {
  const tags: string[] = [];
  for (const { 0: match, 1: tag = "", index } of line.visible.matchAll(TAG)) {
    const end = index + match.indexOf(tag) + tag.length;
    const fits = /\p{L}/u.test(tag) && [...tag].length <= TAG_MAX && tags.length < TAGS_MAX;
    if (fits && line.cut("tag", index, end) && !tags.some((each) => isSame(each, tag)))
      tags.push(tag);
  }
  return tags;
}

function isSame(one: string, other: string): boolean {
  return one.toLowerCase() === other.toLowerCase();
}

/** When it is due; a task that repeats begins on the first day of its rule, if no day is given. */
function readWhen(line: Line, now: Date, repeat: string | undefined): When | undefined {
  const results = casual.parse(line.visible, now, { forwardDate: true });
  const certain = results.filter((result, index) => {
    const [before, after] = [results[index - 1], results[index + 1]];
    return !isLinked(line.text, before, result) && !isLinked(line.text, result, after);
  });
  for (const result of certain) {
    const when = whenOf(result, now);
    const { index } = result;
    const end = index + result.text.length;
    const before = line.visible.slice(0, index);
    const beginning = repeat === undefined ? null : BEGINNING.exec(before);
    const start = (beginning ?? INTRODUCTION.exec(before))?.index ?? index;
    if (!when || !isCertain(line, result, start, end) || !line.cut("due", start, end)) continue;
    if (repeat === undefined || hasDay(result)) return when;
    return { ...when, due_date: firstDay(repeat, when.due_date) };
  }
  return repeat === undefined ? undefined : { due_date: firstDay(repeat, today(now)) };
}

/** Whether both belong together, as in `Monday to Friday`. */
function isLinked(text: string, one?: ParsedResult, other?: ParsedResult): boolean {
  if (!one || !other) return false;
  return BETWEEN.test(text.slice(one.index + one.text.length, other.index));
}

function isCertain(line: Line, result: ParsedResult, start: number, end: number): boolean {
  const { text } = result;
  const [before, after] = [line.visible.slice(0, start), line.visible.slice(end)];
  if (/\S$/.test(before) || /^[^\s.,;:!?]|^[.,;:!?]\S/.test(after)) return false;
  if (ALTERNATIVE.test(after)) return false;
  if (RELATION.test(before) || WORDS_OF_THEIR_OWN.test(text.trim())) return false;
  if (NUMERIC.test(text) || (DURATION.test(text) && !CLOCK.test(text) && !AHEAD.test(text)))
    return false;
  if (hasDay(result)) return true;
  // A time alone may be anything, such as a verse or the end of a sentence in another language.
  const isIntroduced = /(?:at|@)\s+$/i.test(line.visible.slice(0, result.index));
  if (isIntroduced || text.startsWith("at ") || ENGLISH_CLOCK.test(text)) return true;
  return line.repeatsBeside(start, end);
}

function hasDay({ start }: ParsedResult): boolean {
  return start.isCertain("day") || start.isCertain("weekday");
}

/** The day, and the time in the person's zone; undefined for what is over or is no moment. */
function whenOf(result: ParsedResult, now: Date): When | undefined {
  const { start, end, text } = result;
  const hasTime =
    start.isCertain("hour") && start.isCertain("minute") && (hasDay(result) || CLOCK.test(text));
  if (end || (!hasDay(result) && !hasTime)) return undefined;
  const date = start.date();
  const thisYear = isoDay(now.getFullYear(), date.getMonth() + 1, date.getDate());
  const found = isoDay(date.getFullYear(), date.getMonth() + 1, date.getDate());
  const isYearless = start.isCertain("day") && !start.isCertain("year");
  const due_date = isYearless && thisYear === today(now) ? thisYear : found;
  if (due_date < today(now) || due_date.length > "9999-12-31".length) return undefined;
  if (!hasTime) return { due_date };
  const due_time = date.toTimeString().slice(0, "09:00".length);
  return { due_date, due_time, time_zone: ownZone() };
}

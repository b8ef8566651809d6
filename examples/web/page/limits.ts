// The API's limits (openapi.json), said in the page's words before anything is sent. Lengths are in
// code points, as the API counts them: a letter outside the basic plane is one character.
const TITLE_MAX = 200;
const DESCRIPTION_MAX = 10_000;
export const TAGS_MAX = 20;
export const TAG_MAX = 50;
const SEARCH_MAX = 200;
const SEARCH_WORDS_MAX = 10;
const SEARCH_WORD_MAX = 64;

const EDGES = /^\p{White_Space}+|\p{White_Space}+$/gu;
const VISIBLE = /[^\p{White_Space}\p{Cc}\p{Default_Ignorable_Code_Point}\u2800\ufff0-\ufff8]/u;

/** Without the white space around it, which the API cuts off. */
export function trimmed(text: string): string {
  return text.replace(EDGES, "");
}

/** Whether nothing of it can be seen: spaces, controls, zero-width characters. */
export function isBlank(text: string): boolean {
  return !VISIBLE.test(text);
}

/** What is wrong with a title, in a sentence, or nothing. */
export function titleComplaint(title: string): string | undefined {
  if (isBlank(title)) return "A task needs a title.";
  return tooLong("The title", [...trimmed(title)].length, TITLE_MAX);
}

/** What is wrong with a description, in a sentence, or nothing. */
export function descriptionComplaint(description: string): string | undefined {
  return tooLong("The description", [...description].length, DESCRIPTION_MAX);
}

/** What is wrong with tags, in a sentence, or nothing. */
export function tagsComplaint(tags: readonly string[]): string | undefined {
  if (tags.length > TAGS_MAX)
    return `A task has ${TAGS_MAX} tags at most; these are ${tags.length}.`;
  const long = tags.find((tag) => [...tag].length > TAG_MAX);
  return long && tooLong(`The tag “${long}”`, [...long].length, TAG_MAX);
}

/** What is wrong with a search, in a sentence, or nothing. */
export function searchComplaint(search: string): string | undefined {
  const words = search.split(/\s+/).filter(Boolean);
  if (words.length > SEARCH_WORDS_MAX)
    return `Search takes ${SEARCH_WORDS_MAX} words at most; these are ${words.length}.`;
  if (words.some((word) => [...word].length > SEARCH_WORD_MAX))
    return `Search takes words of ${SEARCH_WORD_MAX} characters at most.`;
  return tooLong("The search", [...trimmed(search)].length, SEARCH_MAX);
}

function tooLong(what: string, length: number, max: number): string | undefined {
  if (length <= max) return undefined;
  const [has, most] = [length, max].map((number) => number.toLocaleString("en"));
  const excess = (length - max).toLocaleString("en");
  return `${what} is too long: ${has} characters, and ${most} fit. Shorten it by ${excess}.`;
}

/** The word for a code that comes as data; a code that this version does not know is shown as it came. */
export function known(words: Readonly<Record<string, string>>, code: string): string {
  return Object.hasOwn(words, code) ? (words[code] ?? code) : code
}

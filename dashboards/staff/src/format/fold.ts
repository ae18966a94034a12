/**
 * One form for all spellings of a name: IŞIK, ışık and Isik meet in "isik". The Turkish lower case comes first, since the
 * plain one turns İ into two characters.
 */
export function fold(text: string): string {
  return text.toLocaleLowerCase('tr').normalize('NFD').replace(/\p{M}/gu, '').replace(/ı/g, 'i')
}

/** Where `needle` stands in `text`, folded on both sides: [start, end) in the letters of `text`, or null. */
export function findFolded(text: string, needle: string): readonly [number, number] | null {
  const sought = fold(needle.trim())
  if (sought === '') return null
  const letters = Array.from(text)
  const folded = letters.map(fold)
  const at = folded.join('').indexOf(sought)
  if (at < 0) return null
  let passed = 0
  let start = -1
  let position = 0
  for (const [index, letter] of letters.entries()) {
    const length = folded[index]?.length ?? 0
    if (start < 0 && passed + length > at) start = position
    passed += length
    position += letter.length
    if (passed >= at + sought.length) return [start, position]
  }
  return null
}

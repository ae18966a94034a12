/** Check digit of a tax number (VKN, ten digits) by the rule of the Revenue Administration. */
export function isTaxNumber(text: string): boolean {
  if (!/^\d{10}$/.test(text)) return false
  const digits = Array.from(text, Number)
  let sum = 0
  for (let i = 1; i <= 9; i += 1) {
    const shifted = ((digits[i - 1] ?? 0) + 10 - i) % 10
    if (shifted !== 0) sum += (shifted * 2 ** (10 - i)) % 9 || 9
  }
  return (10 - (sum % 10)) % 10 === digits[9]
}

/** Check digits of a national id (TCKN, eleven digits, the first not zero). */
export function isNationalId(text: string): boolean {
  if (!/^[1-9]\d{10}$/.test(text)) return false
  const digits = Array.from(text, Number)
  const at = (index: number): number => digits[index] ?? 0
  const odd = at(0) + at(2) + at(4) + at(6) + at(8)
  const even = at(1) + at(3) + at(5) + at(7)
  const tenth = (((odd * 7 - even) % 10) + 10) % 10
  const eleventh = digits.slice(0, 10).reduce((a, b) => a + b, 0) % 10
  return tenth === at(9) && eleventh === at(10)
}

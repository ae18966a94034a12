/** Gives a whole number from 0 up to, but not including, `below`. */
export type Random = (below: number) => number

/** Mulberry32: a small generator whose whole run follows from its seed, the same on every machine. */
export function random(seed: number): Random {
  let state = seed
  return (below) => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below
  }
}

export function oneOf<Item>(items: readonly [Item, ...Item[]], pick: Random): Item {
  return items[pick(items.length)] ?? items[0]
}

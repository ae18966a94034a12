import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's root lies four folders above the compiled test; the vectors lie beside the repository, or are not there. */
const vectors = resolve(dirname(fileURLToPath(import.meta.url)), '../../../..', '../shared/vectors')

/** Frames of a folder of `.hex` files. */
export function hexFiles(folder: string): Uint8Array[] {
  const place = resolve(vectors, folder)
  if (!existsSync(place)) return []
  return readdirSync(place)
    .filter((name) => name.endsWith('.hex'))
    .sort()
    .map((name) => Buffer.from(readFileSync(resolve(place, name), 'latin1').replace(/[^0-9A-Fa-f]/g, ''), 'hex'))
}

/** What a file of the set holds, or undefined where the set is not there. */
export function vectorText(name: string): string | undefined {
  const place = resolve(vectors, name)
  return existsSync(place) ? readFileSync(place, 'utf8') : undefined
}

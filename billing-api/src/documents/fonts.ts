import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fontFromWoff } from './woff.js'

/**
 * Families as templates name them. A document never uses a font of the machine it is made on: it would look another way
 * elsewhere. IBM Plex in its web subsets: `ğ ş Ğ Ş İ ₺` live in the extended one.
 */
const faces: readonly { readonly family: string; readonly face: 'sans' | 'mono'; readonly weights: readonly number[] }[] = [
  { family: 'Endeks Sans', face: 'sans', weights: [400, 500, 600] },
  { family: 'Endeks Mono', face: 'mono', weights: [400] }
]

const subsets = [
  { subset: 'latin', suffix: '' },
  { subset: 'latin-ext', suffix: ' Ext' }
] as const

export function documentFonts(): Buffer[] {
  const { resolve } = createRequire(import.meta.url)
  return faces.flatMap(({ family, face, weights }) =>
    weights.flatMap((weight) =>
      subsets.map(({ subset, suffix }) => {
        const file = resolve(`@fontsource/ibm-plex-${face}/files/ibm-plex-${face}-${subset}-${weight}-normal.woff`)
        return fontFromWoff(readFileSync(file), `${family}${suffix}`)
      })
    )
  )
}

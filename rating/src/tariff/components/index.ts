import Type, { type Static } from 'typebox'
import { allowance } from './allowance/index.js'
import type { ComponentKind } from './component.js'
import { fixed } from './fixed/index.js'
import { maximum } from './maximum/index.js'
import { minimum } from './minimum/index.js'
import { packages } from './package/index.js'
import { percent } from './percent/index.js'
import { tiers } from './tiers/index.js'

/** Every kind of component that a tariff may have. A new one is its folder and a line here. */
const kinds = { tiers, percent, fixed, minimum, maximum, allowance, package: packages } as const

export type ComponentDefinition = Static<(typeof kinds)[keyof typeof kinds]['schema']>

export const componentKindNames: readonly string[] = Object.keys(kinds)

export const ComponentDefinition = Type.Unsafe<ComponentDefinition>(Type.Union(Object.values(kinds).map((kind) => kind.schema)))

/** The kind of that name, or undefined when there is none. */
export function componentKind(name: string): ComponentKind | undefined {
  const known: Readonly<Record<string, ComponentKind>> = kinds
  return Object.hasOwn(known, name) ? known[name] : undefined
}

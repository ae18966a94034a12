import type { ReactNode } from 'react'

/** Names and values in two columns; what is null is left out. */
export function Pairs({ of }: { readonly of: readonly (readonly [string, ReactNode] | null)[] }) {
  const given = of.filter((pair) => pair !== null)
  return (
    <dl className="pairs">
      {given.map(([name, value]) => (
        <Pair key={name} name={name} value={value} />
      ))}
    </dl>
  )
}

function Pair({ name, value }: { readonly name: string; readonly value: ReactNode }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </>
  )
}

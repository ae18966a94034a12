import type { ReactNode } from 'react'

export function Step({
  no,
  title,
  note,
  children
}: {
  readonly no: number
  readonly title: string
  readonly note?: ReactNode
  readonly children: ReactNode
}) {
  return (
    <section className="step" data-testid={`step-${no}`}>
      <h3>
        <span className="no">{no}</span>
        <span>{title}</span>
        {note !== undefined && (
          <span className="dim" style={{ fontWeight: 400 }}>
            {note}
          </span>
        )}
      </h3>
      {children}
    </section>
  )
}

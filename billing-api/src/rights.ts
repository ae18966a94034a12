export const roles = ['admin', 'clerk'] as const
export type Role = (typeof roles)[number]

/** Everything that can be allowed, and which roles are. What is not here is nobody's. */
export const rights = {
  'overview.read': ['admin', 'clerk'],
  'participants.read': ['admin', 'clerk'],
  'participants.write': ['admin', 'clerk'],
  'subscriptions.read': ['admin', 'clerk'],
  'subscriptions.write': ['admin', 'clerk'],
  'service-points.read': ['admin', 'clerk'],
  'service-points.write': ['admin'],
  'meters.read': ['admin', 'clerk'],
  'meters.write': ['admin'],
  'readings.read': ['admin', 'clerk'],
  'readings.write': ['admin', 'clerk'],
  'tariffs.read': ['admin', 'clerk'],
  'tariffs.publish': ['admin'],
  'bill-runs.read': ['admin', 'clerk'],
  'bill-runs.start': ['admin', 'clerk'],
  'bill-runs.issue': ['admin'],
  'bill-runs.abandon': ['admin'],
  'invoices.read': ['admin', 'clerk'],
  'collections.read': ['admin', 'clerk'],
  'collections.take': ['admin', 'clerk'],
  'gateways.read': ['admin', 'clerk'],
  'gateways.write': ['admin'],
  'downlinks.read': ['admin', 'clerk'],
  'downlinks.read-now': ['admin', 'clerk'],
  'downlinks.set-clock': ['admin'],
  'downlinks.valve': ['admin'],
  'downlinks.credit': ['admin'],
  'meter-keys.read': ['admin'],
  'meter-keys.write': ['admin'],
  'site.import': ['admin']
} as const satisfies Record<string, readonly Role[]>

export type Right = keyof typeof rights

/** What a route asks of its caller: a right, only a session, or nothing. */
export type Access = Right | 'signed-in' | 'public'

export function isAccess(text: unknown): text is Access {
  return typeof text === 'string' && (text === 'signed-in' || text === 'public' || Object.hasOwn(rights, text))
}

export function mayDo(role: Role, right: Right): boolean {
  const allowed: readonly Role[] = rights[right]
  return allowed.includes(role)
}

export function rightsOf(role: Role): Right[] {
  return (Object.keys(rights) as Right[]).filter((right) => mayDo(role, right))
}

import { accountsTr } from './tr/accounts.js'
import { billingTr } from './tr/billing.js'
import { frameTr } from './tr/frame.js'

/** Words on screen, Turkish. The other languages have the type of this one: a key that is missing there does not compile. */
export const tr = { ...frameTr, ...accountsTr, ...billingTr }

export type Messages = typeof tr

import { accountsEn } from './en/accounts.js'
import { billingEn } from './en/billing.js'
import { frameEn } from './en/frame.js'
import type { Messages } from './tr.js'

export const en: Messages = { ...frameEn, ...accountsEn, ...billingEn }

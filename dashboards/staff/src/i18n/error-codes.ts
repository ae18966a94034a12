import type { ErrorCode } from '@endeks/domain/errors'

/** What can go wrong before an answer of the server arrives, or with the answer itself. */
export type ClientCode = 'OFFLINE' | 'ANSWER_UNREADABLE'

/** A code of the server's catalogue without a text in a language does not compile. */
export type ErrorTexts = Readonly<Record<ErrorCode | ClientCode, string>>

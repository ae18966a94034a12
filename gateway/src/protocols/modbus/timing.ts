import type { LinePlace } from '../../line/index.js'

/** The waits of one line. */
export interface Timing {
  /** RTU: so long the line is silent before a request (Modbus over Serial Line V1.02, 2.5.1.1) */
  readonly gapMs: number
  /** RTU: so long nothing comes after an answer that was none, before it counts as over */
  readonly quietMs: number
  /** from the first byte of a request to the last of its answer */
  answerWithinMs(requestBytes: number, answerBytes: number): number
  /** the same where nobody may be: a scan asks hundreds of units */
  readonly scanWithinMs: number
}

/** 2.4.1: "typically the response time-out is from 1 s to several seconds at 9600 bps"; the frames come on top at slower ones. */
const turnaroundMs = 1_000
const scanTurnaroundMs = 200
/** A converter's own way and its own time-out, which are not known. */
const overTcpMs = 3_000
const scanOverTcpMs = 1_000
/** 2.5.1: eleven bits a character, with parity or with a second stop bit. */
const bitsPerCharacter = 11
/** 2.5.1.1: above 19200 bps the silence is fixed. */
const fastBaudRate = 19_200
const fastGapMs = 1.75
const longestIdentification = 256

/** @param answerWithinMs as the site file has it; undefined: what the standard and the speed say */
export function timingOf(place: LinePlace, answerWithinMs: number | undefined): Timing {
  if (place.kind === 'tcp') {
    const withinMs = answerWithinMs ?? overTcpMs
    return { gapMs: 2, quietMs: 200, answerWithinMs: () => withinMs, scanWithinMs: Math.min(withinMs, scanOverTcpMs) }
  }
  const characterMs = (bitsPerCharacter * 1_000) / place.baudRate
  const scanMs = Math.ceil(scanTurnaroundMs + 16 * characterMs)
  return {
    gapMs: Math.ceil(place.baudRate > fastBaudRate ? fastGapMs : 3.5 * characterMs),
    quietMs: 100,
    answerWithinMs: (requestBytes, answerBytes) =>
      answerWithinMs ?? Math.ceil(turnaroundMs + (requestBytes + Math.min(answerBytes, longestIdentification)) * characterMs),
    scanWithinMs: Math.min(answerWithinMs ?? scanMs, scanMs)
  }
}

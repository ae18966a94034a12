import { compare } from '../measure.js'
import { addAll } from './bare.js'
import { households, rateAll } from './bills.js'

const inputs = households(4_096)
const speeds = compare({ subject: rateAll(inputs), limit: addAll(inputs), count: 100_000, rounds: 7 })

console.log(
  JSON.stringify({
    question: 'rating-core',
    figures: { billsPerSecond: Math.round(speeds.subject) },
    limit: { billsPerSecond: Math.round(speeds.limit) },
    ratio: Number((speeds.subject / speeds.limit).toFixed(3))
  })
)

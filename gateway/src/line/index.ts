export { Line, type LineFailure, type Receiver } from './line.js'
export { formatPlace, type LinePlace, lineFields, namesOnePlace, onePlace, placeOf, type SerialSettings } from './place.js'

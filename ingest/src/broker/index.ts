export { noKillPoint } from '../kill-points.js'
export { noStatistics } from '../statistics.js'
export { Broker } from './broker.js'
export { Credentials } from './credentials.js'

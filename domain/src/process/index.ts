export { systemClock } from './clock.js'
export { type ConfigProblem, checkConfig, configInvalid, loadConfig, loadJsonFile, problemsOf } from './config.js'
export { createLog, type Log } from './log.js'
export { type RunningProcess, runProcess } from './run.js'

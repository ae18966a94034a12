export { type ImportedKeys, type KeyFileProblem, keyNamePattern, mostKeyFileBytes, parseKeyFile } from './parse.js'

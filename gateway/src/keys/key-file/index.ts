export { type ImportedKeys, type KeyFileProblem, keyNamePattern, mostKeyFileBytes, noSuchKey, parseKeyFile } from './parse.js'

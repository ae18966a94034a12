export { type IndexParameters, indexFunction } from './index-function.js'
export { type LoadShape, LoadShapeSchema } from './schema.js'

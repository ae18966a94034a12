export { type Teardown, type TestDatabase, type TestDatabaseOptions, testDatabase } from './test-database.js'

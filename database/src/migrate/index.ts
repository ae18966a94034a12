export { ensureDatabase } from './ensure-database.js'
export { type Migration, migrationsFolder, readMigrations } from './files.js'
export { type MigrateOptions, type MigrationStatus, migrate, status } from './migrate.js'
export { passwordVariables, type ServiceRole, type SignInRole, serviceRoles, setServicePasswords } from './roles.js'

/** A configuration with which the broker must not start. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly code: 'NARU-CFG-001' | 'NARU-CFG-002' | 'NARU-CFG-003'
  /** File and line, environment variable or flag. */
  readonly where: string
  readonly hint: string

  constructor(
    code: ConfigError['code'],
    problem: { message: string; where: string; hint?: string },
  ) {
    super(`${problem.message} (${problem.where})`)
    this.code = code
    this.where = problem.where
    this.hint = problem.hint ?? 'docs/CONFIG.md lists every key'
  }
}
